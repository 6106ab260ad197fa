"""Means and deviations equal those in float64, and non-finite samples are found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardioflow.dsp.finite import not_finite
from cardioflow.dsp.scaling import standardized


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(1, 3000), min_size=1, max_size=5),
    st.floats(-1000, 1000),
    st.floats(1e-2, 1e3),
    st.integers(0, 99),
)
def test_standardized_runs_equal_numpy_in_float64(sizes, offset, scale, seed):
    rng = np.random.default_rng(seed)
    data = (offset + scale * rng.standard_normal(sum(sizes))).astype(np.float32)
    out = standardized(data, np.array(sizes), 1e-10)
    for x, y in zip(np.split(data.astype(np.float64), np.cumsum(sizes)[:-1]), np.split(out, np.cumsum(sizes)[:-1])):  # noqa: B905 -- equal by construction
        if x.std() > 0:
            # The input's own rounding, in units of its deviation, is what the result can know.
            known = 2e-6 + 4 * np.finfo(np.float32).eps * np.abs(x).max() / x.std()
            np.testing.assert_allclose(y, (x - x.mean()) / x.std(), atol=known, rtol=1e-5)
        else:
            assert (y == 0).all()


def test_a_flat_run_becomes_zeros_at_any_level():
    data = np.concatenate([np.full(700, v) for v in (0.1, -3.7, 1e4)]).astype(np.float32)
    assert (standardized(data, np.array([700, 700, 700]), 1e-10) == 0).all()


def test_values_whose_squares_overflow_float32_are_standardized():
    data = np.array([1e30, -1e30, 3e30, 0], np.float32)
    wide = data.astype(np.float64)
    np.testing.assert_allclose(standardized(data, np.array([4]), 0.0), (wide - wide.mean()) / wide.std(), rtol=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 5, 4095, 9999])
def test_a_single_non_finite_sample_is_found(bad, place):
    data = np.zeros(10_000, np.float32)
    assert not not_finite(data)
    data[place] = bad
    assert not_finite(data)
    assert not_finite(data.astype(np.complex64))
    assert standardized(data, np.array([5000, 5000]), 1e-10) is None


def test_the_largest_float32_counts_as_finite():
    assert not not_finite(np.full(9, np.finfo(np.float32).max))
    assert not not_finite(np.empty(0, np.float32))
