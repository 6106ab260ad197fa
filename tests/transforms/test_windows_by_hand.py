"""Cutting, padding, repeating and stacking: every sample, event, mask and start against numbers written by hand."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow import EcgBatch
from cardioflow.batch import Annotation
from cardioflow.errors import InputError

NAN = float("nan")


def one(n=6, marks=(1, 4), fs=2.0) -> EcgBatch:
    """A record 0, 1, 2 … of one lead, with marks, a mask of ones, a float series and states as the samples."""
    made = EcgBatch.from_arrays(
        np.arange(float(n))[None, None],
        fs=fs,
        leads=["I"],
        annotations=[Annotation(sample=np.array(marks, np.int64))],
        ids=["r"],
    )
    return (
        made.with_component("mask", [np.ones(n, bool)], "time series")
        .with_component("level", [10 + np.arange(n, dtype=np.float32)], "time series")
        .with_component("states", [np.arange(n, dtype=np.int8)[None]], "time series")
        .with_component("found", (Annotation(sample=np.array([n - 1])),))
        .with_component("note", np.array([7]))
    )


def told(batch: EcgBatch, row: int = 0) -> dict[str, list]:
    """Everything of one row as lists; NaN as None."""
    events = {
        name: [m.sample.tolist() for m in own] if isinstance(own, tuple) else own.sample.tolist()
        for name, own in (("annotation", batch.annotation[row]), ("found", batch.found[row]))
    }
    return {
        "signal": batch.signal[row].tolist(),
        "mask": batch.mask[row].tolist(),
        "level": np.where(np.isnan(batch.level[row]), None, batch.level[row]).tolist(),
        "states": batch.states[row].tolist(),
        "start_s": batch.provenance.segment_start_s[row].tolist(),
        "note": batch.note[row].tolist(),
        **events,
    }


CASES = {
    "padded on the right": (
        lambda b: b.pad_signals(8, -1.0),
        {
            "signal": [[0, 1, 2, 3, 4, 5, -1, -1]],
            "mask": [True] * 6 + [False] * 2,
            "level": [10, 11, 12, 13, 14, 15, None, None],
            "states": [[0, 1, 2, 3, 4, 5, 0, 0]],
            "start_s": [0.0],
            "annotation": [1, 4],
            "found": [5],
        },
    ),
    "padded on the left": (
        lambda b: b.pad_signals(8, -1.0, "left"),
        {
            "signal": [[-1, -1, 0, 1, 2, 3, 4, 5]],
            "mask": [False] * 2 + [True] * 6,
            "level": [None, None, 10, 11, 12, 13, 14, 15],
            "states": [[0, 0, 0, 1, 2, 3, 4, 5]],
            "start_s": [-1.0],
            "annotation": [3, 6],
            "found": [7],
        },
    ),
    "padded on both sides, the odd one behind": (
        lambda b: b.pad_signals(9, 9.0, "both"),
        {
            "signal": [[9, 0, 1, 2, 3, 4, 5, 9, 9]],
            "mask": [False] + [True] * 6 + [False] * 2,
            "level": [None, 10, 11, 12, 13, 14, 15, None, None],
            "states": [[0, 0, 1, 2, 3, 4, 5, 0, 0]],
            "start_s": [-0.5],
            "annotation": [2, 5],
            "found": [6],
        },
    ),
    "long enough already": (
        lambda b: b.pad_signals(6, 9.0),
        {
            "signal": [[0, 1, 2, 3, 4, 5]],
            "mask": [True] * 6,
            "level": [10, 11, 12, 13, 14, 15],
            "states": [[0, 1, 2, 3, 4, 5]],
            "start_s": [0.0],
            "annotation": [1, 4],
            "found": [5],
        },
    ),
    "a slice from the end": (
        lambda b: b.slice_signals(-4, -1),
        {
            "signal": [[2, 3, 4]],
            "mask": [True] * 3,
            "level": [12, 13, 14],
            "states": [[2, 3, 4]],
            "start_s": [1.0],
            "annotation": [2],
            "found": [],
        },
    ),
    "every second sample": (
        lambda b: b.slice_signals(1, None, 2),
        {
            "signal": [[1, 3, 5]],
            "mask": [True] * 3,
            "level": [11, 13, 15],
            "states": [[1, 3, 5]],
            "start_s": [0.5],
            # Sample 4 lies between 3 and 5; halves go to the even place.
            "annotation": [0, 2],
            "found": [2],
        },
    ),
    "backwards": (
        lambda b: b.slice_signals(slice(None, None, -1)),
        {
            "signal": [[5, 4, 3, 2, 1, 0]],
            "mask": [True] * 6,
            "level": [15, 14, 13, 12, 11, 10],
            "states": [[5, 4, 3, 2, 1, 0]],
            "start_s": [0.0],
            "annotation": [1, 4],
            "found": [0],
        },
    ),
    "a slice of nothing": (
        lambda b: b.slice_signals(4, 2),
        {
            "signal": [[]],
            "mask": [],
            "level": [],
            "states": [[]],
            "start_s": [0.0],
            "annotation": [],
            "found": [],
        },
    ),
    "twice end to end": (
        lambda b: b.tile(2),
        {
            "signal": [[0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]],
            "mask": [True] * 12,
            "level": [10, 11, 12, 13, 14, 15, 10, 11, 12, 13, 14, 15],
            "states": [[0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]],
            "start_s": [0.0],
            "annotation": [1, 4, 7, 10],
            "found": [5, 11],
        },
    ),
    "two equal segments": (
        lambda b: b.repeat_signal(2),
        {
            "signal": [[[0, 1, 2, 3, 4, 5]]] * 2,
            "mask": [[True] * 6] * 2,
            "level": [[10, 11, 12, 13, 14, 15]] * 2,
            "states": [[[0, 1, 2, 3, 4, 5]]] * 2,
            "start_s": [0.0, 0.0],
            "annotation": [[1, 4], [1, 4]],
            "found": [[5], [5]],
        },
    ),
    "windows that overlap": (
        lambda b: b.split_signals(4, 2),
        {
            "signal": [[[0, 1, 2, 3]], [[2, 3, 4, 5]]],
            "mask": [[True] * 4] * 2,
            "level": [[10, 11, 12, 13], [12, 13, 14, 15]],
            "states": [[[0, 1, 2, 3]], [[2, 3, 4, 5]]],
            "start_s": [0.0, 1.0],
            "annotation": [[1], [2]],
            "found": [[], [3]],
        },
    ),
    "windows with gaps between": (
        lambda b: b.split_signals(2, 4),
        {
            "signal": [[[0, 1]], [[4, 5]]],
            "mask": [[True] * 2] * 2,
            "level": [[10, 11], [14, 15]],
            "states": [[[0, 1]], [[4, 5]]],
            "start_s": [0.0, 2.0],
            "annotation": [[1], [0]],
            "found": [[], [1]],
        },
    ),
    "a window longer than the record": (
        lambda b: b.split_signals(8, pad_value=-2.0),
        {
            "signal": [[[-2, -2, 0, 1, 2, 3, 4, 5]]],
            "mask": [[False] * 2 + [True] * 6],
            "level": [[None, None, 10, 11, 12, 13, 14, 15]],
            "states": [[[0, 0, 0, 1, 2, 3, 4, 5]]],
            "start_s": [-1.0],
            "annotation": [[3, 6]],
            "found": [[7]],
        },
    ),
    "random windows longer than the record": (
        lambda b: b.random_split_signals(7, 2, pad_value=-2.0),
        {
            "signal": [[[-2, 0, 1, 2, 3, 4, 5]]] * 2,
            "mask": [[False] + [True] * 6] * 2,
            "level": [[None, 10, 11, 12, 13, 14, 15]] * 2,
            "states": [[[0, 0, 1, 2, 3, 4, 5]]] * 2,
            "start_s": [-0.5, -0.5],
            "annotation": [[2, 5]] * 2,
            "found": [[6]] * 2,
        },
    ),
    "a crop longer than the record": (
        lambda b: b.random_crop_signals(7, pad_value=-2.0),
        {
            "signal": [[-2, 0, 1, 2, 3, 4, 5]],
            "mask": [False] + [True] * 6,
            "level": [None, 10, 11, 12, 13, 14, 15],
            "states": [[0, 0, 1, 2, 3, 4, 5]],
            "start_s": [-0.5],
            "annotation": [2, 5],
            "found": [6],
        },
    ),
    "cut and put together again": (
        lambda b: b.split_signals(3).unstack_signals().stack_signals(),
        {
            "signal": [[[0, 1, 2]], [[3, 4, 5]]],
            "mask": [[True] * 3] * 2,
            "level": [[10, 11, 12], [13, 14, 15]],
            "states": [[[0, 1, 2]], [[3, 4, 5]]],
            "start_s": [0.0, 1.5],
            "annotation": [[1], [1]],
            "found": [[], [2]],
        },
    ),
    "one segment squeezed": (
        lambda b: b.split_signals(6).squeeze(),
        {
            "signal": [[0, 1, 2, 3, 4, 5]],
            "mask": [True] * 6,
            "level": [10, 11, 12, 13, 14, 15],
            "states": [[0, 1, 2, 3, 4, 5]],
            "start_s": [0.0],
            "annotation": [1, 4],
            "found": [5],
        },
    ),
    "segments padded": (
        lambda b: b.split_signals(3).pad_signals(4, 9.0, "left"),
        {
            "signal": [[[9, 0, 1, 2]], [[9, 3, 4, 5]]],
            "mask": [[False] + [True] * 3] * 2,
            "level": [[None, 10, 11, 12], [None, 13, 14, 15]],
            "states": [[[0, 0, 1, 2]], [[0, 3, 4, 5]]],
            "start_s": [-0.5, 1.0],
            "annotation": [[2], [2]],
            "found": [[], [3]],
        },
    ),
    "segments sliced": (
        lambda b: b.split_signals(3).slice_signals(1),
        {
            "signal": [[[1, 2]], [[4, 5]]],
            "mask": [[True] * 2] * 2,
            "level": [[11, 12], [14, 15]],
            "states": [[[1, 2]], [[4, 5]]],
            "start_s": [0.5, 2.0],
            "annotation": [[0], [0]],
            "found": [[], [1]],
        },
    ),
    "segments backwards": (
        lambda b: b.split_signals(3).slice_signals(step=-1),
        {
            "signal": [[[2, 1, 0]], [[5, 4, 3]]],
            "mask": [[True] * 3] * 2,
            "level": [[12, 11, 10], [15, 14, 13]],
            "states": [[[2, 1, 0]], [[5, 4, 3]]],
            "start_s": [0.0, 1.5],
            "annotation": [[1], [1]],
            "found": [[], [0]],
        },
    ),
    "segments tiled": (
        lambda b: b.split_signals(3).tile(2),
        {
            "signal": [[[0, 1, 2, 0, 1, 2]], [[3, 4, 5, 3, 4, 5]]],
            "mask": [[True] * 6] * 2,
            "level": [[10, 11, 12] * 2, [13, 14, 15] * 2],
            "states": [[[0, 1, 2] * 2], [[3, 4, 5] * 2]],
            "start_s": [0.0, 1.5],
            "annotation": [[1, 4], [1, 4]],
            "found": [[], [2, 5]],
        },
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_everything_is_where_it_belongs(name) -> None:
    change, expected = CASES[name]
    before = one()
    done = change(before)
    assert told(done) == {**expected, "note": 7}
    assert told(before) == told(one())


@pytest.mark.parametrize("name", CASES)
def test_a_neighbour_of_another_length_and_rate_changes_nothing(name) -> None:
    change, expected = CASES[name]
    other = one(11, (0, 10), fs=50.0)
    other = EcgBatch.concat([one(), other.replace(ids=("s",), provenance=type(other.provenance).whole(("s",)))])
    assert told(change(other)) == {**expected, "note": 7}


@pytest.mark.parametrize("name", CASES)
def test_types_stay_what_they_were(name) -> None:
    done = CASES[name][0](one())
    assert (done.signal.dtype, done.mask.dtype, done.level.dtype, done.states.dtype) == (
        np.float32,
        bool,
        np.float32,
        np.int8,
    )


def test_all_marks_of_one_sample_stay_in_their_order() -> None:
    marks = Annotation(sample=np.array([2, 2, 2, 3]), symbol=np.array(["(", "N", ")", "t"]))
    batch = EcgBatch.from_arrays(np.arange(6.0)[None, None], fs=2, annotations=[marks])
    assert "".join(batch.pad_signals(9, side="left").annotation[0].symbol) == "(N)t"
    assert "".join(batch.tile(2).annotation[0].symbol) == "(N)t(N)t"
    assert "".join(batch.split_signals(3).annotation[0][0].symbol) == "(N)"
    assert "".join(batch.resample_signals(1).annotation[0].symbol) == "(N)t"
    assert "".join(batch.slice_signals(step=-1).annotation[0].symbol) == "t(N)"


def test_rows_of_one_record_in_any_order_are_stacked_in_that_of_their_numbers() -> None:
    rows = one(12).split_signals(3).unstack_signals()
    done = rows.take([3, 0, 2]).stack_signals()
    assert done.signal[0][:, 0].tolist() == [[0, 1, 2], [6, 7, 8], [9, 10, 11]]
    assert done.provenance.segment_start_s[0].tolist() == [0, 3, 4.5]
    assert done.ids == ("r",)


@pytest.mark.parametrize(("length", "n"), [(1, 6), (2, 3), (4, 1), (5, 1), (6, 1), (7, 1)])
def test_windows_side_by_side_leave_the_rest_out_and_a_short_record_is_one(length, n) -> None:
    assert one().split_signals(length).signal.shapes.tolist() == [[n, 1, length]]


def test_random_windows_reach_both_ends_and_never_beyond() -> None:
    starts = np.concatenate(
        [one().replace(seed=seed).random_split_signals(4, 20).signal[0][:, 0, 0] for seed in range(5)]
    )
    assert set(starts.astype(int).tolist()) == {0, 1, 2}
    counts = np.bincount(starts.astype(int))
    assert counts.min() > 15


def test_segments_that_differ_in_shape_are_named_with_their_record() -> None:
    rows = EcgBatch.concat([one().split_signals(3).unstack_signals()[0], one().split_signals(2).unstack_signals()[1]])
    with pytest.raises(InputError, match=r"segments of record 'r': their shapes differ \(\(1, 2\), \(1, 3\)\)"):
        rows.stack_signals()
