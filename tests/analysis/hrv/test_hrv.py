"""Heart rate variability: series with a known answer, the identities of its measures, and what is left out and why."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.signal

from cardioflow.analysis.hrv import HrvSettings, calc_hrv
from cardioflow.analysis.hrv.lomb import fast_lomb
from cardioflow.errors import InputError


def _sine(frequency: float, amplitude: float = 30.0, n: int = 600) -> np.ndarray:
    """RR = 800 + A sin(2π f t) ms, each interval taken at the time of the beat that begins it."""
    t, rr = 0.0, []
    for _ in range(n):
        rr.append(800 + amplitude * np.sin(2 * np.pi * frequency * t))
        t += rr[-1] / 1000
    return np.array(rr)


@pytest.fixture(scope="module")
def noisy() -> np.ndarray:
    random = np.random.default_rng(0)
    return 800 + 0.3 * np.cumsum(random.normal(0, 5, 600)) + random.normal(0, 20, 600)


@pytest.mark.parametrize("settings", [{}, {"spectrum": "lomb"}, {"preset": "kubios"}, {"window_s": 120.0}])
def test_a_sine_of_30_ms_at_a_tenth_of_a_hertz_has_450_ms2_of_lf(settings):
    found = calc_hrv(_sine(0.1), **settings)
    assert found["lf"] == pytest.approx(450, rel=0.02)
    assert found["hf"] < 1
    assert found["vlf"] < 1
    assert found["peak_lf_hz"] == pytest.approx(0.1, abs=0.002)
    assert found["lf_nu"] > 99.5


@pytest.mark.parametrize("settings", [{}, {"spectrum": "lomb"}, {"preset": "kubios"}])
def test_a_sine_at_a_quarter_of_a_hertz_has_450_ms2_of_hf(settings):
    found = calc_hrv(_sine(0.25), **settings)
    # The spline between beats 0.8 s apart takes 1 % of a period of 4 s.
    assert found["hf"] == pytest.approx(450, rel=0.02)
    assert found["lf"] < 1
    assert found["peak_hf_hz"] == pytest.approx(0.25, abs=0.002)


def test_four_intervals_by_hand():
    found = calc_hrv([800.0, 860.0, 800.0, 790.0])
    assert found["mean_nn"] == 812.5
    assert found["mean_hr"] == pytest.approx(60000 / 812.5)
    assert found["sdnn"] == pytest.approx(np.sqrt((12.5**2 + 47.5**2 + 12.5**2 + 22.5**2) / 3))
    assert found["rmssd"] == pytest.approx(np.sqrt((60**2 + 60**2 + 10**2) / 3))
    assert found["nn50"] == 2
    assert found["pnn50"] == 50.0, "of four intervals, as the Task Force divides"
    assert calc_hrv([800.0, 860.0, 800.0, 790.0], preset="kubios")["pnn50"] == pytest.approx(200 / 3), "of differences"


def test_the_axes_of_the_poincare_plot_follow_from_sdnn_and_sdsd(noisy):
    found = calc_hrv(noisy)
    assert found["sd1"] ** 2 == pytest.approx(found["sdsd"] ** 2 / 2)
    assert found["sd2"] ** 2 == pytest.approx(2 * found["sdnn"] ** 2 - found["sdsd"] ** 2 / 2)
    assert found["ellipse_area"] == pytest.approx(np.pi * found["sd1"] * found["sd2"])


def test_the_bands_add_up_to_the_total_and_to_the_variance_of_what_is_slow():
    t = np.arange(600) * 0.8
    slow = 800 + 20 * np.sin(2 * np.pi * 0.02 * t) + 15 * np.sin(2 * np.pi * 0.1 * t) + 10 * np.sin(2 * np.pi * 0.3 * t)
    found = calc_hrv(slow, t + 0.8, spectrum="lomb")
    assert found["vlf"] + found["lf"] + found["hf"] == pytest.approx(found["total_power"], rel=1e-6)
    assert found["total_power"] == pytest.approx((20**2 + 15**2 + 10**2) / 2, rel=0.02)


def test_the_triangle_is_that_of_its_own_histogram():
    # Bins of 1/128 s: 20, 40, 60, 40, 20 intervals in five neighbouring ones.
    bins = np.repeat(np.arange(100, 105), [20, 40, 60, 40, 20])
    found = calc_hrv((bins + 0.5) * 1000 / 128)
    assert found["triangular_index"] == 180 / 60
    assert found["tinn"] == pytest.approx(6 * 1000 / 128), "from the bin before the first to the one after the last"


def test_fluctuations_of_white_noise_have_the_exponent_one_half_and_of_brown_noise_three_halves():
    random = np.random.default_rng(3)
    white = 800 + random.normal(0, 10, 4000)
    brown = 800 + np.cumsum(random.normal(0, 0.5, 4000))
    assert calc_hrv(white)["dfa_alpha2"] == pytest.approx(0.5, abs=0.06)
    assert calc_hrv(brown)["dfa_alpha2"] == pytest.approx(1.5, abs=0.1)


def test_sample_entropy_of_noise_is_that_of_its_formula():
    random = np.random.default_rng(4)
    # For independent normal values A / B is the chance that two differ by at most r: erf(r / 2σ).
    expected = -np.log(0.11246)  # erf(0.1)
    assert calc_hrv(800 + random.normal(0, 20, 4000))["sample_entropy"] == pytest.approx(expected, rel=0.03)


def test_an_ectopic_beat_is_left_out_by_its_label_or_by_its_intervals(noisy):
    early = noisy.copy()
    early[300] -= 350
    early[301] += 350
    normal = np.ones(600, bool)
    normal[300:302] = False
    for found in (calc_hrv(early), calc_hrv(early, normal=normal)):
        assert found.n_left_out == 2
        assert found["rmssd"] == pytest.approx(calc_hrv(noisy)["rmssd"], rel=0.02)
        assert found["lf"] == pytest.approx(calc_hrv(noisy)["lf"], rel=0.1)
    # Left in, it multiplies RMSSD.
    assert calc_hrv(early, most_change=5.0)["rmssd"] > 1.3 * calc_hrv(noisy)["rmssd"]


def test_no_difference_is_taken_across_a_gap():
    ends = np.cumsum(np.full(100, 0.8))
    ms = np.full(100, 800.0)
    ms[50:] = 860
    ends[50:] += 30
    assert calc_hrv(ms, ends)["rmssd"] == 0


def test_what_is_too_short_is_nan_with_the_reason():
    found = calc_hrv(_sine(0.1, n=100))
    assert np.isnan(found["lf"])
    assert found.reasons["lf"] == "79 s is shorter than 120 s"
    assert np.isfinite(found["hf"])
    assert found.reasons["sdann"] == "needs two segments of 5 minutes"
    assert found.reasons["ulf"] == "ULF needs a recording of a day"
    assert "the Task Force's short-term values need 5 minutes" in found.warnings[0]
    for rr in ([], [800.0], [800.0, 801.0]):
        few = calc_hrv(rr)
        assert all(name in few.reasons for name, value in few.values.items() if np.isnan(value))


def test_a_series_that_does_not_vary_has_no_entropy_and_no_ratio():
    found = calc_hrv(np.full(600, 800.0))
    assert found["sdnn"] == found["rmssd"] == 0
    assert np.isnan(found["dfa_alpha1"])
    assert found.reasons["dfa_alpha1"].endswith("they are all equal")


def test_every_setting_stands_in_the_result():
    found = calc_hrv(_sine(0.1), preset="kubios", window_s=150.0)
    assert found.settings == HrvSettings(detrend="smoothness_priors", pnn50_of="differences", window_s=150.0)


def test_seconds_and_wrong_settings_are_refused():
    with pytest.raises(InputError, match=r"has the median 0\.8\. Pass milliseconds, not seconds"):
        calc_hrv([0.8, 0.8])
    with pytest.raises(InputError, match=r"is not a list of intervals above 0 ms"):
        calc_hrv([800.0, np.nan])
    with pytest.raises(InputError, match=r"calc_hrv\(preset='cubios'\) is not one of 'taskforce', 'kubios'"):
        calc_hrv([800.0], preset="cubios")
    with pytest.raises(InputError, match=r"takes no setting 'windows_s'.*window_s"):
        calc_hrv([800.0], windows_s=1)
    for name, value in (("window_s", 0), ("window_s", float("nan")), ("smoothness", -1), ("most_change", "a"),
                        ("entropy_r", 0.0), ("interpolation_hz", float("inf")), ("lf_hz", True)):  # fmt: skip
        with pytest.raises(InputError, match=rf"calc_hrv\({name}={value!r}\) is not a finite number above 0"):
            calc_hrv([800.0], **{name: value})
    for order in (0, 1.5, True):
        with pytest.raises(InputError, match=rf"calc_hrv\(entropy_m={order}\) is not an integer of at least 1"):
            calc_hrv([800.0], entropy_m=order)
    with pytest.raises(InputError, match=r"do not have one entry per interval"):
        calc_hrv([800.0, 800.0], [1.0])


def test_neurokit_agrees_where_definitions_do(noisy):
    neurokit2 = pytest.importorskip("neurokit2", reason="an extra")
    ms = np.rint(noisy)  # it counts intervals in samples
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peaks = {"ECG_R_Peaks": np.concatenate([[0], np.cumsum(ms)]).astype(int)}
        theirs = {
            **neurokit2.hrv_time(peaks, sampling_rate=1000).iloc[0],
            **neurokit2.hrv_nonlinear(peaks, sampling_rate=1000).iloc[0],
        }
    ours = calc_hrv(ms)
    pairs = {"MeanNN": "mean_nn", "SDNN": "sdnn", "RMSSD": "rmssd", "SDSD": "sdsd", "SD1": "sd1", "SD2": "sd2"}
    for name, own in pairs.items():
        assert ours[own] == pytest.approx(theirs[f"HRV_{name}"], rel=2e-3), name
    assert ours["pnn50"] == pytest.approx(theirs["HRV_pNN50"])
    # It takes the population's SD for the tolerance.
    assert ours["sample_entropy"] == pytest.approx(theirs["HRV_SampEn"], rel=0.03)


def test_the_fast_periodogram_is_that_of_scipy():
    random = np.random.default_rng(5)
    times = np.cumsum(random.uniform(0.4, 1.2, 1500))
    values = 30 * np.sin(2 * np.pi * 0.1 * times) + random.normal(0, 5, times.size)
    values -= values.mean()
    step = 1 / (4 * np.ptp(times))
    n = int(0.4 / step)
    exact = scipy.signal.lombscargle(times, values, 2 * np.pi * step * np.arange(1, n + 1))
    assert np.abs(fast_lomb(times, values, step, n) - exact).max() < 1e-5 * exact.max()


def test_a_day_of_beats_has_a_spectrum_by_lomb_too():
    # 108 000 intervals by 138 000 frequencies would be an array of 111 GiB.
    found = calc_hrv(_sine(0.1, n=108_000), spectrum="lomb")
    assert found["lf"] == pytest.approx(450, rel=0.01)
    assert found["ulf"] < 1
    assert found["hf"] < 1
