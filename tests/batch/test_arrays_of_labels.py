"""Labels and numbers of ``from_arrays`` keep their meaning: a missing label is not the label "nan"."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow import EcgBatch
from cardioflow.errors import InputError, LabelError


def batch(targets, **kwargs):
    return EcgBatch.from_arrays(np.zeros((len(targets), 1, 4)), fs=100, targets=targets, **kwargs)


@pytest.mark.parametrize("missing", [None, float("nan"), np.float64("nan")])
def test_a_missing_label_stays_missing_and_is_not_a_class(missing) -> None:
    made = batch(["A", missing, "B"])
    assert made.target.tolist() == ["A", None, "B"]
    assert made.classes == ("A", "B")
    with pytest.raises(LabelError, match=r"found None instead of a label for record '1'"):
        made.binarize_labels()


@pytest.mark.parametrize("targets", [["A", 1], [("A", float("nan")), ("B",)], [1.5, "A"], [True, "A"]])
def test_numbers_beside_labels_are_refused(targets) -> None:
    with pytest.raises(LabelError, match=r"of signal \d is not a label. Pass a text or a tuple of texts"):
        batch(targets)


@pytest.mark.parametrize(
    "rows", [[[0, 1], [1, 0], [1, 1]], [(0.5, 1), (1, 0), (0, 0)], np.eye(3)[:, :2], np.eye(3, 2, dtype=int)]
)
def test_rows_of_numbers_are_a_table_of_float32_whatever_they_are_given_as(rows) -> None:
    made = batch(rows, classes=["x", "y"])
    assert made.target.dtype == np.float32
    assert made.target.tolist() == np.asarray(rows).tolist()


def test_one_number_for_each_record_keeps_its_type() -> None:
    assert batch([1, 2, 3]).target.dtype.kind == "i"
    assert batch([61.5, 40.0]).target.tolist() == [61.5, 40.0]
    assert batch(np.array([True, False])).target.dtype == bool


def test_labels_may_be_texts_of_numpy_tuples_lists_or_sets() -> None:
    assert batch(np.array(["N", "A"])).target.tolist() == ["N", "A"]
    several = batch([["B", "A"], ("A",), {"C"}])
    assert several.target.tolist() == [("B", "A"), ("A",), ("C",)]
    assert several.classes == ("A", "B", "C")


def test_a_record_may_have_no_label_among_several() -> None:
    made = batch([("A", "B"), ()])
    assert made.target.tolist() == [("A", "B"), ()]
    assert made.binarize_labels().target.tolist() == [[1, 1], [0, 0]]


def test_masked_samples_are_refused_because_they_would_count_as_measured() -> None:
    signals = np.ma.masked_greater(np.array([[[0.1, 0.2, 9.9]], [[0.0, 0.0, 0.0]]]), 5)
    with pytest.raises(InputError) as caught:
        EcgBatch.from_arrays(signals, fs=100)
    assert str(caught.value) == (
        "from_arrays(signals=…): signal 0 is a masked array, whose masked samples would count as measured. "
        "Pass x.astype(float).filled(np.nan)."
    )
    filled = EcgBatch.from_arrays(signals.astype(float).filled(np.nan), fs=100)
    assert np.isnan(filled.signal[0][0]).tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("dtype", "exact"), [(np.float64, True), (np.float16, True), (bool, True)], ids=["float64", "float16", "bool"]
)
def test_samples_become_float32_and_keep_their_values(dtype, exact) -> None:
    x = np.array([[0, 1, 1, 0]], dtype)
    made = EcgBatch.from_arrays([x], fs=100)
    assert made.signal.dtype == np.float32
    assert made.signal[0].tolist() == [[0.0, 1.0, 1.0, 0.0]]


def test_the_batch_does_not_follow_the_arrays_that_it_was_made_of() -> None:
    x, fs = np.zeros((2, 1, 3)), np.array([100.0, 200.0])
    made = EcgBatch.from_arrays(x, fs=fs)
    x[:], fs[:] = 7, 1
    assert made.signal.data.tolist() == [0] * 6
    assert made.fs.tolist() == [100.0, 200.0]


def test_arrays_in_fortran_order_or_with_steps_are_read_by_their_values() -> None:
    x = np.arange(24.0).reshape(2, 12)
    made = EcgBatch.from_arrays([np.asfortranarray(x)[:, ::3], x[::-1, :4]], fs=100)
    assert made.signal[0].tolist() == x[:, ::3].tolist()
    assert made.signal[1].tolist() == x[::-1, :4].tolist()
