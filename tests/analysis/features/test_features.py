"""Features against hand calculations and signals whose answer is known."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import cardioflow as ds
from cardioflow.analysis.features import FAMILIES, calc_features, feature_names
from cardioflow.analysis.features.p_waves import p_waves
from cardioflow.analysis.features.rhythm import rhythm
from cardioflow.analysis.features.spectrum import spectrum
from cardioflow.errors import InputError

FS = 250.0


def ecg(beats_s, *, seconds=30.0, p_mv=0.15, f_hz=0.0, fs=FS, noise_mv=0.005) -> np.ndarray:
    """Return beats of a QRS and a T wave at the times given, with P waves, and waves of fibrillation of ``f_hz``."""
    t = np.arange(int(seconds * fs)) / fs
    x = np.random.default_rng(0).normal(0, noise_mv, t.size)
    for at in beats_s:
        x += np.exp(-(((t - at) / 0.012) ** 2)) - 0.25 * np.exp(-(((t - at - 0.035) / 0.012) ** 2))
        x += 0.25 * np.exp(-(((t - at - 0.28) / 0.05) ** 2)) + p_mv * np.exp(-(((t - at + 0.16) / 0.025) ** 2))
    return (x + 0.08 * (f_hz > 0) * np.sin(2 * np.pi * f_hz * t)).astype(np.float32)


REGULAR = np.arange(0.6, 29.5, 0.8)


def test_equal_intervals_have_no_irregularity_and_the_least_evidence_of_fibrillation() -> None:
    found = rhythm(REGULAR, 30.0)
    assert found["beat_rate"] == pytest.approx(REGULAR.size / 30)
    for name in ("rr_cv", "rr_rmssd", "rr_pnn20", "rr_irregularity", "rr_early", "rr_late", "rr_sd1"):
        assert found[name] == pytest.approx(0, abs=1e-9)
    assert found["rr_median"] == pytest.approx(0.8)
    # Every difference lies at the origin: evidence −1 per difference.
    assert found["rr_af_evidence"] == -1


def test_bigeminy_is_irregular_at_lag_one_and_not_at_lag_two() -> None:
    found = rhythm(np.cumsum([0.5] + [0.6, 1.0] * 12), 30.0)
    assert found["rr_irregularity_1"] == pytest.approx(0.4 / 0.8)
    assert found["rr_irregularity_2"] == pytest.approx(0, abs=1e-9)
    assert found["rr_irregularity"] == pytest.approx(0, abs=1e-9)
    assert found["rr_early_with_pause"] == pytest.approx(12 / 23)
    assert found["rr_autocorrelation_1"] == pytest.approx(-23 / 24)
    assert found["rr_turning_points"] == 1
    assert found["rr_n_early"] == 12
    assert found["rr_fastest"] == pytest.approx((3 * 0.6 + 2 * 1.0) / 5)


def test_intervals_of_five_beats_match_a_hand_calculation() -> None:
    found = rhythm(np.cumsum([1.0, 0.80, 0.90, 0.83, 0.84]), 10.0)
    # Changes: +100, −70, +10 ms.
    assert found["rr_mean"] == pytest.approx(0.8425)
    assert found["rr_rmssd"] == pytest.approx(np.sqrt((0.1**2 + 0.07**2 + 0.01**2) / 3))
    assert found["rr_pnn50"] == pytest.approx(2 / 3)
    assert found["rr_pnn20"] == pytest.approx(2 / 3)
    assert found["rr_sd1"] == pytest.approx(np.std([0.1, -0.07, 0.01]) / np.sqrt(2))
    # One pair of intervals within a tenth of the median: 0.83 and 0.84 and 0.80 with both, 0.90 with both of these.
    assert found["rr_sample_entropy"] == pytest.approx(-np.log((3 + 1) / (3 + 1)))


def test_a_sine_of_ten_hertz_lies_in_its_band() -> None:
    t = np.arange(int(20 * FS)) / FS
    found = spectrum(np.sin(2 * np.pi * 10 * t).astype(np.float32), FS)
    assert found["spectrum_8_12"] == pytest.approx(1, abs=1e-3)
    assert found["spectrum_centroid"] == pytest.approx(10, abs=0.05)
    assert found["spectrum_edge"] == pytest.approx(10, abs=0.5)
    assert found["spectrum_entropy"] < 0.25
    white = spectrum(np.random.default_rng(1).normal(size=int(60 * FS)).astype(np.float32), FS)
    assert white["spectrum_entropy"] > 0.98


def test_a_p_wave_before_every_beat_is_coherent_and_fibrillation_shows_its_frequency() -> None:
    jitter = np.cumsum(np.random.default_rng(2).uniform(0.5, 1.1, 34)) + 0.3
    jitter = jitter[jitter < 29]
    sinus, fibrillation = calc_features(ecg(REGULAR), FS), calc_features(ecg(jitter, p_mv=0, f_hz=6.0), FS)
    assert sinus["p_coherence"] > 0.8
    assert fibrillation["p_coherence"] < 0.4
    assert sinus["p_alike_mean"] > 0.9
    assert sinus["p_time_s"] == pytest.approx(0.16, abs=0.02)
    assert fibrillation["rest_peak_hz"] == pytest.approx(6.0, abs=0.3)
    assert fibrillation["rest_4_9"] > 0.7
    assert sinus["rr_irregularity"] < 0.02
    assert fibrillation["rr_irregularity"] > 0.08


def test_odd_early_beats_are_counted_and_placed() -> None:
    at = [t for k, t in enumerate(REGULAR) if k % 4 != 3]
    odd = [t - 0.3 for k, t in enumerate(REGULAR) if k % 4 == 3]
    x = ecg(at)
    t = np.arange(x.size) / FS
    for place in odd:
        x = x - 1.2 * np.exp(-(((t - place) / 0.025) ** 2)).astype(np.float32)
    found = calc_features(x, FS)
    assert found["qrs_odd"] == pytest.approx(len(odd) / (len(odd) + len(at)), abs=0.04)
    assert found["qrs_odd_early"] < 0.75
    assert found["qrs_early_alike"] < 0
    assert found["qrs_odd_alike"] > 0.9
    assert found["qrs_odd_width_norm"] > 1.15
    assert calc_features(ecg(REGULAR), FS)["qrs_odd"] == 0


def test_quality_of_noise_of_a_flat_lead_and_of_beats() -> None:
    noise = calc_features(np.random.default_rng(3).normal(0, 0.1, int(30 * FS)), FS)
    clean, flat = calc_features(ecg(REGULAR), FS), calc_features(np.zeros(int(30 * FS)), FS)
    assert noise["kurtosis"] == pytest.approx(3, abs=0.2)
    assert clean["kurtosis"] > 10
    assert noise["roughness"] > clean["roughness"]
    assert flat["flat"] == 1
    assert clean["flat"] == 0
    assert clean["beat_confidence_mean"] > 0.95
    assert flat["duration_s"] == 30


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "signal", [np.zeros(7500), np.zeros(100), np.zeros(0), np.full(7500, np.nan), np.ones((2, 260))], ids=len
)
def test_what_a_record_does_not_give_is_nan_without_a_warning(signal) -> None:
    found = calc_features(signal, FS, families=FAMILIES)
    assert tuple(found) == feature_names(FAMILIES)
    for name in ("rr_median", "p_coherence", "qrs_height_mv", "spectrum_entropy", "p_absent"):
        assert np.isnan(found[name])


def test_one_beat_gives_no_interval_but_a_rate() -> None:
    found = calc_features(ecg([5.0], seconds=10.0), FS)
    assert found["beat_rate"] == pytest.approx(0.1)
    assert np.isnan(found["rr_sd"])


def test_the_rate_and_missing_samples_hardly_matter() -> None:
    one, other = calc_features(ecg(REGULAR), FS), calc_features(ecg(REGULAR, fs=500.0), 500.0)
    gap = ecg(REGULAR)
    gap[1000:1003] = np.nan
    holed = calc_features(gap, FS)
    for name in ("rr_median", "qrs_width_s", "p_coherence", "t_height_norm", "kurtosis", "qrs_height_mv"):
        assert other[name] == pytest.approx(one[name], rel=0.12)
        assert holed[name] == pytest.approx(one[name], rel=0.05)


def test_probabilities_of_waves_become_the_share_of_beats_without_p() -> None:
    p = np.zeros((2500, 4), np.float32)
    p[:, 0] = 1
    beats = np.arange(250, 2250, 250)
    for k, at in enumerate(beats):
        p[at - 5 : at + 5] = (0, 0, 1, 0)
        if k % 4:
            p[at - 50 : at - 30] = (0.1, 0.9, 0, 0)
    found = p_waves(p, beats, FS)
    assert found["p_absent"] == 0.25
    assert found["p_per_beat"] == 0.75
    assert found["p_probability_median"] == pytest.approx(0.9)
    assert found["p_interval_s"] == pytest.approx(50 / FS)
    assert found["qrs_probability_mean"] == 1
    assert found["p_duration_s"] == 20 / FS
    assert found["qrs_duration_s"] == 10 / FS
    assert np.isnan(found["qt_s"])


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"fs": 50.0}, r"calc_features\(fs=50.0\): features need a sampling rate of at least 80 Hz"),
        ({"lead": 1}, r"calc_features\(lead=1\) does not exist in a signal of 1 leads"),
        ({"families": ("rythm",)}, "There is no family of features 'rythm'. Did you mean 'rhythm'"),
        ({"families": "rhythm"}, "is not a list of families"),
        ({"signal": np.zeros((1, 2, 3))}, r"a signal of shape \(1, 2, 3\)"),
    ],
)
def test_wrong_arguments_are_named(given, text) -> None:
    with pytest.raises(InputError, match=text):
        calc_features(**{"signal": np.zeros(1000), "fs": FS, **given})


@pytest.mark.skipif("CARDIOFLOW_DATA" not in os.environ, reason="needs the CinC 2017 sample")
def test_the_action_writes_a_row_per_record_and_tells_fibrillation_on_real_records() -> None:
    folder = Path(os.environ["CARDIOFLOW_DATA"]) / "cinc2017"
    labels = dict(line.split(",") for line in (folder / "REFERENCE.csv").read_text().split())
    some = [n for n in sorted(labels) if labels[n] in "AN"][:40]
    dataset = ds.EcgDataset([folder / f"{n}.hea" for n in some])
    batch = (dataset >> ds.Pipeline().load(components=["signal", "meta"]).calc_features()).next_batch(len(some))
    names = feature_names()
    assert batch.features.shape == (len(some), len(names))
    assert batch.features.dtype == np.float32
    own = list(calc_features(batch.signal[3], 300.0).values())
    np.testing.assert_array_equal(batch.features[3], np.array(own, np.float32))
    af = np.array([labels[n] == "A" for n in some])
    irregular = batch.features[:, names.index("rr_irregularity")]
    assert np.nanmedian(irregular[af]) > 2 * np.nanmedian(irregular[~af])


@pytest.mark.parametrize("fs", [250.0, 360.0, 500.0])
@pytest.mark.parametrize("gap", [False, True])
def test_the_offset_of_an_electrode_changes_no_feature(fs, gap) -> None:
    x = ecg(REGULAR, fs=fs).astype(np.float64)
    if gap:
        x[round(10.2 * fs) : round(10.5 * fs)] = np.nan
    plain, moved = calc_features(x, fs), calc_features(x + 50, fs)
    for name, value in plain.items():
        # 50 mV leave float32 steps of 4 µV.
        assert moved[name] == pytest.approx(value, rel=0.05, abs=0.02, nan_ok=True), name
