"""Arrays become records with their own rate, leads, unit, label and gaps, or are refused with the reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardioflow import EcgDataset, Pipeline
from cardioflow.errors import FormatError, InputError

X = np.arange(2 * 1 * 60, dtype=np.float32).reshape(2, 1, 60)


def made(**given: Any) -> EcgDataset:
    return EcgDataset.from_arrays(**{"signals": X, "fs": 100, "ids": ["a", "b"], **given})


def test_targets_in_a_series_of_another_order_are_not_given_to_the_wrong_records() -> None:
    """By position, b's label would go to a, and by id a shuffled index of row numbers would mislead."""
    swapped = pd.Series({"b": "B", "a": "A"})
    with pytest.raises(
        InputError, match=r"index of targets has the ids of the records in another order\. Pass targets"
    ):
        made(targets=swapped)
    assert made(targets=swapped.to_dict()).labels == {"a": "A", "b": "B"}
    assert made(targets=swapped.tolist()).labels == {"a": "B", "b": "A"}


@pytest.mark.parametrize(
    "targets",
    [
        pd.Series({"a": "A", "b": "B"}),
        pd.Series(["A", "B"]),
        pd.Series(["A", "B"], index=[17, 4]),
        ("A", "B"),
        np.array(["A", "B"]),
        {"b": "B", "a": "A"},
        pd.Series(["A", "B"], dtype="category"),
    ],
    ids=["same order", "row numbers", "a part of a frame", "tuple", "array", "mapping", "categories"],
)
def test_targets_go_to_their_records_in_every_form(targets: Any) -> None:
    assert made(targets=targets).labels == {"a": "A", "b": "B"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"targets": {"A", "B"}}, r"is not a label per record\. Pass a sequence of labels, or a mapping"),
        ({"targets": "AB"}, r"'AB' is not a label per record"),
        ({"targets": 3}, r"3 is not a label per record"),
        ({"targets": iter("AB")}, r"is not a label per record"),
        ({"targets": np.array([[0, 1], [1, 0]])}, r"targets has shape \(2, 2\), but expected one label per record"),
        ({"fs": [100, np.nan]}, r"fs=nan is not a sampling rate"),
        ({"fs": np.inf}, r"fs=inf is not a sampling rate"),
        ({"fs": -100}, r"fs=-100 is not a sampling rate"),
        ({"fs": np.True_}, r"fs=np\.True_ is not a sampling rate"),
        ({"fs": "100"}, r"fs='100' is not a sampling rate"),
        ({"fs": 100 + 1j}, r"is not a sampling rate"),
        ({"fs": [100]}, r"fs has 1 rates for 2 records"),
        ({"ids": ["a", " a"]}, r"Two records have the id 'a'"),
        ({"ids": ["a", 1.5]}, r"1\.5 is not a record id"),
        ({"leads": [["I"], ["I", "II"]]}, r"leads=\['I', 'II'\], but the record has 1 lead\..*record 'b'"),
        ({"leads": [[1], [2]]}, r"leads=\[1\], but the record has 1 lead"),
        ({"units": [["mV"]]}, r"units has 1 entries for 2 records\. Pass one per lead, or one list per record"),
        ({"signals": {"a": X[0]}}, r"signals is a dict; expected an array of shape"),
        (
            {"signals": [X[0], X[1][:, :0]]},
            r"signals\[1\] has shape \(1, 0\); expected \(lead, time\), with at least one",
        ),
        ({"signals": X.astype(bool)}, r"signals\[0\] is of type bool; expected real numbers"),
        ({"signals": [X[0], np.array([["x"]])]}, r"signals\[1\] is of type <U1; expected real numbers"),
    ],
)
def test_what_could_be_read_in_two_ways_or_none_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        made(**given)


@pytest.mark.parametrize(
    ("unit", "factor"), [("V", 1000.0), ("mV", 1.0), ("uV", 1e-3), ("µV", 1e-3), ("nV", 1e-6), ("volt", 1000.0)]
)
def test_a_unit_of_voltage_becomes_millivolts(unit: str, factor: float) -> None:
    batch = made(signals=X.astype(np.float64), units=unit).next_batch(2).load()
    np.testing.assert_allclose(batch.signal.dense(), X * factor, rtol=1e-6)
    assert batch.meta["units"].tolist() == [("mV",), ("mV",)]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int16, np.uint8, ">i2", ">f8", np.int64])
