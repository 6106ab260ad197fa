"""Marks through windows, leads, resampling and merging, each column of each mark by hand."""

from __future__ import annotations

import pickle
from dataclasses import fields

import numpy as np
import pytest

from cardioflow.batch import Annotation
from cardioflow.batch.annotation import merged
from cardioflow.batch.columns import Events, Windows
from cardioflow.errors import InputError

FULL = Annotation(
    sample=np.array([2, 5, 5, 9]),
    symbol=np.array(["N", "(", "t", "+"]),
    aux_note=("", "", "x", "(AFIB"),
    channel=np.array([1, 2, 0, 3]),
    num=np.array([0, 1, 2, 3]),
    subtype=np.array([4, 5, 6, 7]),
    duration_s=np.array([0.0, 0.5, 0.0, 9.0]),
    confidence=np.array([0.9, np.nan, 0.7, 0.6]),
)
"""Four marks that differ in every column."""


def rows(own: Annotation) -> list[int]:
    """Which of ``FULL``'s marks these are, by every column that does not move."""
    found = []
    for k in range(len(own)):
        i = int(own.num[k])
        assert own.symbol[k] == FULL.symbol[i]
        assert own.aux_note[k] == FULL.aux_note[i]
        assert own.subtype[k] == FULL.subtype[i]
        assert own.duration_s[k] == FULL.duration_s[i]
        assert np.array_equal(own.confidence[k], FULL.confidence[i], equal_nan=True)
        found.append(i)
    return found


@pytest.mark.parametrize(
    ("start", "stop", "kept", "samples"),
    [
        (0, 10, [0, 1, 2, 3], [2, 5, 5, 9]),
        (2, 9, [0, 1, 2], [0, 3, 3]),
        (3, 6, [1, 2], [2, 2]),
        (-4, 3, [0], [6]),
        (9, 100, [3], [0]),
        (6, 9, [], []),
        (5, 5, [], []),
    ],
)
def test_a_window_keeps_the_marks_from_its_first_sample_to_before_its_last(start, stop, kept, samples) -> None:
    own = FULL.window(start, stop)
    assert rows(own) == kept
    assert own.sample.tolist() == samples
    assert own.channel.tolist() == FULL.channel[kept].tolist()


@pytest.mark.parametrize(
    ("picks", "n_leads", "kept", "channels"),
    [
        ((0, 1, 2), 3, [0, 1, 2, 3], [1, 2, 0, 3]),
        ((2, 0), 3, [0, 2, 3], [2, 0, 1]),
        ((1,), 3, [1, 2], [1, 0]),
        ((), 3, [2], [0]),
        ((-1, 0), 3, [0, 2], [2, 0]),
        # The third channel is not a lead of a record of two.
        ((1, 0), 2, [0, 1, 2, 3], [2, 1, 0, 0]),
        ((0, 0), 3, [0, 2], [1, 0]),
    ],
)
def test_marks_follow_their_lead_and_those_of_the_record_stay(picks, n_leads, kept, channels) -> None:
    own = FULL.of_leads(picks, n_leads)
    assert rows(own) == kept
    assert own.channel.tolist() == channels
    assert own.sample.tolist() == FULL.sample[kept].tolist()


@pytest.mark.parametrize(
    ("ratio", "n", "samples"),
    [
        (1.0, 10, [2, 5, 5, 9]),
        (2.0, 20, [4, 10, 10, 18]),
        # Halves go to the even sample, and no mark stands behind the last one.
        (0.5, 5, [1, 2, 2, 4]),
        (0.1, 1, [0, 0, 0, 0]),
        (0.3, 3, [1, 2, 2, 2]),
        (1.0, 0, [0, 0, 0, 0]),
    ],
)
def test_resampled_marks_stand_at_the_nearest_sample(ratio, n, samples) -> None:
    own = FULL.resampled(ratio, n)
    assert own.sample.tolist() == samples
    assert own.sample.dtype == np.int64
    assert rows(own) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "picked", [[3, 0], [], [1, 1], [-1], np.array([True, False, True, False]), np.array([False] * 4)]
)
def test_marks_are_taken_as_numpy_takes_rows(picked) -> None:
    own = FULL.take(np.asarray(picked, bool if np.asarray(picked).dtype == bool else np.intp))
    assert rows(own) == np.arange(4)[np.asarray(picked, bool if np.asarray(picked).dtype == bool else np.intp)].tolist()


def test_merged_marks_are_in_order_of_time_and_those_of_one_sample_in_that_of_their_sets() -> None:
    early = Annotation(sample=np.array([0, 5]), symbol=np.array(["a", "b"]), num=np.array([10, 11]))
    assert merged([FULL, early]).num.tolist() == [10, 0, 1, 2, 11, 3]
    assert merged([early, FULL]).num.tolist() == [10, 0, 11, 1, 2, 3]
    both = merged([FULL, early])
    assert both.aux_note == ("", "", "", "x", "", "(AFIB")
    assert np.isnan(both.confidence[[0, 2, 4]]).all()
    assert len(merged([Annotation(), Annotation()])) == 0


