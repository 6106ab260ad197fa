"""Edges at one half, notches of the width asked for, any sections, and no digits lost to an offset."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from cardioflow.dsp.iir import butterworth, design, filtfilt, notch


def one(x: np.ndarray, chosen) -> np.ndarray:
    return filtfilt(x.astype(np.float32), np.zeros(1, np.int64), np.array([x.size]), [chosen], np.zeros(1, np.intp))


def sine(hz: float, fs: float, seconds: float = 20.0) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(round(seconds * fs)) / fs)


def rms(x: np.ndarray) -> float:
    inner = x[x.size // 4 : -x.size // 4]
    return float(np.sqrt(np.mean(inner.astype(np.float64) ** 2)))


@pytest.mark.parametrize("fs", [128.0, 250.0, 360.0, 1000.0])
@pytest.mark.parametrize(("low", "high"), [(None, 30.0), (5.0, None), (5.0, 30.0)])
def test_the_edge_is_passed_at_one_half_and_the_middle_whole(fs, low, high):
    chosen = butterworth(3, low, high, fs)
    for edge in (low, high):
        if edge is not None:
            # -3 dB forward and -3 dB backward.
            assert rms(one(sine(edge, fs), chosen)) / rms(sine(edge, fs)) == pytest.approx(0.5, abs=0.01)
    assert rms(one(sine(14.0, fs), chosen)) / rms(sine(14.0, fs)) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("quality", [10.0, 30.0])
@pytest.mark.parametrize("mains", [50.0, 60.0])
def test_mains_and_its_harmonic_are_stopped_and_their_neighbours_passed(mains, quality):
    fs = 500.0
    chosen = notch((mains, 2 * mains), quality, fs)
    assert rms(one(sine(mains, fs), chosen)) < 0.01
    assert rms(one(sine(2 * mains, fs), chosen)) < 0.01
    assert rms(one(sine(mains * 0.7, fs), chosen)) == pytest.approx(np.sqrt(0.5), rel=0.03)


def test_the_width_of_a_notch_is_its_frequency_over_its_quality():
    chosen = notch((50.0,), 10.0, 500.0)
    # 50 / 10 = 5 Hz wide at -3 dB: at 47.5 and 52.6 Hz one half is left after both passes.
    for hz in (47.56, 52.56):
        assert rms(one(sine(hz, 500.0), chosen)) / rms(sine(hz, 500.0)) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("offset", [300.0, -1e4])
def test_a_large_offset_costs_no_digits_of_what_passes(offset):
    x = np.float64(np.float32(0.5 * sine(10.0, 250.0) + offset))
    y = one(x, butterworth(2, 0.5, 40.0, 250.0))
    expected = scipy.signal.sosfiltfilt(
        scipy.signal.butter(2, [0.5, 40.0], "bandpass", fs=250, output="sos"), x, padlen=15
    )
    np.testing.assert_allclose(y, expected, atol=2e-5)


def test_any_sections_may_be_run_and_an_odd_number_of_them():
    sos = scipy.signal.cheby1(5, 1, 40, fs=250, output="sos")
    assert len(sos) % 2 == 1
    x = np.random.default_rng(1).standard_normal(800)
    y = one(x, design(sos))
    expected = scipy.signal.sosfiltfilt(sos, x.astype(np.float32).astype(float))
    np.testing.assert_allclose(y, expected, atol=1e-5)
