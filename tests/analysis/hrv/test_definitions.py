"""Each measure of heart rate variability against its definition, and what gaps, order, shifts and units do to it."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from cardioflow.analysis.hrv import HrvSettings, calc_hrv
from cardioflow.analysis.hrv.frequency import power_spectrum
from cardioflow.analysis.hrv.lomb import lomb_periodogram
from cardioflow.analysis.hrv.normal import normal_intervals
from cardioflow.errors import InputError

TIME = ("mean_nn", "mean_hr", "sdnn", "rmssd", "sdsd", "nn50", "pnn50")


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


def test_sdann_and_the_index_are_those_of_whole_segments_of_five_minutes():
    # Means 800, 1000 and 700 ms, with standard deviations of 10, 20 and 30 ms (two values in turn, n - 1).
    parts = []
    for mean, deviation, n in ((800, 10, 375), (1000, 20, 300), (700, 30, 429)):
        own = np.where(np.arange(n) % 2, 1.0, -1.0)
        parts.append(mean + own * deviation)
    ms = np.concatenate([*parts, np.full(100, 900.0)])  # a last part of 90 s
    found = calc_hrv(ms, most_change=1.0)
    # 429 intervals of 700 ms are 300.3 s: the last of them, of 670 ms, belongs to the part that is left out.
    assert found["sdann"] == pytest.approx(np.std([800, 1000, 700], ddof=1), rel=0.001)
    assert found["sdnn_index"] == pytest.approx(20, rel=0.003)


def test_ten_minutes_are_two_segments():
    found = calc_hrv(np.full(750, 800.0))
    assert found["sdann"] == pytest.approx(0, abs=1e-9)
    assert found["sdnn_index"] == 0


@pytest.mark.parametrize("seconds", [599, 300])
def test_without_two_whole_segments_there_is_no_sdann(seconds):
    found = calc_hrv(np.full(int(seconds / 0.8), 800.0))
    assert np.isnan(found["sdann"])
    assert found.reasons["sdann"] == found.reasons["sdnn_index"] == "needs two segments of 5 minutes"


@pytest.mark.parametrize("kind", [list, tuple, np.array, lambda rr: np.array(rr, np.float32), np.rint])
def test_any_sequence_of_numbers_is_taken(kind):
    rr = np.rint(series(100))
    found, expected = calc_hrv(kind(rr)), calc_hrv(rr)
    assert {n: found[n] for n in TIME} == pytest.approx({n: expected[n] for n in TIME}, rel=1e-6)
    whole = calc_hrv(rr.astype(np.int32))
    assert whole["rmssd"] == pytest.approx(expected["rmssd"])


def test_when_the_recording_began_changes_nothing():
    rr = series()
    ends = np.cumsum(rr) / 1000
    expected = calc_hrv(rr)
    for shift in (0.0, 5.0, 86_400.0):
        found = calc_hrv(rr, ends + shift)
        assert dict(found.values) == pytest.approx(dict(expected.values), rel=1e-6, nan_ok=True)
        assert found.duration_s == pytest.approx(expected.duration_s)


def test_the_reverse_of_a_series_has_the_same_spread_and_powers():
    rr = series()
    found, expected = calc_hrv(rr[::-1]), calc_hrv(rr)
    for name in (*TIME, "sd1", "sd2", "sample_entropy", "triangular_index"):
        assert found[name] == pytest.approx(expected[name], rel=0.02), name
    for name in ("lf", "hf"):
        assert found[name] == pytest.approx(expected[name], rel=0.1), name


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_twice_the_variation_has_twice_the_sdnn_and_four_times_the_power(factor):
    rr = series()
    scaled = 800 + factor * (rr - 800)
    found, expected = calc_hrv(scaled, spectrum="lomb"), calc_hrv(rr, spectrum="lomb")
    for name in ("sdnn", "rmssd", "sd1", "sd2"):
        assert found[name] == pytest.approx(factor * expected[name], rel=0.01), name
    for name in ("lf", "hf"):
        assert found[name] == pytest.approx(factor**2 * expected[name], rel=0.05), name
    for name in ("lf_nu", "dfa_alpha1", "sample_entropy"):
        assert found[name] == pytest.approx(expected[name], rel=0.05), name


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


@pytest.mark.parametrize(
    ("outlier", "left"),
    [(299, True), (301, True), (2001, True), (639, True), (641, False), (960, False), (961, True), (800, False)],
)
def test_an_interval_is_kept_within_20_per_cent_of_those_around_it_and_from_300_to_2000_ms(outlier, left):
    rr = np.full(50, 800.0)
    rr[20] = outlier
    assert calc_hrv(rr).n_left_out == int(left)


def test_limits_of_plausible_intervals_are_inclusive_and_can_be_set():
    rr = np.array([500.0, 500, 500, 500, 500, 500])
    assert calc_hrv(rr, shortest_ms=500.0).n_left_out == 0
    assert calc_hrv(rr, shortest_ms=500.1).n_left_out == 6
    assert calc_hrv(rr, longest_ms=499.9, shortest_ms=100.0).n_left_out == 6
    jump = np.repeat([600.0, 900.0], 30)
    found = calc_hrv(jump)
    assert found.n_left_out == 0, "the median of five follows a change of the rate"
    assert found["nn50"] == 1


def test_at_the_ends_fewer_neighbours_tell_what_is_usual():
    found = normal_intervals(np.array([400.0, 800, 810, 790, 800, 1300]), np.arange(6.0), None, HrvSettings())
    assert found.kept.tolist() == [False, True, True, True, True, False]
    assert normal_intervals(np.empty(0), np.empty(0), None, HrvSettings()).nn.size == 0


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


def test_a_day_has_ulf_and_less_has_it_in_vlf():
    # 18.5 h at 60 per minute with a cycle of 1000 s, which is below 0.003 Hz.
    n = int(18.5 * 3600)
    ms = 1000 + 30 * np.sin(2 * np.pi * 0.001 * np.arange(n)) + 5 * np.random.default_rng(4).standard_normal(n)
    day = calc_hrv(ms, window_s=3600.0)
    assert day["ulf"] == pytest.approx(450, rel=0.05)
    assert day["vlf"] < 20
    assert "ulf" not in day.reasons
    hours = calc_hrv(ms[: 4 * 3600], window_s=3600.0)
    assert np.isnan(hours["ulf"])
    assert hours["vlf"] == pytest.approx(450, rel=0.06)


@pytest.mark.parametrize(
    ("n", "missing"),
    [
        (9, {"lf", "hf", "vlf", "total_power", "lf_nu", "lf_hf", "peak_hf_hz"}),
        (70, {"lf", "hf", "vlf", "total_power", "lf_nu"}),
        (100, {"lf", "vlf", "total_power", "lf_nu", "lf_hf", "peak_lf_hz"}),
        (200, {"vlf", "total_power"}),
        (400, set()),
    ],
)
def test_a_band_needs_ten_of_its_longest_cycles(n, missing):
    found = calc_hrv(series(n))
    of_spectrum = {"total_power", "vlf", "lf", "hf", "lf_nu", "hf_nu", "lf_hf", "peak_lf_hz", "peak_hf_hz"}
    absent = {name for name in of_spectrum if np.isnan(found[name])}
    assert missing <= absent
    assert not (absent - missing) if n >= 200 else True
    assert all(found.reasons[name] for name in absent)


def test_every_value_that_is_missing_has_a_reason_and_no_other_has_one():
    for n in (0, 1, 2, 3, 5, 12, 30, 120, 400, 900):
        found = calc_hrv(series(n) if n else [])
        absent = {name for name, value in found.values.items() if np.isnan(value)}
        assert absent == set(found.reasons), n


def test_normalised_powers_add_up_and_their_ratio_is_that_of_the_powers():
    found = calc_hrv(series())
    assert found["lf_nu"] + found["hf_nu"] == pytest.approx(100)
    assert found["lf_hf"] == pytest.approx(found["lf"] / found["hf"])
    assert found["lf_nu"] == pytest.approx(100 * found["lf"] / (found["lf"] + found["hf"]))
    assert 0.04 <= found["peak_lf_hz"] <= 0.15 < found["peak_hf_hz"] <= 0.4


@pytest.mark.parametrize(("m", "r"), [(1, 0.2), (2, 0.2), (2, 0.5), (3, 0.3)])
def test_sample_entropy_is_that_of_all_pairs(m, r):
    rr = series(150, seed=5)
    tolerance = r * rr.std(ddof=1)
    counts = [0, 0]
    for i in range(rr.size - m):
        for j in range(i + 1, rr.size - m):
            if np.abs(rr[i : i + m] - rr[j : j + m]).max() <= tolerance:
                counts[0] += 1
                counts[1] += abs(rr[i + m] - rr[j + m]) <= tolerance
    found = calc_hrv(rr, entropy_m=m, entropy_r=r)
    assert found["sample_entropy"] == pytest.approx(-np.log(counts[1] / counts[0]))


def test_the_exponents_need_four_of_their_longest_windows():
    found = calc_hrv(series(255))
    assert np.isfinite(found["dfa_alpha1"])
    assert found.reasons["dfa_alpha2"] == "255 intervals are fewer than 256"
    assert calc_hrv(series(63)).reasons["dfa_alpha1"] == "63 intervals are fewer than 64"
    assert calc_hrv(series(99)).reasons["sample_entropy"] == "99 intervals are not between 100 and 20000"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"rr_ms": [800, -1]}, "is not a list of intervals above 0 ms"),
        ({"rr_ms": [800, 0]}, "is not a list of intervals above 0 ms"),
        ({"rr_ms": [[800, 810]]}, "is not a list of intervals above 0 ms"),
        ({"rr_ms": [800, np.inf]}, "is not a list of intervals above 0 ms"),
        ({"rr_ms": [800, 810], "times_s": [2.0, 1.0]}, "in order of time"),
        ({"rr_ms": [800, 810], "times_s": [1.0, 1.0]}, "in order of time"),
        ({"rr_ms": [800, 810], "normal": [True]}, "do not have one entry per interval"),
        ({"rr_ms": [800], "shortest_ms": 500.0, "longest_ms": 400.0}, "are not in order"),
        ({"rr_ms": [800], "lf_hz": 0.5}, "do not rise from 0 to half of interpolation_hz"),
        ({"rr_ms": [800], "interpolation_hz": 0.7}, "do not rise from 0 to half of interpolation_hz"),
        ({"rr_ms": [800], "spectrum": "fft"}, r"calc_hrv\(spectrum='fft'\) is not one of 'welch', 'lomb'"),
        ({"rr_ms": [800], "detrend": "none"}, r"calc_hrv\(detrend='none'\) is not one of"),
        ({"rr_ms": [800], "pnn50_of": "beats"}, r"calc_hrv\(pnn50_of='beats'\) is not one of"),
    ],
)
def test_what_cannot_be_is_refused_with_the_remedy(given, text):
    with pytest.raises(InputError, match=text):
        calc_hrv(**given)


def test_lomb_says_that_it_cannot_use_smoothness_priors():
    found = calc_hrv(series(), preset="kubios", spectrum="lomb")
    assert any(text.startswith("Smoothness priors need even samples") for text in found.warnings)
    assert not any("Smoothness" in text for text in calc_hrv(series(), preset="kubios").warnings)
