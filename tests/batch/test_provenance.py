"""Rows know their record and start time, however often they were cut."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.batch import Annotation, EcgBatch, Provenance
from cardioflow.core.random_keys import record_keys, segment_keys
from cardioflow.errors import InputError


def batch_of(n: int) -> EcgBatch:
    return EcgBatch.from_arrays([np.arange(n, dtype=float)[None]] * 2, fs=10, ids=["a", "b"])


def test_segments_of_segments_are_numbered_through_their_record():
    rows = batch_of(12).split_signals(6).unstack_signals().split_signals(2).unstack_signals()
    assert rows.ids == ("a/0", "a/1", "a/2", "a/3", "a/4", "a/5", "b/0", "b/1", "b/2", "b/3", "b/4", "b/5")
    assert rows.provenance.segment.tolist() == [0, 1, 2, 3, 4, 5] * 2
    assert rows.provenance.n_segments.tolist() == [6] * 12
    assert [float(s[0]) for s in rows.provenance.segment_start_s[:6]] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert [x[0, 0] for x in rows.signal] == [0, 2, 4, 6, 8, 10] * 2
    # The key hashes a segment's number within its row, whatever its number within the record is.
    outer = segment_keys(record_keys(["a", "a"]), np.array([0, 1]))
    expected = segment_keys(np.repeat(outer, 3), np.tile(np.arange(3), 2))
    assert rows.provenance.key[:6].tolist() == expected.tolist()


def test_segments_cut_into_different_numbers_are_numbered_without_gaps():
    provenance = Provenance.whole(["a", "b"]).unstacked(np.array([3, 1]))
    again = provenance.take(np.array([2, 3, 0, 1])).unstacked(np.array([2, 1, 3, 0]))
    assert again.record_id == ("a", "a", "b", "a", "a", "a")
    assert again.segment.tolist() == [3, 4, 0, 0, 1, 2]
    assert again.n_segments.tolist() == [5, 5, 1, 5, 5, 5]


def test_beats_of_segments_have_ids_of_their_own():
    marks = Annotation(sample=np.array([1, 3, 9]))
    whole = EcgBatch.from_arrays([np.zeros((1, 12))], fs=10, annotations=[marks])
    assert whole.split_signals(6).unstack_signals().crop_beats(0.1, 0.1).ids == ("0/0", "0/1", "0/2")


def test_segments_that_cannot_be_numbered_are_refused():
    provenance = Provenance.whole(["a"]).unstacked(np.array([3])).take(np.array([0, 2]))
    assert provenance.unstacked(np.array([2, 2])).segment.tolist() == [0, 1, 4, 5]
    with pytest.raises(InputError) as caught:
        provenance.unstacked(np.array([2, 3]))
    assert str(caught.value) == (
        "The segments of record 'a' were cut into different numbers of segments, and of its 3 segments only [0, 2] "
        "are in this batch, so that the new ones cannot be numbered. "
        "Cut before rows are dropped or put into other batches."
    )


def test_stacking_rows_cut_twice_restores_their_order():
    rows = batch_of(12).split_signals(6).unstack_signals().split_signals(2).unstack_signals()
    stacked = rows.take(np.arange(len(rows))[::-1]).stack_signals()
    assert stacked.ids == ("b", "a")
    assert stacked.signal[0].reshape(-1).tolist() == list(range(12))
