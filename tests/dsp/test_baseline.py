"""The baseline: two medians that no beat moves, and a spline through the PR segments."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage

from cardioflow.dsp.baseline import median_baseline, spline_baseline

FS = 250.0


def beats(n: int = 20, fs: float = FS) -> tuple[np.ndarray, np.ndarray]:
    """Return a flat lead with a QRS of 60 ms every 0.8 s, and where the beats are."""
    at = (np.arange(n) * 0.8 + 0.5) * fs
    t = np.arange(round((n * 0.8 + 0.5) * fs))
    return sum(np.exp(-0.5 * ((t - a) / (0.012 * fs)) ** 2) for a in at), np.rint(at).astype(np.int64)


@pytest.mark.parametrize("fs", [100.0, 250.0, 360.0, 1000.0])
def test_beats_leave_no_trace_in_the_medians(fs):
    x, _ = beats(fs=fs)
    assert np.abs(median_baseline(x, fs)).max() < 0.01


def test_a_level_and_a_slow_slope_are_the_baseline():
    x, _ = beats()
    drift = 3.0 + 0.2 * np.arange(x.size) / FS
    found = median_baseline(x + drift, FS)
    inner = slice(100, -100)
    np.testing.assert_allclose(found[inner], drift[inner], atol=0.02)


def test_medians_are_those_of_scipy_with_odd_windows():
    x = np.random.default_rng(0).normal(size=(2, 600)).astype(np.float32)
    expected = scipy.ndimage.median_filter(x, size=(1, 51), mode="nearest")
    expected = scipy.ndimage.median_filter(expected, size=(1, 151), mode="nearest")
    np.testing.assert_array_equal(median_baseline(x, FS), expected)


def test_leads_do_not_mix_and_the_input_stays_as_it_was():
    x = np.stack([np.zeros(500), np.full(500, 7.0)])
    x.flags.writeable = False
    found = median_baseline(x, FS)
    assert (found[0] == 0).all()
    assert (found[1] == 7).all()
    assert found.dtype == np.float32


@pytest.mark.parametrize("n", [1, 2, 10])
def test_a_signal_shorter_than_the_window_has_a_baseline_of_its_length(n):
    np.testing.assert_array_equal(median_baseline(np.full((1, n), 2.0), FS), np.full((1, n), 2.0))


@pytest.mark.parametrize(
    "drift",
    [lambda t: 0.0 * t, lambda t: 1.0 + 0.3 * t, lambda t: 0.5 * np.sin(2 * np.pi * 0.1 * t)],
    ids=["a level", "a slope", "breathing"],
)
def test_the_spline_follows_what_drifts_slowly(drift):
    x, at = beats()
    own = drift(np.arange(x.size) / FS)
    found = spline_baseline(x + own, FS, at)
    between = slice(at[1], at[-2])
    np.testing.assert_allclose(found[between], own[between], atol=0.01)


def test_the_spline_passes_through_the_mean_of_each_pr_segment():
    x = np.random.default_rng(1).normal(size=(2, 1000))
    at = np.array([100, 300, 500, 700, 900])
    found = spline_baseline(x, FS, at)
    for beat in at:
        # 0.1 to 0.06 s before the beat: ten samples from 25 before it on, centred between two samples.
        level = x[:, beat - 25 : beat - 15].mean(axis=1)
        np.testing.assert_allclose(found[:, beat - 21 : beat - 19].mean(axis=1), level, atol=0.02)


def test_before_the_first_knot_and_after_the_last_the_baseline_keeps_its_value():
    x = np.arange(1000.0)[None]
    found = spline_baseline(x, FS, np.array([200, 400, 600, 800]))[0]
    assert np.ptp(found[:175]) == 0
    assert np.ptp(found[790:]) == 0
    np.testing.assert_allclose(found[180:780], np.arange(180, 780), atol=1e-9)


def test_beats_twice_or_out_of_order_count_once():
    x, at = beats()
    shuffled = np.concatenate([at[::-1], at[:3]])
    np.testing.assert_array_equal(spline_baseline(x, FS, shuffled), spline_baseline(x, FS, at))


@pytest.mark.parametrize("places", [[], [100, 300, 500], [10, 300, 500, 700], [100, 300, 500, 1020]])
def test_fewer_than_four_segments_inside_the_signal_are_refused_with_what_to_do(places):
    with pytest.raises(ValueError, match=r"needs at least 4 annotated beats; found \d\. Use method='median'"):
        spline_baseline(np.zeros((1, 1000)), FS, np.array(places, np.int64))
