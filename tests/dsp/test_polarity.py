"""Which way up a lead was recorded: by the skewness of most windows between 5 and 50 Hz."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.dsp.polarity import polarity


def lead(fs: float, up=(True,) * 20, seconds: float = 1.0) -> np.ndarray:
    """Return a QRS per second, upright or not."""
    t = np.arange(round(len(up) * seconds * fs)) / fs
    x = np.zeros(t.size)
    for k, own in enumerate(up):
        x += (1 if own else -1) * np.exp(-0.5 * ((t - (k + 0.5) * seconds) / 0.012) ** 2)
    return (x + 0.005 * np.random.default_rng(0).normal(size=t.size)).astype(np.float32)


@pytest.mark.parametrize("fs", [128.0, 250.0, 500.0, 1000.0])
@pytest.mark.parametrize("window_s", [None, 2.0, 5.0])
def test_upright_beats_are_upright_and_reversed_ones_are_not(fs, window_s):
    size = None if window_s is None else round(window_s * fs)
    x = lead(fs)
    assert polarity(x, fs, size, 0.0) == 1
    assert polarity(-x, fs, size, 0.0) == -1


def test_gain_offset_and_drift_do_not_matter():
    x = lead(250.0)
    for own in (1e-3 * x, 50 * x, x + 30, x + np.float32(5) * np.sin(np.arange(x.size) / 400).astype(np.float32)):
        assert polarity(own, 250.0, 500, 0.0) == 1
        assert polarity(-own, 250.0, 500, 0.0) == -1


@pytest.mark.parametrize(("n_down", "expected"), [(0, 1), (4, 1), (6, -1), (10, -1)])
def test_most_windows_decide(n_down, expected):
    up = [True] * (10 - n_down) + [False] * n_down
    assert polarity(lead(250.0, up), 250.0, 250, 0.0) == expected


def test_half_of_the_windows_are_not_most():
    assert polarity(lead(250.0, [True, False] * 5), 250.0, 250, 0.0) == 1


def test_a_threshold_below_zero_asks_for_more_before_a_lead_is_turned():
    x = -lead(250.0)
    assert polarity(x, 250.0, 500, 0.0) == -1
    assert polarity(x, 250.0, 500, -100.0) == 1


@pytest.mark.parametrize(
    "x",
    [np.zeros(1000), np.full(1000, 3.0), np.empty(0), np.ones(1), np.full(1000, np.nan)],
    ids=["zeros", "a level", "nothing", "one sample", "missing"],
)
def test_a_lead_that_shows_nothing_is_left_as_it_is(x):
    assert polarity(x.astype(np.float32), 250.0, 250, 0.0) == 1


def test_a_lead_with_a_flat_half_is_judged_by_the_other():
    x = -lead(250.0)
    x[: x.size // 2] = 0
    assert polarity(x, 250.0, 250, 0.0) == -1


def test_a_window_longer_than_the_lead_is_the_lead():
    x = lead(250.0)
    assert polarity(-x, 250.0, 10**6, 0.0) == polarity(-x, 250.0, None, 0.0) == -1
