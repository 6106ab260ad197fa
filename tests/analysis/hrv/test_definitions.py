"""Heart rate variability against SciPy, hand values and series whose missing parts are known."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from cardioflow.analysis.hrv import HrvSettings, calc_hrv
from cardioflow.analysis.hrv.frequency import power_spectrum
from cardioflow.analysis.hrv.lomb import lomb_periodogram
from cardioflow.analysis.hrv.normal import normal_intervals


def series(n: int = 800, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    slow = 20 * np.sin(2 * np.pi * 0.05 * np.arange(n) * 0.8) + 12 * np.sin(2 * np.pi * 0.25 * np.arange(n) * 0.8)
    return 800 + slow + random.normal(0, 8, n)


@pytest.mark.parametrize(
    ("rr", "expected"),
    [
        # Differences: +50 exactly is not more than 50.
        ([800, 850, 800], {"nn50": 0, "pnn50": 0.0, "rmssd": 50.0, "sdsd": np.sqrt(5000), "mean_nn": 2450 / 3}),
        ([800, 851, 800], {"nn50": 2, "pnn50": 200 / 3, "rmssd": 51.0, "mean_hr": 60000 / (2451 / 3)}),
        ([1000, 1000, 1000, 1000], {"sdnn": 0.0, "rmssd": 0.0, "nn50": 0, "mean_hr": 60.0}),
        ([600, 620, 640, 660], {"rmssd": 20.0, "sdsd": 0.0, "sdnn": np.sqrt(2000 / 3), "mean_nn": 630.0}),
    ],
    ids=["50 ms", "51 ms", "equal", "rising"],
)
def test_short_series_by_hand(rr, expected):
    found = calc_hrv(rr)
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_ten_minutes_are_two_segments():
    found = calc_hrv(np.full(750, 800.0))
    assert found["sdann"] == pytest.approx(0, abs=1e-9)
    assert found["sdnn_index"] == 0


@pytest.mark.parametrize("spectrum", ["welch", "lomb"])
def test_missing_intervals_hardly_change_the_spectrum(spectrum):
    rr = series(2000)
    ends = np.cumsum(rr) / 1000
    kept = np.random.default_rng(1).random(rr.size) > 0.05
    found, expected = calc_hrv(rr[kept], ends[kept], spectrum=spectrum), calc_hrv(rr, spectrum=spectrum)
    assert found["lf"] == pytest.approx(expected["lf"], rel=0.12)
    assert found["sdnn"] == pytest.approx(expected["sdnn"], rel=0.03)
    # No difference spans what is missing.
    both = kept[1:] & kept[:-1]
    assert found["rmssd"] == pytest.approx(np.sqrt(np.mean(np.diff(rr)[both] ** 2)))


def test_beats_that_are_not_normal_are_left_out_and_counted():
    rr = series(200)
    normal = np.ones(200, bool)
    normal[[10, 11, 90]] = False
    found = calc_hrv(rr, normal=normal)
    assert (found.n_intervals, found.n_left_out) == (200, 3)
    assert found["mean_nn"] == pytest.approx(rr[normal].mean())
    assert found["sdnn"] == pytest.approx(rr[normal].std(ddof=1))
    assert any("5 minutes" in text for text in found.warnings)
    assert not any("left out" in text for text in found.warnings), "3 of 200 are 1.5 %"
    normal[:20] = False
    assert any(
        text == "21 of 200 intervals were left out, more than 5 %." for text in calc_hrv(rr, normal=normal).warnings
    )


def test_welch_of_an_even_series_is_scipys():
    n = 1200
    ms = 1000 + 25 * np.sin(2 * np.pi * 0.1 * np.arange(n)) + np.random.default_rng(2).normal(0, 3, n)
    settings = HrvSettings(interpolation_hz=1.0, detrend="constant", hf_hz=0.4)
    found = normal_intervals(ms, np.arange(n, dtype=float), None, settings)
    frequency, density = power_spectrum(found, settings)
    # At 1 Hz the spline's points are the intervals themselves.
    expected = scipy.signal.welch(ms[:-1], 1.0, "hann", 300, 150, nfft=1200, detrend="constant")
    np.testing.assert_allclose(frequency, expected[0])
    np.testing.assert_allclose(density, expected[1], rtol=1e-6, atol=1e-9)


def test_lomb_has_a_unit_of_its_own_that_integrates_to_the_variance():
    t, ms = 0.0, []
    for _ in range(1500):
        ms.append(800 + 30 * np.sin(2 * np.pi * 0.2 * t))
        t += ms[-1] / 1000
    times = np.cumsum(ms) / 1000
    settings = HrvSettings(spectrum="lomb")
    frequency, density = power_spectrum(normal_intervals(np.array(ms), times, None, settings), settings)
    assert np.trapezoid(density, frequency) == pytest.approx(450, rel=0.02)
    assert frequency[density.argmax()] == pytest.approx(0.2, abs=0.001)
    centred = np.array(ms) - np.mean(ms)
    exact = scipy.signal.lombscargle(times, centred, 2 * np.pi * frequency[:50])
    np.testing.assert_allclose(lomb_periodogram(times, centred, frequency[0] * np.arange(1, 51)), exact)


@pytest.mark.parametrize("detrend", ["linear", "smoothness_priors"])
def test_a_slow_drift_is_not_counted_as_power(detrend):
    rr = series(400)
    drift = np.linspace(-60, 60, 400)
    found, expected = calc_hrv(rr + drift, detrend=detrend), calc_hrv(rr, detrend=detrend)
    for name in ("lf", "hf"):
        assert found[name] == pytest.approx(expected[name], rel=0.08), name
    assert calc_hrv(rr + drift, detrend="constant")["vlf"] > 3 * expected["vlf"]


def test_normalised_powers_add_up_and_their_ratio_is_that_of_the_powers():
    found = calc_hrv(series())
    assert found["lf_nu"] + found["hf_nu"] == pytest.approx(100)
    assert found["lf_hf"] == pytest.approx(found["lf"] / found["hf"])
    assert found["lf_nu"] == pytest.approx(100 * found["lf"] / (found["lf"] + found["hf"]))
    assert 0.04 <= found["peak_lf_hz"] <= 0.15 < found["peak_hf_hz"] <= 0.4


def test_lomb_says_that_it_cannot_use_smoothness_priors():
    found = calc_hrv(series(), preset="kubios", spectrum="lomb")
    assert any(text.startswith("Smoothness priors need even samples") for text in found.warnings)
    assert not any("Smoothness" in text for text in calc_hrv(series(), preset="kubios").warnings)
