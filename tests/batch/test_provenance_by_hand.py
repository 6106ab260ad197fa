"""The way back from a row to its record: ids, numbers, starts and keys after cuts, slices and stacks."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from cardioflow import EcgBatch
from cardioflow.batch import Provenance
from cardioflow.core.random_keys import record_keys, segment_keys
from cardioflow.errors import InputError


def starts(own: Provenance) -> list[list[float]]:
    return [s.tolist() for s in own.segment_start_s]


def test_whole_records_begin_at_their_start_and_are_one_segment() -> None:
    own = Provenance.whole(["a", "b"])
    assert (own.record_id, own.segment.tolist(), own.n_segments.tolist()) == (("a", "b"), [0, 0], [1, 1])
    assert starts(own) == [[0.0], [0.0]]
    assert own.key.tolist() == record_keys(["a", "b"]).tolist()


def test_a_cut_of_a_cut_counts_from_the_records_first_sample() -> None:
    own = Provenance.whole(["a"]).cut([np.array([0.0, 2.0])]).unstacked(np.array([2]))
    again = own.cut([np.array([0.0, 0.5]), np.array([0.0, 0.5])])
    assert starts(again) == [[0.0, 0.5], [2.0, 2.5]]
    rows = again.unstacked(np.array([2, 2]))
    assert starts(rows) == [[0.0], [0.5], [2.0], [2.5]]
    assert (rows.segment.tolist(), rows.n_segments.tolist()) == ([0, 1, 2, 3], [4, 4, 4, 4])


def test_a_shift_moves_every_segment_of_a_row_by_the_same_seconds() -> None:
    own = Provenance.whole(["a", "b"]).cut([np.array([0.0, 1.0]), np.array([3.0])])
    assert starts(own.shifted([0.5, -2.0])) == [[0.5, 1.5], [1.0]]
    assert starts(own) == [[0.0, 1.0], [3.0]]


@pytest.mark.parametrize(
    ("counts", "numbers", "total"),
    [([2, 3], [0, 1, 0, 1, 2], [2, 2, 3, 3, 3]), ([1, 1], [0, 0], [1, 1]), ([0, 2], [0, 1], [2, 2]), ([0, 0], [], [])],
)
def test_segments_are_numbered_within_their_record(counts, numbers, total) -> None:
    own = Provenance.whole(["a", "b"]).unstacked(np.array(counts))
    assert (own.segment.tolist(), own.n_segments.tolist()) == (numbers, total)
    assert own.record_id == ("a",) * counts[0] + ("b",) * counts[1]


def test_segments_have_keys_of_their_record_and_number_whichever_others_there_are() -> None:
    both = Provenance.whole(["a", "b"]).unstacked(np.array([2, 2]))
    alone = Provenance.whole(["b"]).unstacked(np.array([2]))
    assert both.key[2:].tolist() == alone.key.tolist()
    assert alone.key.tolist() == segment_keys(record_keys(["b", "b"]), np.array([0, 1])).tolist()
    assert len(set(both.key.tolist())) == 4


def test_segments_cut_into_different_numbers_are_numbered_through_where_all_are_there() -> None:
    own = Provenance.whole(["a"]).unstacked(np.array([3]))
    rows = own.unstacked(np.array([2, 0, 1]))
    assert (rows.segment.tolist(), rows.n_segments.tolist()) == ([0, 1, 2], [3, 3, 3])
    turned = own.take(np.array([2, 1, 0])).unstacked(np.array([1, 0, 2]))
    assert turned.segment.tolist() == [2, 0, 1]
    with pytest.raises(InputError) as caught:
        own.take(np.array([0, 2])).unstacked(np.array([2, 1]))
    assert caught.value.record == "a"
    assert "of its 3 segments only [0, 2] are in this batch" in str(caught.value)
    # Equal numbers can be numbered without the others.
    assert own.take(np.array([0, 2])).unstacked(np.array([2, 2])).segment.tolist() == [0, 1, 4, 5]


def test_stacked_rows_are_their_record_again() -> None:
    own = Provenance.whole(["a", "b"]).cut([np.array([0.0, 1.0]), np.array([0.0])]).unstacked(np.array([2, 1]))
    back = own.stacked([[0, 1], [2]])
    assert (back.record_id, back.segment.tolist(), back.n_segments.tolist()) == (("a", "b"), [0, 0], [1, 1])
    assert starts(back) == [[0.0, 1.0], [0.0]]
    assert back.key.tolist() == record_keys(["a", "b"]).tolist()


def test_rows_are_taken_and_joined_with_all_that_they_know() -> None:
    own = Provenance.whole(["a", "b", "c"]).cut([np.array([k, k + 0.5]) for k in (0.0, 1.0, 2.0)])
    part = own.take(np.array([2, 0]))
    assert (part.record_id, starts(part)) == (("c", "a"), [[2.0, 2.5], [0.0, 0.5]])
    joined = Provenance.concat([part, own.take(np.array([1]))])
    assert (joined.record_id, starts(joined)) == (("c", "a", "b"), [[2.0, 2.5], [0.0, 0.5], [1.0, 1.5]])
    assert joined.key.tolist() == own.key[[2, 0, 1]].tolist()


@pytest.mark.parametrize("ids", [["a", "b"], [], ["a"]])
def test_it_comes_back_from_a_pickle_as_it_was(ids) -> None:
    own = Provenance.whole(ids).cut([np.arange(k + 1.0) for k in range(len(ids))])
    back = pickle.loads(pickle.dumps(own))
    assert (back.record_id, starts(back), back.key.tolist()) == (own.record_id, starts(own), own.key.tolist())
    assert (back.segment.tolist(), back.n_segments.tolist()) == (own.segment.tolist(), own.n_segments.tolist())


def test_the_samples_of_a_row_are_those_of_its_record_from_its_start_on() -> None:
    """Through a chain of actions, the start leads back to the very samples."""
    fs, n = 50.0, 400
    whole = EcgBatch.from_arrays(np.arange(float(n))[None, None], fs=fs, ids=["r"])
    rows = (
        whole.slice_signals(20)
        .random_split_signals(100, 3)
        .unstack_signals()
        .split_signals(30, 25)
        .unstack_signals()
        .slice_signals(5)
        .random_crop_signals(10)
    )
    assert len(rows) == 9
    for x, start, record in zip(rows.signal, rows.provenance.segment_start_s, rows.provenance.record_id, strict=True):
        assert record == "r"
        first = round(float(start[0]) * fs)
        assert x[0].tolist() == list(range(first, first + 10))