@pytest.mark.parametrize("name", [f.name for f in fields(Annotation) if f.name != "sample"])
def test_two_sets_of_marks_are_equal_in_every_column_or_not_at_all(name) -> None:
    changed = {
        "symbol": np.array(["N", "(", "t", "V"]),
        "aux_note": ("", "", "x", "(AFL"),
        "channel": np.array([1, 2, 0, 4]),
        "num": np.array([0, 1, 2, 4]),
        "subtype": np.array([4, 5, 6, 8]),
        "duration_s": np.array([0.0, 0.5, 0.0, 9.5]),
        "confidence": np.array([0.9, 0.1, 0.7, 0.6]),
    }[name]
    own = {f.name: getattr(FULL, f.name) for f in fields(Annotation)}
    assert Annotation(**own) == FULL
    assert Annotation(**{**own, name: changed}) != FULL
    assert pickle.loads(pickle.dumps(FULL)) == FULL
    with pytest.raises(InputError, match=rf"Annotation\({name}=…\) has 3 entries for 4 marks"):
        Annotation(**{**own, name: changed[:3]})


def two() -> Events:
    return Events((FULL, Annotation(sample=np.array([0, 3]), num=np.array([0, 3]))))


def test_windows_of_two_rows_take_marks_of_their_own_row() -> None:
    windows = Windows(np.array([0, 4, -2]), np.array([2, 1]), 6)
    cut = two().cut(windows, None)
    assert [[m.sample.tolist() for m in own] for own in cut.marks] == [[[2, 5, 5], [1, 1, 5]], [[2, 5]]]


def test_windows_may_have_a_length_for_each_row() -> None:
    windows = Windows(np.array([0, 0]), np.array([1, 1]), np.array([3, 1]))
    assert [[m.sample.tolist() for m in own] for own in two().cut(windows, None).marks] == [[[2]], [[0]]]


@pytest.mark.parametrize(
    ("part", "samples", "numbers"),
    [
        (slice(None), [2, 5, 5, 9], [0, 1, 2, 3]),
        (slice(3, 8), [2, 2], [1, 2]),
        (slice(None, None, 2), [1, 2, 2], [0, 1, 2]),
        # The second one lasts a sample, and begins in reversed time where it ended.
        (slice(None, None, -1), [0, 3, 4, 7], [3, 1, 2, 0]),
        (slice(-3, None), [2], [3]),
        (slice(8, 3), [], []),
    ],
    ids=["all", "middle", "every second", "backwards", "the end", "nothing"],
)
def test_a_slice_keeps_the_marks_between_its_first_and_last_sample(part, samples, numbers) -> None:
    own = Events((FULL,)).slice_time(part, np.array([10]), np.array([2.0])).marks[0]
    assert own.sample.tolist() == samples
    assert own.num.tolist() == numbers


def test_padded_tiled_and_unstacked_marks_keep_their_columns() -> None:
    padded = Events((FULL,)).pad(np.array([3]), np.array([9]), None).marks[0]
    assert (padded.sample.tolist(), rows(padded)) == ([5, 8, 8, 12], [0, 1, 2, 3])
    tiled = Events((FULL,)).tile(2, np.array([10])).marks[0]
    assert (tiled.sample.tolist(), rows(tiled)) == ([2, 5, 5, 9, 12, 15, 15, 19], [0, 1, 2, 3] * 2)
    rows_of = Events(((FULL, FULL.take(np.array([0]))), (FULL.take(np.array([3])),))).unstack(np.array([2, 1]))
    assert [rows(own) for own in rows_of.marks] == [[0, 1, 2, 3], [0], [3]]
    with pytest.raises(InputError, match="A record of 3 segments has annotations for 2"):
        Events(((FULL, FULL),)).unstack(np.array([3]))
    assert [len(own) for own in rows_of.stack([[0, 2], [1]]).marks] == [2, 1]
    assert rows(rows_of.stack([[2, 0]]).marks[0][0]) == [3]


@pytest.mark.parametrize(
    ("sample", "duration_s", "step", "expected"),
    [
        # 10 samples at 2 Hz: of 9 s from the last sample on, 0 s are in the record.
        (9, 9.0, -1, (0, 0.0)),
        (7, 1.0, -1, (0, 1.0)),
        (7, 3.0, -1, (0, 1.0)),
        (4, 1.5, -1, (2, 1.5)),
        (4, 0.0, -1, (5, 0.0)),
        # At every second sample, one is a second.
        (5, 4.0, -2, (0, 2.0)),
        (5, 1.0, -2, (1, 1.0)),
    ],
)
def test_in_reversed_time_an_episode_ends_where_it_began_and_what_was_behind_the_record_is_gone(
    sample, duration_s, step, expected
) -> None:
    own = Annotation(sample=np.array([sample]), duration_s=np.array([duration_s]))
    turned = Events((own,)).slice_time(slice(None, None, step), np.array([10]), np.array([2.0])).marks[0]
    assert (int(turned.sample[0]), float(turned.duration_s[0])) == expected
