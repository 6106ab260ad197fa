"""Rows are chosen by number, from the front or the back, and by a mask; each keeps all that belongs to it."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.batch import Annotation, EcgBatch, Ragged
from cardioflow.errors import InputError


@pytest.fixture
def batch():
    """Five records of one length, whose samples, rate, label, event and own component tell their number."""
    signals = np.arange(5.0)[:, None, None] + np.zeros((5, 2, 4))
    marks = [Annotation(sample=np.array([0]), num=np.array([i])) for i in range(5)]
    made = EcgBatch.from_arrays(
        signals, fs=[100, 101, 102, 103, 104], targets=list("abcde"), annotations=marks, ids=list("abcde")
    )
    return made.with_component("mask", np.arange(5)[:, None] + np.zeros((5, 4), int), "time series")


def numbers_in(batch: EcgBatch) -> list[set[int]]:
    """The record's number as each component tells it."""
    return [
        {
            "abcde".index(batch.ids[i]),
            int(batch.signal[i][0, 0]),
            int(batch.fs[i]) - 100,
            "abcde".index(batch.target[i]),
            int(batch.annotation[i].num[0]),
            int(batch.mask[i][0]),
            "abcde".index(batch.provenance.record_id[i]),
        }
        for i in range(len(batch))
    ]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([-1], [4]),
        ([-2], [3]),
        ([-3, -2], [2, 3]),
        ([-5], [0]),
        ([-1, 0], [4, 0]),
        ([-2, -1, 0], [3, 4, 0]),
        ([0, -1], [0, 4]),
        ([3, 1, 3], [3, 1, 3]),
        ([], []),
        (range(4, 0, -2), [4, 2]),
        (np.array([1, 2], np.uint8), [1, 2]),
        ([True, False, False, True, False], [0, 3]),
        (np.zeros(5, bool), []),
    ],
)
def test_every_component_is_that_of_the_row_that_was_asked_for(batch, rows, expected) -> None:
    assert numbers_in(batch.take(rows)) == [{i} for i in expected]


@pytest.mark.parametrize("part", [slice(-2, None), slice(None, None, -1), slice(1, -1), slice(-100, 2), slice(4, 1)])
def test_a_slice_is_that_of_a_list(batch, part) -> None:
    assert numbers_in(batch[part]) == [{i} for i in list(range(5))[part]]


def test_a_number_gives_a_batch_of_one_row_and_one_that_there_is_not_ends_iteration(batch) -> None:
    assert numbers_in(batch[-2]) == [{3}]
    assert [b.ids for b in batch] == [("a",), ("b",), ("c",), ("d",), ("e",)]
    with pytest.raises(IndexError):
        batch[5]


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([5], "take(rows): there is no row 5 in a batch of 5 rows."),
        ([0, -6], "take(rows): there is no row -6 in a batch of 5 rows."),
        (np.array([True]), "take(rows) got a mask of 1 truth values for 5 rows. Pass one per row."),
        (np.ones(6, bool), "take(rows) got a mask of 6 truth values for 5 rows. Pass one per row."),
        (
            [1.0],
            (
                "take(rows) got an array of shape (1,) and type float64. "
                "Pass a list of row numbers, or a mask with a truth value per row."
            ),
        ),
        (
            [[0, 1]],
            (
                "take(rows) got an array of shape (1, 2) and type int64. "
                "Pass a list of row numbers, or a mask with a truth value per row."
            ),
        ),
        (
            2,
            (
                "take(rows) got an array of shape () and type int64. "
                "Pass a list of row numbers, or a mask with a truth value per row."
            ),
        ),
    ],
)
def test_rows_that_there_are_not_are_refused(batch, rows, text) -> None:
    with pytest.raises(InputError) as caught:
        batch.take(rows)
    assert str(caught.value) == text


@pytest.mark.parametrize("rows", [[-1], [-2, -1], [-2], [-4, -3, -2], [2, -1], [-1, -2]])
def test_a_ragged_counts_negative_rows_from_its_end_for_records_of_one_length_and_of_several(rows) -> None:
    for lengths in ([3, 3, 3, 3], [1, 4, 2, 3]):
        arrays = [np.full((1, n), i) for i, n in enumerate(lengths)]
        taken = Ragged.from_arrays(arrays).take(rows)
        assert [x.tolist() for x in taken] == [arrays[i].tolist() for i in rows]
    with pytest.raises(IndexError):
        Ragged.from_arrays(arrays).take([4])


def test_rows_of_a_ragged_that_neighbour_each_other_share_its_memory_and_others_do_not() -> None:
    ragged = Ragged.from_arrays([np.zeros((1, n)) for n in (2, 3, 4, 5)])
    assert np.shares_memory(ragged.take([1, 2]).data, ragged.data)
    assert np.shares_memory(ragged.take([-2, -1]).data, ragged.data)
    assert not np.shares_memory(ragged.take([2, 1]).data, ragged.data)


def test_labels_and_metadata_may_be_given_as_lists(batch) -> None:
    done = batch.with_component("target", ["x", ("x", "y"), "y", "x", "x"]).replace(classes=("x", "y"))
    assert done.binarize_labels().target.tolist() == [[1, 0], [1, 1], [0, 1], [1, 0], [1, 0]]
    rated = batch.with_component("meta", [{"fs": 10.0 * (i + 1)} for i in range(5)])
    assert rated.fs.tolist() == [10, 20, 30, 40, 50]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        (
            "target",
            ["x"] * 5,
            (
                "EcgBatch(target=…) is a list; expected an array. "
                "Call with_component('target', …), which takes a label per row."
            ),
        ),
        (
            "meta",
            [{}] * 5,
            (
                "EcgBatch(meta=…) is a list; expected a Meta. "
                "Call with_component('meta', …), which takes a mapping per row."
            ),
        ),
    ],
)
def test_a_field_of_another_type_is_refused_with_the_call_that_takes_it(batch, name, value, text) -> None:
    with pytest.raises(InputError) as caught:
        batch.replace(**{name: value})
    assert str(caught.value) == text
