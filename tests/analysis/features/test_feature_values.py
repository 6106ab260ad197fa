"""Features of beats that were drawn: the numbers follow from what was drawn."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
import scipy.stats

from cardioflow.analysis.beats.detect import detect_beats
from cardioflow.analysis.features import FAMILIES, calc_features, feature_names
from cardioflow.analysis.features._beat_windows import correlations, cut_beats
from cardioflow.analysis.features._stats import moment, quantiles, ratio
from cardioflow.analysis.features.atrial import atrial
from cardioflow.analysis.features.p_waves import p_waves
from cardioflow.analysis.features.quality import quality
from cardioflow.analysis.features.rhythm import rhythm
from cardioflow.analysis.features.shape import shape
from cardioflow.analysis.features.spectrum import NAMES as SPECTRUM
from cardioflow.analysis.features.spectrum import power, spectrum

FS = 250.0
PLACES = np.arange(200, 7300, 200)


def drawn(heights=None, *, p=0.1, t=0.3, st=0.0, places=PLACES, n=7500) -> np.ndarray:
    """Return triangular QRS complexes of 80 ms at ``places``, with P 160 ms before and T 260 ms after them."""
    x = np.zeros(n)
    at = np.arange(n)
    for k, place in enumerate(places):
        height = 1.0 if heights is None else heights[k]
        x += height * np.clip(1 - np.abs(at - place) / 10, 0, None)
        x += p * np.clip(1 - np.abs(at - place + 40) / 12, 0, None)
        x += t * np.clip(1 - np.abs(at - place - 65) / 25, 0, None)
        x += st * ((at > place + 18) & (at < place + 32))
    return x.astype(np.float32)


def rr(places=PLACES) -> np.ndarray:
    return np.concatenate([[np.nan], np.diff(places) / FS])


# -- statistics ---------------------------------------------------------------------


@pytest.mark.parametrize("order", [3, 4])
def test_moments_are_scipys(order):
    x = np.random.default_rng(0).gamma(2.0, size=500)
    expected = scipy.stats.skew(x) if order == 3 else scipy.stats.kurtosis(x, fisher=False)
    assert moment(x, order) == pytest.approx(expected)
    assert moment(x * 1e6 + 5, order) == pytest.approx(expected, rel=1e-6)
    assert np.isnan(moment(np.full(50, 0.1), order)), "what rounding leaves of a constant has no shape"
    assert np.isnan(moment(np.ones(1), order))


def test_quantiles_and_ratios_leave_out_what_is_not_there():
    assert quantiles(np.array([np.nan, 1.0, 2, 3, np.inf]), 0, 0.5, 1) == [1, 2, 3]
    assert np.isnan(quantiles(np.array([np.nan]), 0.5, 0.9)).all()
    assert ratio(1, 4) == 0.25
    assert np.isnan(ratio(1, 0))
    assert np.isnan(ratio(1, -2))


# -- windows --------------------------------------------------------------------------


def test_windows_reach_from_320_ms_before_a_beat_to_440_ms_after_it():
    x = np.arange(2000, dtype=np.float32)
    found = cut_beats(x, np.array([79, 80, 500, 1889, 1890]), FS)
    assert found.rows.tolist() == [1, 2, 3], "the first begins before the record, the last ends after it"
    assert found.at == 80
    assert found.pieces.shape == (3, 191)
    assert found.pieces[1, found.at] == 500
    assert (found.qrs.start, found.qrs.stop) == (65, 96)
    np.testing.assert_array_equal(found.median, found.pieces[1])
    none = cut_beats(x[:100], np.array([50]), FS)
    assert none.pieces.shape == (0, 191)
    assert np.isnan(none.median).all()


def test_correlations_are_numpys_and_nan_for_what_is_constant():
    random = np.random.default_rng(1)
    pieces, template = random.standard_normal((5, 40)), random.standard_normal(40)
    expected = [np.corrcoef(piece, template)[0, 1] for piece in pieces]
    np.testing.assert_allclose(correlations(pieces, template), expected)
    np.testing.assert_allclose(correlations(-3 * pieces + 7, template), [-value for value in expected])
    pieces[2] = 4.0
    assert np.isnan(correlations(pieces, template)).tolist() == [False, False, True, False, False]
    assert np.isnan(correlations(pieces, np.ones(40))).all()


# -- shape ------------------------------------------------------------------------------


def test_equal_beats_are_alike_and_have_the_height_that_was_drawn():
    found = shape(cut_beats(drawn(), PLACES, FS), rr(), FS)
    assert found["qrs_height_mv"] == pytest.approx(1.0)
    assert found["qrs_alike_min"] == pytest.approx(1.0)
    assert found["qrs_height_cv"] == pytest.approx(0.0, abs=1e-6)
    assert found["qrs_n_odd"] == found["qrs_odd"] == 0
    assert found["qrs_up"] == pytest.approx(1.0)
    assert found["t_height_norm"] == pytest.approx(0.3)
    assert found["st_norm"] == pytest.approx(0.0, abs=1e-6)
    # The triangle's slopes take 20 samples; its area is 10 samples at 1 mV.
    assert found["qrs_width_s"] == pytest.approx(20 / FS)
    assert found["qrs_area_norm"] == pytest.approx(10 / FS, rel=0.01)
    for name in ("qrs_odd_early", "qrs_early_alike", "qrs_odd_alike", "qrs_odd_width_norm"):
        assert np.isnan(found[name]), name


@pytest.mark.parametrize("gain", [0.2, 5.0])
def test_relative_values_do_not_depend_on_the_gain(gain):
    one, other = (shape(cut_beats(x, PLACES, FS), rr(), FS) for x in (drawn(st=0.1), gain * drawn(st=0.1)))
    assert other["qrs_height_mv"] == pytest.approx(gain * one["qrs_height_mv"])
    for name, value in one.items():
        if name != "qrs_height_mv":
            assert other[name] == pytest.approx(value, rel=1e-4, abs=1e-6, nan_ok=True), name


def test_an_inverted_lead_has_its_qrs_down_and_the_same_width():
    one, other = (shape(cut_beats(x, PLACES, FS), rr(), FS) for x in (drawn(), -drawn()))
    assert other["qrs_up"] == pytest.approx(0.0, abs=1e-6)
    assert other["t_height_norm"] == pytest.approx(-one["t_height_norm"])
    assert other["qrs_width_s"] == one["qrs_width_s"]


def test_odd_beats_are_counted_with_their_height_and_how_early_they_come():
    places = PLACES.copy()
    odd = np.arange(5, places.size, 6)
    places[odd] -= 80  # 0.48 instead of 0.8 s
    heights = np.ones(places.size)
    heights[odd] = -2.0
    found = shape(cut_beats(drawn(heights, places=places), places, FS), rr(places), FS)
    inside = cut_beats(drawn(heights, places=places), places, FS).rows.size
    assert found["qrs_n_odd"] == odd.size
    assert found["qrs_odd"] == pytest.approx(odd.size / inside)
    assert found["qrs_odd_early"] == pytest.approx(120 / 200)
    assert found["qrs_early_alike"] == pytest.approx(-1.0, abs=0.02)
    assert found["qrs_odd_alike"] == pytest.approx(1.0, abs=0.01)
    assert found["qrs_odd_height_norm"] == pytest.approx(2.0, rel=0.02)
    assert found["qrs_height_p90_norm"] == pytest.approx(2.0, rel=0.02)


# -- atrial -----------------------------------------------------------------------------


def test_the_p_wave_has_its_height_time_and_coherence():
    x = drawn(p=0.2)
    found = atrial(x, cut_beats(x, PLACES, FS), PLACES, FS)
    assert found["p_time_s"] == pytest.approx(0.16)
    assert found["p_height_mv"] == pytest.approx(0.2, rel=0.05)
    assert found["p_height_norm"] == pytest.approx(0.2, rel=0.05)
    assert found["p_coherence"] == pytest.approx(1.0)
    assert found["p_alike_p10"] == pytest.approx(1.0)
    assert found["p_scatter_norm"] == pytest.approx(0.0, abs=1e-6)
    down = atrial(-x, cut_beats(-x, PLACES, FS), PLACES, FS)
    assert down["p_height_mv"] == pytest.approx(-found["p_height_mv"])


def test_noise_before_the_beats_has_a_coherence_of_one_over_their_number():
    x = drawn(p=0.0) + 0.05 * np.random.default_rng(2).standard_normal(7500).astype(np.float32)
    windows = cut_beats(x, PLACES, FS)
    found = atrial(x, windows, PLACES, FS)
    assert found["p_coherence"] == pytest.approx(1 / len(windows.pieces), abs=0.03)


@pytest.mark.parametrize("hz", [4.5, 6.0, 8.5])
def test_waves_of_fibrillation_are_what_is_left_without_the_beats(hz):
    t = np.arange(7500) / FS
    x = (drawn(p=0.0) + 0.1 * np.sin(2 * np.pi * hz * t)).astype(np.float32)
    found = atrial(x, cut_beats(x, PLACES, FS), PLACES, FS)
    assert found["rest_peak_hz"] == pytest.approx(hz, abs=0.25)
    assert found["rest_4_9"] > 0.9
    assert found["rest_norm"] == pytest.approx(0.1 / np.sqrt(2), rel=0.15)
    assert found["rest_peak_share"] > 0.9


# -- spectrum ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hz", "band"), [(0.75, 0), (2.0, 1), (4.0, 2), (6.0, 3), (10.0, 4), (15.0, 5), (25.0, 6), (40.0, 7)]
)
def test_a_sine_lies_in_its_own_band(hz, band):
    x = np.sin(2 * np.pi * hz * np.arange(7500) / FS).astype(np.float32)
    found = spectrum(x, FS)
    assert found[SPECTRUM[band]] > 0.8
    assert sum(found[name] for name in SPECTRUM[:8]) == pytest.approx(1.0)
    assert found["spectrum_centroid"] == pytest.approx(hz, abs=0.15)


def test_two_sines_share_the_power_by_their_squares():
    t = np.arange(7500) / FS
    found = spectrum((2 * np.sin(2 * np.pi * 10 * t) + np.sin(2 * np.pi * 25 * t)).astype(np.float32), FS)
    assert found["spectrum_8_12"] == pytest.approx(0.8, abs=0.01)
    assert found["spectrum_20_30"] == pytest.approx(0.2, abs=0.01)
    assert found["spectrum_centroid"] == pytest.approx(0.8 * 10 + 0.2 * 25, abs=0.05)
    assert found["spectrum_edge"] == pytest.approx(25, abs=0.5)


def test_power_is_welchs_with_a_hann_window():
    x = np.random.default_rng(3).standard_normal(5000).astype(np.float32)
    frequency, found = power(x, FS)
    expected = scipy.signal.welch(
        x.astype(np.float64), FS, np.hanning(1000), 1000, 500, detrend="constant", scaling="spectrum"
    )
    np.testing.assert_allclose(frequency, expected[0])
    scale = found[5:400].sum() / expected[1][5:400].sum()
    np.testing.assert_allclose(found[5:400], scale * expected[1][5:400], rtol=1e-4)


# -- quality ---------------------------------------------------------------------------


def _quality(x, raw=None):
    beats = detect_beats(x, FS)
    return quality(x if raw is None else raw, x, beats, FS)


def test_quality_measures_what_was_put_in():
    x = drawn() + 0.01 * np.random.default_rng(4).standard_normal(7500).astype(np.float32)
    raw = x + np.sin(2 * np.pi * 0.1 * np.arange(7500) / FS).astype(np.float32)
    found, drifting = _quality(x), _quality(x, raw)
    assert found["duration_s"] == 30
    assert found["wander_norm"] == 0
    assert drifting["wander_norm"] == pytest.approx((1 / np.sqrt(2)) / x.std(), rel=0.01)
    assert found["amplitude_mv"] == pytest.approx(1.0, abs=0.08)
    assert found["range_p90_norm"] == pytest.approx(1.0, abs=0.05)
    assert found["kurtosis"] == pytest.approx(scipy.stats.kurtosis(x, fisher=False), rel=1e-4)
    assert found["skewness"] == pytest.approx(scipy.stats.skew(x), rel=1e-4)


def test_the_longest_time_without_a_beat_counts_the_ends_of_the_record():
    x = drawn(places=np.concatenate([PLACES[PLACES < 3000], PLACES[PLACES > 4600]]))
    x = x + 0.002 * np.random.default_rng(5).standard_normal(7500).astype(np.float32)
    beats = detect_beats(x, FS)
    gap = np.diff(np.concatenate([[0], beats.sample, [7500]])).max()
    assert quality(x, x, beats, FS)["longest_gap_norm"] == pytest.approx(gap / FS / np.median(beats.rr_s), rel=1e-6)
    assert gap >= 1500


@pytest.mark.parametrize(("low", "high"), [(-0.1, 0.5), (-5.0, 0.8)])
def test_clipped_samples_are_those_at_the_largest_and_smallest_value(low, high):
    x = np.clip(drawn(), low, high)
    found = _quality(x)
    assert found["clipped"] == pytest.approx(np.mean((x == x.max()) | (x == x.min())))
    assert found["flat"] == 0


# -- rhythm -------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [0.5, 1.5])
def test_relative_features_of_rhythm_do_not_depend_on_the_rate(factor):
    beats = np.cumsum(np.random.default_rng(6).uniform(0.6, 1.0, 40))
    one, other = rhythm(beats, beats[-1]), rhythm(factor * beats, factor * beats[-1])
    for name in ("rr_cv", "rr_rmssd_norm", "rr_irregularity", "rr_skewness", "rr_sd1_sd2", "rr_early", "rr_entropy"):
        assert other[name] == pytest.approx(one[name]), name
    for name in ("rr_mean", "rr_median", "rr_sd", "rr_rmssd", "rr_sd1", "rr_fastest"):
        assert other[name] == pytest.approx(factor * one[name]), name
    assert other["beat_rate"] == pytest.approx(one["beat_rate"] / factor)


def test_a_rate_that_falls_evenly_has_a_trend_and_no_turning_point():
    intervals = 0.8 + 0.01 * np.arange(20)
    found = rhythm(np.concatenate([[0.0], np.cumsum(intervals)]), 20.0)
    assert found["rr_trend"] == pytest.approx(0.01 / np.median(intervals))
    assert found["rr_turning_points"] == 0
    assert found["rr_fastest"] == pytest.approx(intervals[:5].mean())
    assert found["rr_slowest_norm"] == pytest.approx(intervals[-5:].mean() / np.median(intervals))
    assert found["rr_min_norm"] == pytest.approx(0.8 / np.median(intervals))


def test_one_early_beat_with_its_pause_is_counted_once():
    intervals = np.full(30, 0.8)
    intervals[10:12] = 0.5, 1.3
    found = rhythm(np.concatenate([[0.0], np.cumsum(intervals)]), 25.0)
    assert found["rr_n_early"] == 1
    assert found["rr_n_late"] == 1
    assert found["rr_early_with_pause"] == pytest.approx(1 / 29)
    assert found["rr_late"] == pytest.approx(1 / 30)
    assert found["rr_irregularity"] == pytest.approx(0, abs=1e-9)
    # 29 differences in 28 pairs: −.3, +.8, −.5 touch 4 of them. Of the others each lies at the origin.
    assert found["rr_af_evidence"] == pytest.approx((4 - 24 - 2) / 28)


# -- all of them --------------------------------------------------------------------------


def test_names_are_those_of_the_families_in_their_order():
    each = [name for family in FAMILIES for name in feature_names((family,))]
    assert list(feature_names(FAMILIES)) == each
    assert len(set(each)) == len(each)
    assert tuple(calc_features(drawn(), FS, families=("spectrum", "rhythm"))) == feature_names(("spectrum", "rhythm"))


def test_a_lead_is_chosen_from_either_end():
    both = np.stack([drawn(), 2 * drawn()])
    first, last = calc_features(both, FS, lead=0), calc_features(both, FS, lead=-1)
    assert last["qrs_height_mv"] == pytest.approx(2 * first["qrs_height_mv"], rel=0.01)
    assert last["rr_median"] == first["rr_median"], "beats are those of all leads"


def test_without_samples_around_a_beat_there_are_no_probabilities_of_waves():
    p = np.zeros((300, 4), np.float32)
    p[:, 0] = 1
    found = p_waves(p, np.array([50]), FS)
    assert found["wave_share"] == 0
    assert np.isnan(found["p_absent"])
    assert np.isnan(p_waves(p[:0], np.array([50]), FS)["wave_share"])
