"""A user's function is called on each record or channel, and its result becomes a component."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow import B, C, EcgBatch, EcgDataset, F, Pipeline
from cardioflow.batch import Meta, Ragged
from cardioflow.errors import InputError, StepError, UnknownNameError
from cardioflow.transforms._map import map_records
from cardioflow.transforms.apply_transform import ApplyTransform


@pytest.fixture
def batch(make):
    return make(np.arange(6.0).reshape(2, 3), 10 + np.arange(8.0).reshape(2, 4), leads=("I", "II"))


def test_a_function_is_called_with_each_signal_and_its_arguments(batch):
    done = batch.apply_transform(np.clip, 2, a_max=11)
    np.testing.assert_array_equal(done.signal[1], np.clip(batch.signal[1], 2, 11))


def test_arrays_and_lists_reach_the_function_as_they_are(batch):
    seen = []
    batch.apply_transform(lambda x, *rest, **more: (seen.append((*rest, more["c"])), x)[1], np.eye(2), [1, 2], c=[3])
    assert isinstance(seen[0][0], np.ndarray)
    assert seen[0][1:] == ([1, 2], [3])
    with_array = ApplyTransform(np.matmul, np.eye(2))
    assert with_array == ApplyTransform(np.matmul, np.eye(2))
    assert hash(with_array) == hash(ApplyTransform(np.matmul, np.eye(2)))
    assert with_array != ApplyTransform(np.matmul, np.zeros((2, 2)))


def test_a_result_becomes_a_component_of_its_own(batch):
    done = batch.apply_transform(np.mean, axis=1, dst="mean")
    assert done.signal is batch.signal
    np.testing.assert_allclose(done.mean[0], [1, 4])
    assert batch.apply_transform(len, dst="n_leads").n_leads.tolist() == [2, 2]
    assert batch.apply_transform(lambda x: str(x.shape), dst="text").text == ("(2, 3)", "(2, 4)")


def test_a_function_may_read_and_write_any_component(batch):
    done = batch.apply_transform(lambda meta: {**meta, "doubled": meta["fs"] * 2}, src="meta", dst="meta")
    assert isinstance(done.meta, Meta)
    assert done.meta[0]["doubled"] == 500
    assert batch.apply_transform(lambda x: "A", dst="target").target.tolist() == ["A", "A"]


def test_an_exception_inside_names_the_function_and_the_record(batch):
    def fussy(x):
        if x.shape[1] == 4:
            raise KeyError("four")
        return x

    with pytest.raises(StepError) as caught:
        batch.apply_transform(fussy)
    assert "fussy failed on record 'A00001': KeyError: 'four'" in str(caught.value)
    assert isinstance(caught.value.__cause__, KeyError)
    assert caught.value.record == "A00001"


def test_a_result_that_is_not_a_signal_is_refused(batch):
    with pytest.raises(InputError) as caught:
        batch.apply_transform(np.mean)
    assert str(caught.value) == (
        "apply_transform(mean) returned float32, which cannot be the component 'signal': expected an array of "
        "(lead, time) or (segment, lead, time). Return that, or pass another dst."
    )


def test_the_function_can_be_called_per_channel(batch):
    done = batch.apply_to_each_channel(np.cumsum)
    np.testing.assert_array_equal(done.signal[0], np.cumsum(batch.signal[0], axis=-1))
    cut = batch.split_signals(2)
    np.testing.assert_array_equal(cut.apply_to_each_channel(np.flip).signal[0], cut.signal[0][..., ::-1])
    assert isinstance(batch.apply_to_each_channel(np.sort, dst="sorted").sorted, Ragged)


def test_an_unknown_component_and_an_object_that_is_not_a_function_are_refused(batch):
    with pytest.raises(UnknownNameError, match=r"no component 'signals'. Did you mean 'signal'"):
        batch.apply_transform(np.abs, src="signals")
    with pytest.raises(InputError, match="is not a function"):
        batch.apply_transform("abs")


@pytest.fixture
def rates(make):
    return make(np.ones((1, 5)), np.ones((1, 8)), np.ones((1, 6)), fs=[250.0, 500.0, 360.0])


def scaled(x, fs, *, by=1.0):
    assert np.ndim(fs) == np.ndim(by) == 0
    return x * np.float32(fs * by)


@pytest.mark.parametrize("name", ["apply_transform", "apply_to_each_channel"])
def test_a_batch_expression_gives_each_call_the_value_of_its_own_record(rates, name):
    weighted = rates.with_component("weight", np.array([1.0, 2.0, 3.0]))
    done = getattr(weighted, name)(scaled, B("fs"), by=B("weight"))
    assert [float(done.signal[i][0, 0]) for i in range(3)] == [250.0, 1000.0, 1080.0]
    backwards = getattr(weighted.take([2, 0]), name)(scaled, B("fs"), by=B("weight"))
    assert [float(backwards.signal[i][0, 0]) for i in range(2)] == [1080.0, 250.0]


def test_batch_expressions_are_found_inside_lists_and_dicts_and_other_arguments_are_shared(rates):
    shared = {"k": [1]}
    seen = []
    rates.apply_transform(
        lambda x, a, b, whole: (seen.append((a, b, whole)), x)[1], [B("ids"), 7], {"meta": B("meta"), "s": 1}, B()
    )
    assert [a for a, _, _ in seen] == [["A00000", 7], ["A00001", 7], ["A00002", 7]]
    assert [b["meta"]["fs"] for _, b, _ in seen] == [250.0, 500.0, 360.0]
    assert all(whole is rates for *_, whole in seen)
    rates.apply_transform(lambda x, given: (seen.append(given), x)[1], shared)
    assert seen[-1] is shared


def test_a_pipeline_passes_each_record_its_own_value_at_any_batch_size():
    dataset = EcgDataset.simulated(5, fs=200, duration_s=2)
    template = (
        Pipeline(config={"factor": 2.0})
        .load(fmt="simulated", components=["signal", "meta"])
        .apply_transform(lambda x, name, factor, n: (name, factor, n), B("ids"), C("factor"), F(len), dst="given")
    )
    for size in (2, 5):
        found = [row for batch in (dataset >> template).batches(size) for row in batch.given]
        assert [name for name, *_ in found] == list(dataset.ids)
        assert {factor for _, factor, _ in found} == {2.0}
    with_b = Pipeline().apply_transform(scaled, B("fs"))
    assert Pipeline.from_json(with_b.to_json(), {f"{scaled.__module__}.scaled": scaled}) == with_b


@pytest.mark.parametrize(
    ("function", "dtype"),
    [
        (lambda x: (x > 2).astype(np.int16), np.int16),
        (lambda x: x > 2, np.bool_),
        (lambda x: np.arange(x.shape[1]) + 2**53 + 1, np.int64),
        (lambda x: x.astype(np.float64) + 1e-12, np.float64),
        (lambda x: x[0] * 1j, np.complex64),
    ],
)
def test_a_new_component_keeps_the_data_type_of_the_results(batch, function, dtype):
    done = batch.apply_transform(function, dst="own")
    assert isinstance(done.own, Ragged)
    assert done.own.dtype == dtype
    for i in range(2):
        np.testing.assert_array_equal(done.own[i], function(batch.signal[i]))
    again = done.take([1, 0])
    assert type(done).concat([again, again]).own.dtype == dtype


def test_numbers_of_a_single_record_keep_their_type(batch):
    assert batch.apply_transform(len, dst="n").n.dtype == np.int64
    assert batch.apply_transform(lambda x: bool(x.max() > 5), dst="high").high.tolist() == [False, True]
    assert batch.apply_transform(lambda x: 1j, dst="z").z.dtype == np.complex128


def test_targets_keep_integers_and_numbers_with_decimals_and_everything_else_is_a_label(batch):
    assert batch.apply_transform(lambda x: np.array([1, 0]), dst="target").target.dtype == np.int64
    assert batch.apply_transform(lambda x: x.mean(), dst="target").target.dtype == np.float32
    assert batch.apply_transform(len, dst="target").target.tolist() == [2, 2]


def test_a_signal_stays_float32_and_a_kernel_takes_a_component_of_integers(batch):
    assert batch.apply_transform(lambda x: x.astype(np.int32)).signal.dtype == np.float32
    counted = batch.apply_transform(lambda x: np.arange(6).reshape(2, 3), dst="count")
    done = counted.standardize(src="count", dst="z")
    assert done.z.dtype == np.float32
    np.testing.assert_allclose(done.z[0][0], [-1.2247449, 0, 1.2247449], rtol=1e-6)


def test_an_exception_in_a_channel_names_the_users_function(batch):
    def fussy(x):
        raise KeyError("four")

    with pytest.raises(StepError, match=r"fussy failed on record 'A00000': KeyError: 'four'.*apply_to_each_channel"):
        batch.apply_to_each_channel(fussy)


def test_results_of_no_records_have_the_axes_of_the_source(batch):
    done = batch[:0].apply_transform(lambda signal: signal, dst="own")
    assert isinstance(done.own, Ragged)
    assert done.own.shapes.shape == (0, 2)
    named = batch.with_component("name", ("one", "two"))
    assert named[:0].apply_transform(len, src="name", dst="own").own == ()
    assert named.apply_transform(len, src="name", dst="own").own.tolist() == [3, 3]


def test_an_error_of_ours_on_one_record_names_it_and_loses_none(batch):
    def fails(x, row):
        if row == 1:
            raise InputError("is not what was expected.", record=batch.ids[1])
        return x

    with pytest.raises(InputError, match="is not what was expected") as caught:
        map_records(batch, "apply", batch.signal, fails)
    assert caught.value.record == batch.ids[1]
    assert len(map_records(batch, "apply", batch.signal, lambda x, _row: x)) == 2


def test_an_error_of_a_function_inside_an_action_names_the_record_for_those_that_skip_it():
    """A step can leave out a record only where the error holds its id."""
    batch = EcgBatch.from_arrays([np.zeros((1, 4), np.float32), np.zeros((1, 9), np.float32)], fs=100, ids=["a", "b"])

    def refuse(x, row):
        if x.shape[1] > 4:
            raise ValueError("too long")
        return x

    with pytest.raises(InputError, match=r"step\(\) cannot take record 'b' of shape \(1, 9\): too long") as caught:
        map_records(batch, "step()", batch.signal, refuse)
    assert caught.value.record == "b"
