"""Poincaré plot, sample entropy and fluctuations, by hand and by their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cardioflow.analysis.hrv import calc_hrv


def entropy_by_definition(x: np.ndarray, m: int, r: float) -> float:
    """Richman and Moorman 2000, in words: windows of m and of m + 1 values, no pair of a window with itself."""
    starts = range(len(x) - m)

    def alike(length: int) -> int:
        return sum(
            max(abs(x[i : i + length] - x[j : j + length])) <= r for i in starts for j in starts if i != j
        )  # fmt: skip

    return -math.log(alike(m + 1) / alike(m))


@pytest.mark.parametrize(("m", "r"), [(1, 0.2), (2, 0.2), (2, 0.35), (3, 0.5)])
def test_sample_entropy_is_that_of_its_definition(m, r):
    x = 800 + np.random.default_rng(0).normal(0, 20, 120)
    found = calc_hrv(x, entropy_m=m, entropy_r=r)["sample_entropy"]
    assert found == pytest.approx(entropy_by_definition(x, m, r * x.std(ddof=1)), rel=1e-12)


def test_a_series_that_repeats_has_almost_no_entropy():
    assert calc_hrv(np.tile([780.0, 800.0, 820.0, 800.0], 50))["sample_entropy"] == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize(("n", "known"), [(99, False), (100, True)])
def test_entropy_needs_a_hundred_intervals(n, known):
    found = calc_hrv(800 + np.random.default_rng(1).normal(0, 20, n))
    assert np.isfinite(found["sample_entropy"]) == known
    if not known:
        assert found.reasons["sample_entropy"] == "99 intervals are not between 100 and 20000"


def test_a_day_of_intervals_has_no_entropy_and_says_why():
    found = calc_hrv(800 + np.random.default_rng(1).normal(0, 20, 20_001))
    assert np.isnan(found["sample_entropy"])
    assert found.reasons["sample_entropy"] == "20001 intervals are not between 100 and 20000"


def test_the_poincare_plot_of_alternation_lies_across_the_diagonal():
    found = calc_hrv(np.tile([800.0, 900.0], 500))
    # Each point is 50 ms from its mean, at right angles to the diagonal: SD1 is 100 / √2.
    assert found["sd1"] == pytest.approx(100 / np.sqrt(2), rel=1e-3)
    assert found["sd2"] == pytest.approx(0, abs=4)


def test_the_poincare_plot_of_a_slow_wave_lies_along_the_diagonal():
    ms = 800 + 50 * np.sin(2 * np.pi * np.arange(1000) / 200)
    found = calc_hrv(ms)
    step = np.diff(ms).std(ddof=1)
    assert found["sd1"] == pytest.approx(step / np.sqrt(2))
    assert found["sd2"] == pytest.approx(np.sqrt(2) * ms.std(ddof=1), rel=1e-3)
    assert found["sd1_sd2"] < 0.03


def test_the_axes_are_the_spreads_of_sums_and_differences_of_neighbours():
    ms = 800 + np.random.default_rng(4).normal(0, 25, 2000)
    a, b = ms[:-1], ms[1:]
    found = calc_hrv(ms)
    assert found["sd1"] == pytest.approx(((b - a) / np.sqrt(2)).std(ddof=1))
    assert found["sd2"] == pytest.approx(((b + a) / np.sqrt(2)).std(ddof=1), rel=2e-3)
    assert found["ellipse_area"] == pytest.approx(np.pi * found["sd1"] * found["sd2"])


def slope_by_definition(x: np.ndarray, sizes: range) -> float:
    """Peng et al. 1995, with a line fitted by NumPy to each window."""
    profile = np.cumsum(x - x.mean())
    found = []
    for n in sizes:
        rest = []
        for k in range(profile.size // n):
            part = profile[k * n : (k + 1) * n]
            rest.append(part - np.polyval(np.polyfit(np.arange(n), part, 1), np.arange(n)))
        found.append(np.sqrt(np.mean(np.square(rest))))
    return float(np.polyfit(np.log(list(sizes)), np.log(found), 1)[0])


def test_fluctuations_are_those_of_their_definition():
    x = 800 + np.cumsum(np.random.default_rng(5).normal(0, 1, 300)) + np.random.default_rng(6).normal(0, 5, 300)
    found = calc_hrv(x)
    assert found["dfa_alpha1"] == pytest.approx(slope_by_definition(x, range(4, 17)), rel=1e-6)
    assert found["dfa_alpha2"] == pytest.approx(slope_by_definition(x, range(16, 65)), rel=1e-6)


@pytest.mark.parametrize(("n", "first", "second"), [(63, False, False), (64, True, False), (256, True, True)])
def test_fluctuations_need_four_of_the_longest_windows(n, first, second):
    found = calc_hrv(800 + np.random.default_rng(1).normal(0, 20, n))
    assert np.isfinite(found["dfa_alpha1"]) == first
    assert np.isfinite(found["dfa_alpha2"]) == second
    assert ("dfa_alpha2" in found.reasons) != second
    if n == 63:
        assert found.reasons["dfa_alpha1"] == "63 intervals are fewer than 64"
