"""Windows are cut at the given starts, and random starts depend only on the record's key."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cardioflow.core.random_keys import record_keys, uniform
from cardioflow.dsp import cutting
from cardioflow.dsp.cutting import cut, random_starts, regular_starts


def test_windows_equal_slices_and_are_padded_outside_the_record():
    data = np.arange(30, dtype=np.float32)
    shapes = np.array([[2, 9], [1, 12]])
    starts = np.array([0, 5, -3, 7, 11])
    out = cut(data, shapes, starts, np.array([2, 3]), length=4, pad_value=-1.0)
    first, second = data[:18].reshape(2, 9), data[18:].reshape(1, 12)
    expected = [first[:, 0:4], first[:, 5:9], [[-1, -1, -1, 18]], second[:, 7:11], [[29, -1, -1, -1]]]
    np.testing.assert_array_equal(out, np.concatenate([np.ravel(e) for e in expected]))


def test_a_window_entirely_outside_is_all_padding():
    out = cut(np.ones(3, np.float32), np.array([[1, 3]]), np.array([-9, 7]), np.array([2]), length=4, pad_value=2.0)
    assert out.tolist() == [2.0] * 8


def test_regular_windows_start_one_step_apart_and_a_short_record_has_one_that_ends_with_it():
    starts, counts = regular_starts(np.array([10, 4, 3, 0]), 4, np.array([3, 3, 3, 3]))
    assert starts.tolist() == [0, 3, 6, 0, -1, -4]
    assert counts.tolist() == [3, 1, 1, 1]


def test_writable_read_only_and_strided_arrays_share_compiled_functions():
    shapes = np.array([[1, 90], [2, 40]])
    keys, counts = record_keys(["a", "b"]), np.array([2, 3])
    data = np.arange(170, dtype=np.float32)
    kinds = set()
    for locked in (False, True):
        for array in (data, shapes):
            array.flags.writeable = not locked
        starts = random_starts(keys, shapes[:, 1], 20, counts)
        regular = regular_starts(shapes[:, 1], 20, np.array([10, 10]))
        out = cut(data, shapes, starts, counts, length=20, pad_value=0.0)
        kinds.add((starts.tobytes(), regular[0].tobytes(), out.tobytes()))
    assert len(kinds) == 1
    assert len(cutting._draw_starts.signatures) == len(cutting._fill_starts.signatures) == 1
    assert sum(s[0].dtype.name == "float32" for s in cutting._cut.signatures) == 1


def test_random_starts_come_from_the_keys_of_the_record():
    keys = record_keys(["A00001", "A00002", "A00003"])
    lengths, counts = np.array([9000, 500, 100]), np.array([5, 3, 2])
    starts = random_starts(keys, lengths, 300, counts)
    draw = uniform(keys, 5)
    expected = [*(draw[0] * 8701).astype(int), *(draw[1, :3] * 201).astype(int), -200, -200]
    assert starts.tolist() == expected


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 2**64 - 1))
def test_random_windows_lie_inside_a_record_that_is_long_enough(n, length, key):
    starts = random_starts(np.array([key], np.uint64), np.array([n]), length, np.array([50]))
    if n >= length:
        assert starts.min() >= 0
        assert starts.max() + length <= n
    else:
        assert set(starts.tolist()) == {n - length}


def test_every_position_is_drawn_equally_often():
    keys = np.arange(2000, dtype=np.uint64)
    starts = random_starts(keys, np.full(2000, 13), 4, np.full(2000, 20))
    counts = np.bincount(starts, minlength=10)
    assert counts.size == 10
    # 4000 expected in each of 10 places; six standard deviations of the binomial are 360.
    assert np.abs(counts - 4000).max() < 360
