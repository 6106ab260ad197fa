"""Powers of series of sines, A²/2 each, in their bands and in no other, with and without gaps."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from cardioflow.analysis.hrv import HrvSettings, calc_hrv
from cardioflow.analysis.hrv.frequency import power_spectrum
from cardioflow.analysis.hrv.normal import normal_intervals

METHODS = ("welch", "lomb")


def sines(n: int, *parts: tuple[float, float], mean: float = 800.0) -> np.ndarray:
    """Return intervals with the sum of sines of (Hz, amplitude in ms), each at the time of its beat."""
    t = np.cumsum(np.full(n, mean / 1000))
    return mean + sum(a * np.sin(2 * np.pi * f * t) for f, a in parts)


@pytest.mark.parametrize("spectrum", METHODS)
def test_three_sines_have_their_power_in_three_bands(spectrum):
    found = calc_hrv(sines(1500, (0.02, 20), (0.1, 30), (0.3, 16)), spectrum=spectrum)
    # The spline between beats 0.8 s apart takes some of a period of 3.3 s.
    assert found["vlf"] == pytest.approx(200, rel=0.05)
    assert found["lf"] == pytest.approx(450, rel=0.05)
    assert found["hf"] == pytest.approx(128, rel=0.10)
    assert found["total_power"] == pytest.approx(found["vlf"] + found["lf"] + found["hf"], rel=0.01)
    assert found["lf_hf"] == pytest.approx(found["lf"] / found["hf"])
    assert found["lf_nu"] == pytest.approx(100 * found["lf"] / (found["lf"] + found["hf"]))
    assert found["lf_nu"] + found["hf_nu"] == pytest.approx(100)
    assert found["peak_lf_hz"] == pytest.approx(0.1, abs=0.002)
    assert found["peak_hf_hz"] == pytest.approx(0.3, abs=0.002)


@pytest.mark.parametrize("spectrum", METHODS)
@pytest.mark.parametrize("gap_s", [10.0, 600.0])
def test_a_gap_neither_adds_nor_takes_power(spectrum, gap_s):
    ms = sines(1800, (0.1, 30), (0.25, 20))
    ends = np.cumsum(ms) / 1000
    ends[900:] += gap_s
    found, whole = calc_hrv(ms, ends, spectrum=spectrum), calc_hrv(ms, spectrum=spectrum)
    for name in ("lf", "hf", "total_power"):
        assert found[name] == pytest.approx(whole[name], rel=0.01), name
    assert found["vlf"] < 2
    assert found.warnings[-1].startswith("Gaps of more than 5 s leave 2 stretches")


def test_the_longer_stretch_decides_where_the_other_is_shorter_than_the_window():
    ms = np.concatenate([sines(600, (0.1, 30)), sines(100, (0.1, 90))])
    ends = np.cumsum(ms) / 1000
    ends[600:] += 100
    assert calc_hrv(ms, ends)["lf"] == pytest.approx(450, rel=0.02)


def test_stretches_count_by_their_windows():
    # One stretch has one window of 100 s, the other three that overlap by half.
    ms = np.concatenate([sines(126, (0.1, 20)), sines(251, (0.1, 40))])
    ends = np.cumsum(ms) / 1000
    ends[126:] += 30
    found = calc_hrv(ms, ends, window_s=100.0)
    assert found["lf"] == pytest.approx((1 * 200 + 3 * 800) / 4, rel=0.02)


def test_scattered_intervals_have_no_spectrum_by_windows():
    ms = sines(400, (0.1, 30))
    ends = np.cumsum(ms) / 1000
    ends += 20 * (np.arange(400) // 40)
    found = calc_hrv(ms, ends)
    assert np.isnan(found["hf"])
    assert found.reasons["hf"] == "31 s is shorter than 60 s"
    # Lomb's method uses all 320 s; the gaps spread some of the peak to other bands.
    lomb = calc_hrv(ms, ends, spectrum="lomb")
    assert lomb["total_power"] == pytest.approx(450, rel=0.02)
    assert lomb["lf"] == pytest.approx(450, rel=0.1)


def test_left_out_beats_cost_little_power():
    ms = sines(900, (0.1, 30), (0.25, 20))
    normal = np.ones(900, bool)
    normal[np.arange(40, 880, 60)] = False
    whole = calc_hrv(ms)
    for spectrum in METHODS:
        found = calc_hrv(ms, normal=normal, spectrum=spectrum)
        assert found.n_left_out == 14
        assert found["lf"] == pytest.approx(whole["lf"], rel=0.03), spectrum
        assert found["hf"] == pytest.approx(whole["hf"], rel=0.06), spectrum


@pytest.mark.parametrize("spectrum", METHODS)
def test_power_grows_with_the_square_of_the_amplitude(spectrum):
    one, three = (calc_hrv(sines(600, (0.1, a)), spectrum=spectrum)["lf"] for a in (10, 30))
    assert three == pytest.approx(9 * one, rel=1e-3)


def test_the_bands_are_where_they_are_set():
    ms = sines(600, (0.13, 30))
    assert calc_hrv(ms)["lf"] == pytest.approx(450, rel=0.03)
    moved = calc_hrv(ms, lf_hz=0.12)
    assert moved["hf"] == pytest.approx(450, rel=0.03)
    assert moved["lf"] < 5


def test_a_steady_rise_has_no_power_where_its_trend_is_taken_out():
    rising = 700 + 0.2 * np.arange(600)
    assert calc_hrv(rising)["total_power"] < 1
    assert calc_hrv(rising, preset="kubios")["total_power"] < 1
    assert calc_hrv(rising, spectrum="lomb")["total_power"] < 1
    assert calc_hrv(rising, detrend="constant")["vlf"] > 100


def test_smoothness_priors_pass_lf_and_stop_what_is_slower_than_their_corner():
    # λ of 500 at 4 Hz has its corner at 0.035 Hz, as Tarvainen 2002 says.
    found = calc_hrv(sines(1500, (0.01, 30), (0.1, 30)), preset="kubios")
    assert found["lf"] == pytest.approx(450, rel=0.03)
    assert found["vlf"] < 10
    assert any("Smoothness priors need even samples" in w for w in calc_hrv(
        sines(600, (0.1, 30)), preset="kubios", spectrum="lomb").warnings)  # fmt: skip


@pytest.mark.parametrize("seconds", [59, 61, 119, 121, 299, 301])
def test_each_band_needs_ten_of_its_longest_periods(seconds):
    found = calc_hrv(sines(round(seconds / 0.8) + 1, (0.1, 30), (0.3, 20)))
    known = {name: np.isfinite(found[name]) for name in ("hf", "lf", "vlf", "total_power", "lf_hf", "hf_nu")}
    assert known["hf"] == (seconds > 60)
    assert known["lf"] == known["lf_hf"] == known["hf_nu"] == (seconds > 120)
    assert known["vlf"] == known["total_power"] == (seconds > 300)
    assert all(name in found.reasons for name, value in found.values.items() if np.isnan(value))


@pytest.mark.parametrize("settings", [{"window_s": 4000.0}, {"spectrum": "lomb"}])
def test_in_a_day_what_is_slower_than_three_thousandths_of_a_hertz_is_ulf(settings):
    found = calc_hrv(sines(90_000, (0.001, 30), (0.01, 20)), **settings)
    assert found["ulf"] == pytest.approx(450, rel=0.02)
    assert found["vlf"] == pytest.approx(200, rel=0.02)
    assert found["total_power"] == pytest.approx(650, rel=0.02)


def test_windows_of_five_minutes_do_not_tell_ulf_and_say_what_would():
    found = calc_hrv(sines(90_000, (0.001, 30), (0.1, 20)))
    assert np.isnan(found["ulf"])
    assert np.isnan(found["total_power"])
    assert (
        found.reasons["ulf"]
        == found.reasons["total_power"]
        == ("window_s=300 is too short for ULF; pass window_s=3333 or more, or spectrum='lomb'")
    )
    assert found["lf"] == pytest.approx(200, rel=0.02)


def test_an_hour_has_no_ulf_and_what_is_slow_counts_to_vlf():
    found = calc_hrv(sines(4500, (0.002, 30)), window_s=3000.0)
    assert found.reasons["ulf"] == "ULF needs a recording of a day"
    assert found["vlf"] == pytest.approx(450, rel=0.05)


def test_a_spectrum_integrates_to_the_variance():
    ms = 800 + np.random.default_rng(3).normal(0, 25, 800)
    found = normal_intervals(ms, np.cumsum(ms) / 1000, None, HrvSettings())
    frequency, density = power_spectrum(found, HrvSettings(window_s=1e4, detrend="constant"))
    even = scipy.interpolate.CubicSpline(found.end_s, ms)(np.arange(found.end_s[0], found.end_s[-1], 0.25))
    assert np.trapezoid(density, frequency) == pytest.approx(even.var(), rel=0.1)


def test_a_flat_series_has_no_power_and_no_ratio():
    found = calc_hrv(np.full(600, 800.0))
    assert found["lf"] == found["hf"] == found["total_power"] == 0
    assert np.isnan(found["lf_hf"])
    assert np.isnan(found["lf_nu"])
    assert found.reasons["lf_hf"] == "the band has no power"


@pytest.mark.parametrize("spectrum", METHODS)
def test_the_hour_at_which_a_recording_begins_does_not_matter(spectrum):
    ms = sines(700, (0.1, 30), (0.25, 10))
    ends = np.cumsum(ms) / 1000
    one, two = calc_hrv(ms, ends, spectrum=spectrum), calc_hrv(ms, ends + 50_000, spectrum=spectrum)
    for name in ("vlf", "lf", "hf", "total_power", "sdnn", "sample_entropy"):
        assert two[name] == pytest.approx(one[name], rel=1e-5, abs=1e-5), name


@pytest.mark.parametrize("spectrum", METHODS)
@pytest.mark.parametrize("detrend", ["constant", "linear", "smoothness_priors"])
def test_whatever_comes_each_value_is_there_or_has_a_reason(spectrum, detrend):
    rng = np.random.default_rng(7)
    for n in (0, 1, 2, 9, 10, 75, 160, 380, 600):
        ms = np.maximum(rng.normal(800, rng.choice([0, 1, 50, 400]), n), 20)
        ends = np.cumsum(ms) / 1000
        for _ in range(n // 80):
            ends[rng.integers(0, n) :] += rng.exponential(30)
        found = calc_hrv(ms, ends, normal=rng.random(n) < 0.9, spectrum=spectrum, detrend=detrend)
        for name, value in found.values.items():
            assert np.isnan(value) == (name in found.reasons), (name, value, n)
            assert np.isnan(value) or name.startswith(("dfa", "sample")) or 0 <= value < np.inf, (name, value)
