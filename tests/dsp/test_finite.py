"""One sample that is not finite is found wherever it stands, and large finite ones are not taken for it."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.dsp.finite import not_finite


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 1, 517, 998, 999])
def test_a_single_bad_sample_is_found(dtype, bad, place):
    x = np.zeros(1000, dtype)
    assert not not_finite(x)
    x[place] = bad
    assert not_finite(x)


def test_bad_samples_that_cancel_are_found():
    x = np.zeros(64, np.float32)
    x[3], x[40] = np.inf, -np.inf
    assert not_finite(x)


def test_the_largest_numbers_are_finite_though_their_sum_is_not():
    assert not not_finite(np.full(100, np.finfo(np.float32).max, np.float32))
    assert not not_finite(np.full(100, np.finfo(np.float64).max))


def test_no_samples_and_integers_are_finite():
    assert not not_finite(np.empty(0, np.float32))
    assert not not_finite(np.arange(5, dtype=np.int16))


def test_strided_and_read_only_buffers_are_read():
    x = np.zeros(100, np.float32)
    x[51] = np.nan
    x.flags.writeable = False
    assert not not_finite(x[::2])
    assert not_finite(x[1::2])
    assert not_finite(x.reshape(10, 10)[:, 1])
