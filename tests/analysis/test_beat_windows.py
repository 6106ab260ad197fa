"""The signal around each beat, and what its features are of beats that were made."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.analysis.beat_classes.features import FEATURES, before_qrs, features, windows

FS = 360.0
RR_S = 0.8


def lead(n: int = 20, fs: float = FS, heights=None) -> tuple[np.ndarray, np.ndarray]:
    """Return P, QRS and T every 0.8 s, and the samples of the QRS."""
    at = 1.0 + RR_S * np.arange(n)
    t = np.arange(round((at[-1] + 1.0) * fs)) / fs
    x = np.zeros(t.size)
    for own, scale in zip(at, np.ones(n) if heights is None else heights, strict=True):
        for height, shift, width in ((0.15, -0.16, 0.02), (scale, 0.0, 0.012), (0.3, 0.28, 0.04)):
            x += height * np.exp(-0.5 * ((t - own - shift) / width) ** 2)
    return x[None], np.rint(at * fs).astype(np.int64)


def column(found: np.ndarray, name: str) -> np.ndarray:
    return found[:, FEATURES.index(name)]


@pytest.mark.parametrize("fs", [128.0, 250.0, 360.0, 1000.0])
def test_windows_are_at_250_hz_around_each_beat_whatever_the_rate(fs):
    x, at = lead(fs=fs)
    own = windows(x, fs, at)
    assert own.shape == (1, 20, 170)
    # 0.24 s lie before the beat: the QRS is at sample 60, the top of T 0.28 s later.
    assert np.nanargmax(own[0], axis=1) == pytest.approx(60, abs=1)
    assert 60 + 40 + np.argmax(own[0, 1:-1, 100:], axis=1) == pytest.approx(130, abs=3)
    assert before_qrs(own).shape == (1, 20, 48)


def test_a_window_outside_the_record_is_not_there():
    x, at = lead()
    own = windows(x[:, at[0] - 20 : at[-1] + 30], FS, at - at[0] + 20)
    assert np.isnan(own[0, 0, :40]).all()
    assert np.isnan(own[0, -1, 90:]).all()
    assert np.isfinite(own[0, 1:-1]).all()


def test_missing_samples_are_missing_in_the_windows_that_hold_them():
    x, at = lead()
    x[0, at[5] + 36 : at[5] + 72] = np.nan
    own = windows(x, FS, at)
    assert np.isfinite(own[0, [4, 6]]).all()
    gone = np.flatnonzero(np.isnan(own[0, 5]))
    assert gone[0] == pytest.approx(60 + 25, abs=1)
    assert gone[-1] == pytest.approx(60 + 50, abs=1)


@pytest.mark.parametrize("offset", [0.0, 5.0, -300.0])
def test_the_offset_of_an_electrode_does_not_ring_at_the_edges_of_a_gap(offset):
    x, at = lead()
    gap = slice(at[8] + 170, at[11] - 120)
    x[0, gap] = np.nan
    own, usual = windows(x + offset, FS, at), windows(lead()[0], FS, at)
    whole = np.isfinite(own[0]).all(axis=1)
    assert whole.sum() == 18
    assert np.abs(own[0, whole] - usual[0, whole]).max() < 0.05


def test_a_lead_without_samples_has_no_windows_and_the_other_has_its_own():
    x, at = lead()
    own = windows(np.concatenate([np.full_like(x, np.nan), x]), FS, at)
    assert np.isnan(own[0]).all()
    np.testing.assert_array_equal(own[1], windows(x, FS, at)[0])


def test_drift_and_offset_are_not_part_of_a_window():
    x, at = lead()
    drift = 3 + 0.5 * np.sin(2 * np.pi * 0.1 * np.arange(x.shape[1]) / FS)
    inner = slice(2, -2)
    assert np.abs(windows(x + drift, FS, at)[0, inner] - windows(x, FS, at)[0, inner]).max() < 0.06


def test_equal_beats_are_alike_and_none_is_early():
    x, at = lead()
    found = features(windows(x, FS, at), FS, at)[2:-2]
    assert found.shape == (16, len(FEATURES))
    np.testing.assert_allclose(column(found, "rr_s"), RR_S, atol=0.003)
    for name in ("rr_to_near", "next_rr_to_near", "rr_to_record", "rr_to_next", "two_rr_to_near", "near_to_record"):
        np.testing.assert_allclose(column(found, name), 1, atol=0.01, err_msg=name)
    for name in ("qrs_likeness_mean", "p_likeness_mean", "t_likeness_mean", "alike_likeness"):
        np.testing.assert_allclose(column(found, name), 1, atol=0.01, err_msg=name)
    np.testing.assert_allclose(column(found, "qrs_width_mean"), 1, atol=0.02)
    np.testing.assert_allclose(column(found, "qrs_height_mean"), 0, atol=0.02)
    np.testing.assert_allclose(column(found, "share_of_early"), 0)


def test_a_beat_of_twice_the_height_stands_out_by_the_logarithm_of_two():
    heights = np.ones(20)
    heights[9] = 2.0
    x, at = lead(heights=heights)
    found = column(features(windows(x, FS, at), FS, at), "qrs_height_mean")
    assert found[9] == pytest.approx(np.log(2), abs=0.08)
    assert np.abs(np.delete(found, 9)).max() < 0.05


def test_a_beat_upside_down_has_the_opposite_likeness_and_polarity():
    heights = np.ones(20)
    heights[9] = -1.0
    x, at = lead(heights=heights)
    found = features(windows(x, FS, at), FS, at)
    assert column(found, "qrs_likeness_worst")[9] < -0.8
    assert column(found, "polarity_mean")[9] < -0.5
    assert column(found, "polarity_mean")[8] > 0.5


def test_an_early_beat_has_its_share_of_the_usual_interval_before_and_after():
    x, at = lead()
    at = at.copy()
    at[9] -= round(0.24 * FS)
    found = features(windows(x, FS, at), FS, at)
    assert column(found, "rr_to_near")[9] == pytest.approx(0.56 / 0.8, abs=0.01)
    assert column(found, "next_rr_to_near")[9] == pytest.approx(1.04 / 0.8, abs=0.01)
    assert column(found, "rr_to_next")[9] == pytest.approx(0.56 / 1.04, abs=0.01)
    assert column(found, "two_rr_to_near")[9] == pytest.approx(1.0, abs=0.01)
    # One of the 19 intervals within ten beats on either side is below 0.9 of the median, and two are odd.
    assert column(found, "share_of_early")[9] == pytest.approx(1 / 19)
    assert column(found, "share_of_odd_rr")[9] == pytest.approx(2 / 19)


def test_gain_and_a_second_equal_lead_change_nothing():
    x, at = lead()
    one = features(windows(x, FS, at), FS, at)
    np.testing.assert_allclose(features(windows(5 * x, FS, at), FS, at), one, atol=1e-4)
    np.testing.assert_allclose(features(windows(np.concatenate([x, x]), FS, at), FS, at), one, atol=1e-6)


def test_the_first_beat_has_no_interval_and_the_last_none_after_it():
    x, at = lead()
    found = features(windows(x, FS, at), FS, at)
    assert np.isnan(column(found, "rr_s")[0])
    assert np.isnan(column(found, "next_rr_s")[-1])
    assert np.isfinite(column(found, "rr_s")[1:]).all()
