"""Values of a run come back from a checkpoint with their types, to the bit, and damaged ones are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from cardioflow import EcgBatch, EcgDataset, Pipeline
from cardioflow.batch.annotation import Annotation
from cardioflow.batch.ecg_batch import Skipped
from cardioflow.errors import BadRecordsError, CheckpointError, FormatError, InputError, LabelError
from cardioflow.pipeline.checkpoint.values import compact, read_values, write_values
from cardioflow.pipeline.predictions import Prediction, SegmentAggregator


@pytest.fixture
def data() -> EcgDataset:
    signals = [np.arange(60.0 * (i + 1), dtype=np.float32)[None] for i in range(3)]
    return EcgDataset.from_arrays(signals, fs=100, ids=["a", "b", "c"], leads=["II"])


@pytest.fixture
def again(data: EcgDataset, tmp_path: Path) -> Any:
    """Return a function that writes a value and reads it."""

    def there_and_back(value: Any) -> Any:
        write_values(value, tmp_path, "values", data)
        return read_values(tmp_path, "values", data)

    return there_and_back


@pytest.mark.parametrize(
    "dtype", ["?", "i1", "u1", "<i2", ">i2", "u4", "i8", "u8", "f2", "f4", ">f4", "f8", ">f8", "c8", "c16", "<U3"]
)
@pytest.mark.parametrize("shape", [(3,), (2, 0), (), (2, 1, 2)])
def test_arrays_of_every_type_and_shape_come_back(again: Any, dtype: str, shape: tuple[int, ...]) -> None:
    size = int(np.prod(shape))
    value = np.arange(size).reshape(shape).astype(dtype)
    found = again({"x": value})["x"]
    assert (found.dtype, found.shape) == (value.dtype, value.shape)
    np.testing.assert_array_equal(found, value)


@pytest.mark.parametrize(
    "value",
    [
        np.array([np.nan, -0.0, np.inf, 5e-324, np.finfo(np.float64).max]),
        np.array([np.nan, -0.0, -np.inf, 1e-45], np.float32),
        np.array([2**63 - 1, -(2**63)], np.int64),
        np.array([2**64 - 1], np.uint64),
        np.array([complex(np.nan, -0.0), complex(np.inf, 1), complex(0, -np.inf), complex(-0.0, 0)]),
        np.array([complex(np.inf, -0.0)], np.complex64),
    ],
)
def test_numbers_come_back_to_the_last_bit(again: Any, value: np.ndarray) -> None:
    assert again([value])[0].tobytes() == value.tobytes()


def test_arrays_that_do_not_lie_in_order_come_back_as_they_look(again: Any) -> None:
    base = np.arange(24.0).reshape(4, 6)
    views = [base.T, base[::2, ::-1], np.asfortranarray(base), np.broadcast_to(base[0], (3, 6))]
    for found, view in zip(again(views), views, strict=True):
        np.testing.assert_array_equal(found, view)
        assert found.flags.writeable


def test_arrays_of_objects_keep_what_they_hold(again: Any) -> None:
    value = np.empty((2, 2), object)
    value[:] = [[None, ("a", 1)], [np.array([1.5]), {"k": [True, 2.0]}]]
    found = again(value)
    assert (found.shape, found.dtype) == ((2, 2), np.dtype(object))
    assert (found[0, 0], found[0, 1], found[1, 1]) == (None, ("a", 1), {"k": [True, 2.0]})
    np.testing.assert_array_equal(found[1, 0], [1.5])


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        10**30,
        -0.0,
        float("inf"),
        "ä\udc80\n",
        b"\x00\xff",
        (),
        [],
        {},
        ((1,), [2], {"a": (3,)}),
        {1: "a", (2, 3): "b", None: "c", "$tensor": "0"},
        {"a", "b"},
        frozenset({1}),
        np.float32(0.1),
        np.int64(-3),
        np.bool_(True),
    ],
)
def test_pythons_own_values_keep_their_types(again: Any, value: Any) -> None:
    found = again(value)
    assert found == value
    assert type(found) is type(value)
    if value == 0 and isinstance(value, float):
        assert str(found) == "-0.0"


@pytest.mark.parametrize("value", [object(), lambda: 1, Path, (i for i in ())])
def test_what_cannot_be_written_is_named_by_its_place(again: Any, value: Any) -> None:
    with pytest.raises(InputError, match="x"):
        again({"x": [1, value]})


# -- lists that are written in fewer bytes --------------------------------------------------


def test_long_lists_of_losses_come_back_as_lists_of_floats(again: Any, tmp_path: Path) -> None:
    losses = [0.1, float("nan"), -0.0, 1e300]
    found = again({"loss": compact(losses)})["loss"]
    assert type(found) is list
    assert {type(own) for own in found} == {float}
    assert repr(found) == repr(losses)
    assert len(json.loads((tmp_path / "values.json").read_text())) > 0


@pytest.mark.parametrize("value", [[1.0], [1.0, 2], [True, 1.0], [np.float64(1), 1.0], (1.0, 2.0), [], ["a", "b"], 3])
def test_other_lists_are_written_as_they_are(again: Any, value: Any) -> None:
    assert compact(value) is value
    found = again(value)
    assert found == value
    if isinstance(value, list):
        assert [type(own) for own in found] == [type(own) for own in value]


def test_predictions_keep_their_ids_and_dtypes(again: Any) -> None:
    alike = [Prediction("a", np.array([0.25, 0.75], np.float32)), Prediction("b", np.array([1, 0], np.float32))]
    other = [Prediction("a", np.array([1.0])), Prediction("b", np.array([1.0, 2.0]))]
    for value in (alike, other):
        found = again(compact(value))
        assert [type(own) for own in found] == [Prediction] * 2
        assert [own.id for own in found] == ["a", "b"]
        for one, expected in zip(found, value, strict=True):
            np.testing.assert_array_equal(one.value, expected.value)
            assert one.value.dtype == expected.value.dtype
    # Each is an array of its own: changing one does not change another.
    found = again(compact(alike))
    found[0].value[:] = 9
    assert found[1].value.tolist() == [1, 0]


def test_segments_that_wait_for_others_come_back(again: Any) -> None:
    held = SegmentAggregator.restored(
        [(0, "a", {0: np.array([1.0]), 2: np.array([3.0])}), (1, "a", {1: np.array([5.0])})]
    )
    found = again(held)
    assert [(epoch, record, sorted(own)) for epoch, record, own in found.state()] == [(0, "a", [0, 2]), (1, "a", [1])]
    assert [own.value.tolist() for own in found.rest("mean")] == [[2.0], [5.0]]


# -- batches that a step holds back -------------------------------------------------------------


def same(one: EcgBatch, other: EcgBatch) -> None:
    assert (one.ids, one.history, one.seed, one.epoch, one.classes, one.paths) == (
        other.ids,
        other.history,
        other.seed,
        other.epoch,
        other.classes,
        other.paths,
    )
    assert one.signal == other.signal
    assert one.meta == other.meta
    assert list(one.columns) == list(other.columns)
    for field in ("record_id", "key", "segment", "n_segments"):
        np.testing.assert_array_equal(getattr(one.provenance, field), getattr(other.provenance, field))
    for start, expected in zip(one.provenance.segment_start_s, other.provenance.segment_start_s, strict=True):
        np.testing.assert_array_equal(start, expected)


def test_batches_come_back_with_all_their_columns(again: Any, data: EcgDataset) -> None:
    batch = next(iter((data >> Pipeline().load()).batches(3, seed=5, epoch=2)))
    marks = tuple(Annotation(np.array([3, 9 + i]), np.array(["N", "V"])) for i in range(3))
    batch = batch.replace(annotation=marks, target=np.array(["N", "AF", "N"], object), classes=("AF", "N"))
    batch = batch.with_component("score", np.array([0.5, np.nan, 1.0]))
    batch = batch.with_component("mask", batch.signal, "time series")
    batch = batch.with_component("beats", marks, "events")
    found = again({"held": (batch,)})["held"][0]
    same(found, batch)
    assert {name: found.column(name).kind for name in found.columns} == {
        "score": "static",
        "mask": "time series",
        "beats": "events",
    }
    assert [own.sample.tolist() for own in found.component("beats")] == [[3, 9], [3, 10], [3, 11]]
    np.testing.assert_array_equal(found.component("mask")[2], batch.signal[2])


def test_a_batch_that_is_cut_goes_on_to_be_cut(again: Any, data: EcgDataset) -> None:
    template = Pipeline().load().split_signals(20, 20)
    batch = next(iter((data >> template).batches(3)))
    batch = batch.with_component("mask", batch.signal, "time series")
    found = again(batch)
    same(found, batch)
    assert found.unstack_signals().ids == batch.unstack_signals().ids
    for one, other in zip(found.unstack_signals().component("mask"), batch.unstack_signals().signal, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_batch_without_a_data_set_comes_back_without_places(again: Any) -> None:
    batch = EcgBatch.from_arrays([np.ones((1, 50), np.float32)], fs=50, leads=["I"], ids=["x"])
    found = again(batch)
    same(found, batch)
    assert found.locations is None


@pytest.mark.parametrize(
    "error",
    [
        InputError("no lead", record="a"),
        FormatError("is not EDF", record="b", step="1, load()"),
        LabelError("has no label", record="ä"),
    ],
)
def test_the_reason_why_a_record_was_left_out_comes_back_with_its_text(again: Any, error: Any) -> None:
    found = again([Skipped("a", "2, load()", error)])[0]
    assert (found.record, found.step) == ("a", "2, load()")
    assert type(found.reason) is type(error)
    assert (str(found.reason), found.reason.record, found.reason.step) == (str(error), error.record, error.step)


def test_an_error_of_several_records_keeps_each_of_them(again: Any) -> None:
    error = BadRecordsError({"a": InputError("one", record="a"), "b": FormatError("two", record="b")})
    found = again(error)
    assert {name: (type(own), str(own)) for name, own in found.reasons.items()} == {
        name: (type(own), str(own)) for name, own in error.reasons.items()
    }


# -- damage ------------------------------------------------------------------------------------


def test_values_whose_arrays_are_missing_or_damaged_are_refused(again: Any, data: EcgDataset, tmp_path: Path) -> None:
    again({"x": np.arange(3)})
    arrays = load_file(tmp_path / "values.safetensors")
    save_file({"_": np.zeros(1, np.uint8)}, tmp_path / "values.safetensors")
    with pytest.raises(CheckpointError, match=r"cannot be read: .*Remove it, to go on from the one before"):
        read_values(tmp_path, "values", data)
    (tmp_path / "values.safetensors").write_bytes(b"\x00" * 20)
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_values(tmp_path, "values", data)
    save_file(arrays, tmp_path / "values.safetensors")
    (tmp_path / "values.json").write_text('{"x": {"$tensor": 0')
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_values(tmp_path, "values", data)
    (tmp_path / "values.json").unlink()
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_values(tmp_path, "values", data)


def test_a_record_that_the_data_set_no_longer_has_is_refused(again: Any, data: EcgDataset, tmp_path: Path) -> None:
    again(next(iter((data >> Pipeline().load()).batches(3))))
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_values(tmp_path, "values", data.subset(["a", "b"]))
