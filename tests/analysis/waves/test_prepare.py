"""The network sees 250 Hz, no baseline wander, and every amplitude alike."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from cardioflow.analysis.waves.prepare import FS, local_range, prepare


@pytest.fixture
def ecg():
    t = np.arange(0, 12, 1 / 500)
    beats = np.exp(-0.5 * (((t % 0.8) - 0.4) / 0.012) ** 2)
    return np.stack([beats, -0.5 * beats]).astype(np.float32)


def test_the_filter_and_the_rate_are_those_of_scipy(ecg):
    made = prepare(ecg, 500.0)
    centred = ecg - np.median(ecg, axis=1, keepdims=True)
    sos = scipy.signal.butter(2, 0.5, "highpass", fs=FS, output="sos")
    expected = scipy.signal.sosfiltfilt(sos, scipy.signal.resample_poly(centred.astype(float), 1, 2, axis=1))
    np.testing.assert_allclose(made.millivolts, expected, atol=2e-5)
    assert made.x.shape == (2, 3000)


def test_a_constant_and_a_slow_drift_do_not_change_what_the_network_sees(ecg):
    t = np.arange(ecg.shape[1]) / 500
    plain, moved = prepare(ecg, 500.0).x, prepare(ecg + 3 + 0.5 * np.sin(2 * np.pi * 0.05 * t), 500.0).x
    np.testing.assert_allclose(moved[:, 500:-500], plain[:, 500:-500], atol=0.02)


@pytest.mark.parametrize("gain", [0.1, 1.0, 30.0])
def test_the_range_of_a_beat_is_one_at_any_gain(ecg, gain):
    x = prepare(gain * ecg, 500.0).x
    assert np.ptp(x[0, 500:2500]) == pytest.approx(1.0, abs=0.02)


def test_noise_below_20_microvolts_is_not_raised_to_the_height_of_a_qrs():
    noise = 0.002 * np.random.default_rng(0).standard_normal((1, 5000))
    assert np.ptp(prepare(noise, 500.0).x) < 0.9


def test_a_single_artefact_does_not_shrink_the_beats_beside_it(ecg):
    hit = ecg.copy()
    hit[0, 3000:3010] += 40
    x = prepare(hit, 500.0).millivolts[0]
    assert local_range(x)[2500] < 2.0


def test_a_gap_is_a_straight_line_and_is_known_to_be_one(ecg):
    ecg[0, 2000:2600] = np.nan
    made = prepare(ecg, 500.0)
    assert np.isfinite(made.x).all()
    assert made.missing[0, 1001:1299].all()
    assert not made.missing[0, :999].any()
    assert not made.missing[1].any()
    raw = made.millivolts[0, 1010:1290]
    assert np.abs(np.diff(raw, 2)).max() < 1e-3
