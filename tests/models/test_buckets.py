"""Padding to few sizes does not change results for the rows themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardioflow.models._buckets import Buckets, _next


def test_the_first_batch_size_is_kept_and_smaller_batches_are_padded_to_it() -> None:
    buckets = Buckets()
    assert [buckets.size(n) for n in (50, 34, 50, 25)] == [50, 50, 50, 50]
    assert buckets.sizes == [50]


def test_a_batch_that_padding_would_more_than_double_gets_its_own_size() -> None:
    buckets = Buckets()
    assert [buckets.size(n) for n in (50, 24, 51, 60, 3, 5)] == [50, 24, 64, 64, 8, 8]


def test_restored_sizes_pad_as_before() -> None:
    buckets, resumed = Buckets(), Buckets()
    buckets.size(7)
    resumed.restore(buckets.state())
    # Without them, 4 rows would be a first size of their own.
    assert resumed.size(4) == buckets.size(4) == 7
    resumed.restore({})
    assert resumed.sizes == [7]


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=300))
def test_any_sequence_of_sizes_needs_few_compilations(ns) -> None:
    buckets = Buckets()
    for n in ns:
        assert n <= buckets.size(n) <= max(2 * n, 8)
    assert len(buckets.sizes) <= 22


@given(st.integers(1, 10**6))
def test_the_next_size_is_at_most_half_larger(n) -> None:
    assert n <= _next(n) <= max(1.5 * n, 8)


@pytest.mark.parametrize("n", [1, 5, 31, 32])
def test_a_weighted_mean_over_padded_rows_equals_the_mean_over_the_rows(n) -> None:
    buckets = Buckets()
    buckets.size(32)
    buckets.size(8)
    x = np.random.default_rng(0).normal(size=(n, 1, 3)).astype(np.float32)
    padded, _, weight = buckets.fill(x, x[:, 0])
    loss = padded.sum(axis=(1, 2)) ** 2
    assert (loss * weight).mean() == pytest.approx((x.sum(axis=(1, 2)) ** 2).mean(), rel=1e-5)
    assert np.array_equal(padded[:n], x)
    assert np.array_equal(buckets.rows(x)[:n], x)


def test_the_sizes_are_powers_of_two_and_one_and_a_half_of_them() -> None:
    sizes = sorted({_next(n) for n in range(1, 400)})
    assert sizes == [8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512]
    assert [_next(n) for n in (8, 9, 12, 13, 384, 385)] == [8, 12, 12, 16, 384, 512]