def test_numbers_of_every_type_and_byte_order_have_their_values(dtype: Any) -> None:
    batch = made(signals=X.astype(dtype), units="mV").next_batch(2).load()
    assert batch.signal.data.dtype == np.float32
    np.testing.assert_array_equal(batch.signal.dense(), X)


@pytest.mark.parametrize("order", ["transposed", "strided", "reversed", "read only"])
def test_views_are_read_as_they_look_and_not_as_they_lie_in_memory(order: str) -> None:
    base = np.arange(4 * 90, dtype=np.float32).reshape(4, 90)
    signal = {"transposed": np.asfortranarray(base), "strided": base[::2, ::3], "reversed": base[:, ::-1]}.get(
        order, base
    )
    if order == "read only":
        signal.flags.writeable = False
    batch = EcgDataset.from_arrays([signal], fs=100).next_batch(1).load()
    np.testing.assert_array_equal(batch.signal[0], signal)


def test_samples_under_a_mask_are_missing_and_not_what_lies_below_it() -> None:
    values = np.array([[1.0, 999.0, 3.0] * 10], np.float32)
    masked = np.ma.masked_equal(values, 999)
    batch = EcgDataset.from_arrays([masked], fs=100).next_batch(1).load()
    np.testing.assert_array_equal(batch.signal[0][0, :3], [1.0, np.nan, 3.0])
    # Whole numbers have no NaN; they become floats.
    counts = np.ma.masked_equal(values.astype(np.int16), 999)
    again = EcgDataset.from_arrays([counts], fs=100, units="mV").next_batch(1).load()
    np.testing.assert_array_equal(again.signal[0], batch.signal[0])
    assert np.isfinite(EcgDataset.from_arrays([np.ma.array(values)], fs=100).next_batch(1).load().signal[0]).all()


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e300])
def test_samples_that_no_float32_holds_are_an_error_of_their_record(value: float) -> None:
    signal = np.zeros((2, 1, 60))
    signal[1, 0, 7] = value
    data = made(signals=signal)
    assert data.batch([0]).load().signal[0].shape == (1, 60)
    with pytest.raises(FormatError, match=r"The array has samples that are too large for float32.*record 'b'"):
        data.next_batch(2).load()
    run = (data >> Pipeline().load()).batches(2, on_error="skip")
    assert [batch.ids for batch in run] == [("a",)]


def test_what_is_loaded_is_a_copy_of_the_array_at_that_moment() -> None:
    own = X.copy()
    data = EcgDataset.from_arrays(own, fs=100)
    batch = data.next_batch(2).load()
    own[:] = -1
    np.testing.assert_array_equal(batch.signal.dense(), X)
    assert not batch.signal[0].flags.writeable
    assert data.batch([0]).load().signal[0][0, 0] == -1
    assert (own == -1).all()


@pytest.mark.parametrize(
    ("given", "first", "n"),
    [({"start_s": 0.25}, 25, 35), ({"stop_s": 0.25}, 0, 25), ({"start_s": 0.1, "stop_s": 0.3}, 10, 20)],
)
def test_seconds_are_cut_at_the_rate_of_each_record(given: dict[str, float], first: int, n: int) -> None:
    data = made(fs=[100, 200])
    batch = data.next_batch(2).load(**given)
    np.testing.assert_array_equal(batch.signal[0][0], X[0, 0, first : first + n])
    # At twice the rate, twice the samples are in the same seconds, up to the end of the record.
    start, stop = 2 * first, 60 if "stop_s" not in given else min(60, round(given["stop_s"] * 200))
    np.testing.assert_array_equal(batch.signal[1][0], X[1, 0, start:stop])


def test_a_description_of_an_array_shows_its_size_and_not_its_samples() -> None:
    assert made(fs=[100, 62.5]).paths == (
        "<array of 1 leads and 60 samples at 100 Hz>",
        "<array of 1 leads and 60 samples at 62.5 Hz>",
    )
