"""A resampled signal: waves keep their time and height, and what cannot be held is gone."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.dsp.resampling import resampled


def to(x, old, new):
    found, n = resampled(x, np.zeros(1, int), np.array([x.size]), np.array([float(old)]), np.array([float(new)]))
    assert n.tolist() == [found.size]
    return found


def waves(fs, n_s=4.0, at=(1.0, 2.25, 3.1), width_s=0.03):
    t = np.arange(round(n_s * fs)) / fs
    return np.sum([np.exp(-0.5 * ((t - c) / width_s) ** 2) for c in at], axis=0).astype(np.float32)


RATES = [(360, 250), (250, 500), (500, 100), (128, 360), (257, 300), (1000, 333.333), (250, 249.9998), (360, 4999)]


@pytest.mark.parametrize(("old", "new"), RATES)
def test_a_wave_stays_at_its_second_and_keeps_its_height(old, new):
    found = to(waves(old), old, new)
    np.testing.assert_allclose(
        found[round(0.3 * new) : -round(0.3 * new)],
        waves(new, found.size / new)[round(0.3 * new) : -round(0.3 * new)],
        atol=2e-3,
    )


@pytest.mark.parametrize(("old", "new"), RATES)
def test_a_sine_keeps_its_phase(old, new):
    hz = 7.0
    found = to(np.cos(2 * np.pi * hz * np.arange(8 * old) / old).astype(np.float32), old, new)
    inner = slice(found.size // 4, 3 * found.size // 4)
    expected = np.cos(2 * np.pi * hz * np.arange(found.size) / new)
    assert np.abs(found - expected)[inner].max() < 3e-3


@pytest.mark.parametrize(
    ("old", "new", "n", "expected"),
    [
        (500, 250, 1000, 500),
        (500, 250, 1001, 501),
        (360, 250, 650_000, 451_389),
        (250, 360, 1, 2),
        (1000, 100, 1, 1),
        (100, 1000, 1, 10),
        (300, 300, 7, 7),
    ],
)
def test_the_number_of_samples_is_rounded_up(old, new, n, expected):
    assert to(np.zeros(n, np.float32), old, new).size == expected == -(-n * new // old)


@pytest.mark.parametrize(("old", "new"), [(500, 250), (360, 128), (1000, 333.333)])
def test_what_the_new_rate_cannot_hold_does_not_come_back_as_something_else(old, new):
    hz = 0.62 * new  # above half of the new rate, and clear of the filter's slope
    found = to(np.sin(2 * np.pi * hz * np.arange(20 * old) / old).astype(np.float32), old, new)
    inner = found[found.size // 4 : 3 * found.size // 4]
    assert inner.std() < 0.01


def test_up_and_down_again_is_where_it_began():
    x = waves(250)
    again = to(to(x, 250, 1000), 1000, 250)
    assert again.size == x.size
    np.testing.assert_allclose(again[100:-100], x[100:-100], atol=2e-3)


def test_a_level_is_kept_away_from_the_ends():
    for old, new in RATES:
        found = to(np.full(2000, 3.0, np.float32), old, new)
        inner = found[found.size // 4 : 3 * found.size // 4]
        np.testing.assert_allclose(inner, 3.0, rtol=3e-3)


@pytest.mark.parametrize(("old", "new"), [(500, 250), (250, 500), (1000, 333.333), (300, 300)])
def test_a_missing_sample_spoils_only_what_the_filter_reaches(old, new):
    x = waves(old)
    whole = to(x, old, new)
    x[x.size // 2] = np.nan
    found = to(x, old, new)
    gone = np.flatnonzero(np.isnan(found)) / new
    middle = (x.size // 2) / old
    assert gone.size
    # Ten zero crossings of the lower rate on each side; and taps of 0 that make their number a multiple of four.
    assert np.abs(gone - middle).max() <= 11 / min(old, new) + 4 / old
    kept = np.isfinite(found)
    np.testing.assert_allclose(found[kept], whole[kept], atol=1e-6)


def test_runs_of_several_rates_and_lengths_come_to_one_rate_in_order():
    rates, n = [250, 500, 250, 1000, 333.333], [800, 1000, 0, 50, 700]
    x = [waves(fs, size / fs, at=(0.4,)) for fs, size in zip(rates, n, strict=True)]
    lengths = np.array(n)
    found, counts = resampled(
        np.concatenate(x), np.cumsum(lengths) - lengths, lengths, np.array(rates, float), np.full(5, 250.0)
    )
    assert counts.tolist() == [800, 500, 0, 13, 526]
    ends = np.cumsum(counts)
    for own, fs, a, b in zip(x, rates, ends - counts, ends, strict=True):
        if own.size:
            np.testing.assert_array_equal(found[a:b], to(own, fs, 250))


def test_no_runs_give_nothing():
    none = np.zeros(0, np.int64)
    found, counts = resampled(np.empty(0, np.float32), none, none, np.empty(0), np.empty(0))
    assert (found.size, counts.size) == (0, 0)
