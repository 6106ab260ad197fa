"""Measurements of ECGs made by hand are those that they were made with; what is not there is NaN, with a reason."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from cardioflow import EcgDataset, Pipeline
from cardioflow.analysis.measure.measure import measure
from cardioflow.analysis.measure.qtc import corrected_qt
from cardioflow.errors import InputError

FS = 500.0
LIMB = ("I", "II", "III", "aVR", "aVL", "aVF")
# Where each limb lead points in the hexaxial system, and how much of the heart's dipole it sees (Einthoven's leads see
# all of it, the augmented ones √3/2).
ANGLES = {"I": 0, "II": 60, "III": 120, "aVR": -150, "aVL": -30, "aVF": 90}


def hump(t, at, width, height):
    """A wave with a definite onset and end: one half of a cosine, ``width`` seconds in all."""
    x = (t - at) / (width / 2)
    return np.where(np.abs(x) < 1, height * 0.5 * (1 + np.cos(np.pi * x)), 0.0)


def dipole(seconds=12.0, rr=0.8, angles=(50, 20, 40), *, with_p=True, st=0.0, early=None):
    """Six limb leads of a heart whose P, QRS and T point to ``angles`` degrees."""
    t = np.arange(0, seconds, 1 / FS)
    times = np.arange(0.5, seconds - 0.5, rr)
    if early is not None:
        times[early] -= 0.3 * rr
    p, q, w = (np.zeros_like(t) for _ in range(3))
    for at in times:
        p += hump(t, at - 0.160, 0.10, 0.15 if with_p else 0.0)
        q += hump(t, at - 0.022, 0.030, -0.15) + hump(t, at, 0.044, 1.2) + hump(t, at + 0.026, 0.034, -0.25)
        w += hump(t, at + 0.26, 0.18, 0.35) + np.where((t > at + 0.043) & (t < at + 0.30), st, 0.0)
    seen = {}
    for lead, direction in ANGLES.items():
        gain = 1.0 if lead in {"I", "II", "III"} else math.sqrt(3) / 2
        parts = zip((p, q, w), angles, strict=True)
        seen[lead] = gain * sum(x * math.cos(math.radians(a - direction)) for x, a in parts)
    noise = 0.004 * np.random.default_rng(0).standard_normal((6, t.size))
    return (np.stack([seen[lead] for lead in LIMB]) + noise).astype(np.float32), times


def test_rate_and_intervals_are_those_that_the_ecg_was_made_with():
    signal, _ = dipole()
    found = measure(signal, FS, leads=LIMB)
    assert found["rr"] == pytest.approx(0.8, abs=0.002)
    assert found["heart_rate"] == pytest.approx(75, abs=0.2)
    # P begins 210 ms before R, the QRS 37 ms before it; the QRS ends 43 ms, T 350 ms after it. The flat ends of a
    # cosine are invisible, so that a cardiologist too would see shorter waves.
    assert found["pr"] == pytest.approx(0.173, abs=0.020)
    assert found["qrs"] == pytest.approx(0.080, abs=0.020)
    assert found["qt"] == pytest.approx(0.387, abs=0.025)
    assert found["p"] == pytest.approx(0.100, abs=0.025)


@pytest.mark.parametrize("angles", [(50, 20, 40), (75, 100, 60), (10, -45, 20), (60, 150, 30)])
def test_axes_point_where_the_dipole_points(angles):
    signal, _ = dipole(angles=angles)
    found = measure(signal, FS, leads=LIMB)
    for name, angle in zip(("p_axis", "qrs_axis", "t_axis"), angles, strict=True):
        assert found[name] == pytest.approx(angle, abs=6), name


def test_axes_follow_from_any_two_limb_leads():
    signal, _ = dipole()
    expected = measure(signal, FS, leads=LIMB)
    for pair in (("I", "II"), ("I", "aVF"), ("II", "III")):
        rows = [LIMB.index(lead) for lead in pair]
        found = measure(signal[rows], FS, leads=pair)
        assert found["qrs_axis"] == pytest.approx(expected["qrs_axis"], abs=3)
    alone = measure(signal[1], FS, leads=("II",))
    assert alone.whole["qrs_axis"].reason == "needs leads I and aVF, I and II, or II and III"
    assert math.isnan(alone["qrs_axis"])


def test_amplitudes_count_from_the_level_before_the_qrs():
    signal, _ = dipole(angles=(0, 0, 0))
    lead = measure(signal, FS, leads=LIMB).by_lead["I"]
    assert lead["r_amplitude"].value == pytest.approx(1.2, abs=0.05)
    assert lead["p_amplitude"].value == pytest.approx(0.15, abs=0.02)
    assert lead["t_amplitude"].value == pytest.approx(0.35, abs=0.02)
    assert lead["s_amplitude"].value == pytest.approx(-0.2, abs=0.06)
    assert lead["st_60"].value == pytest.approx(0.0, abs=0.02)


def test_an_inverted_wave_has_a_negative_amplitude_and_a_qs_is_an_s():
    signal, _ = dipole(angles=(0, 0, 0))
    lead = measure(-signal, FS, leads=LIMB).by_lead["I"]
    assert lead["t_amplitude"].value == pytest.approx(-0.35, abs=0.02)
    assert lead["p_amplitude"].value == pytest.approx(-0.15, abs=0.02)


@pytest.mark.parametrize("st", [-0.2, 0.2])
def test_a_raised_or_lowered_st_segment_is_measured(st):
    signal, _ = dipole(angles=(0, 0, 0), st=st)
    lead = measure(signal, FS, leads=LIMB).by_lead["I"]
    assert lead["st_60"].value == pytest.approx(st, abs=0.03)
    assert lead["st_80"].value == pytest.approx(st, abs=0.03)


def test_a_constant_offset_and_noise_do_not_move_amplitudes():
    signal, _ = dipole(angles=(0, 0, 0))
    expected = measure(signal, FS, leads=LIMB).by_lead["I"]["r_amplitude"].value
    moved = measure(signal + 2.5, FS, leads=LIMB).by_lead["I"]["r_amplitude"].value
    assert moved == pytest.approx(expected, abs=0.01)


def test_a_premature_beat_is_not_part_of_the_median_beat():
    signal, times = dipole(early=6)
    found = measure(signal, FS, leads=LIMB)
    early = int(np.abs(found.beats.r / FS - times[6]).argmin())
    assert not found.beats.in_median[early]
    assert found.beats.in_median.sum() >= len(found.beats.r) - 4
    assert found.median_beat.n_beats == found.beats.in_median.sum()
    assert found["heart_rate"] == pytest.approx(75, abs=0.5)


def test_a_beat_of_another_shape_is_not_part_of_the_median_beat():
    signal, times = dipole()
    t = np.arange(signal.shape[1]) / FS
    wide = (np.abs(t - times[7]) < 0.3)[None]
    other = np.outer([1, 0.6, -0.4, -0.8, 0.7, 0.1], hump(t, times[7], 0.18, -1.5) + hump(t, times[7] + 0.2, 0.2, 0.5))
    signal = np.where(wide, other, signal).astype(np.float32)
    found = measure(signal, FS, leads=LIMB)
    beat = int(np.abs(found.beats.r / FS - times[7]).argmin())
    assert abs(found.beats.r[beat] / FS - times[7]) < 0.1
    assert not found.beats.in_median[beat]


def test_beats_have_their_own_values_and_the_first_has_no_rr():
    signal, _ = dipole()
    beats = measure(signal, FS, leads=LIMB).beats
    assert math.isnan(beats.rr[0])
    assert beats.rr[1:] == pytest.approx(np.full(len(beats.r) - 1, 0.8), abs=0.01)
    rows = beats.as_rows()
    assert rows[0]["rr"] is None
    assert rows[3]["r"] == beats.r[3]


def test_without_p_waves_there_is_no_pr_and_the_rest_is_measured():
    signal, _ = dipole(with_p=False)
    found = measure(signal, FS, leads=LIMB)
    assert found.whole["pr"].reason == found.whole["p"].reason == found.whole["p_axis"].reason == "no P wave"
    assert found["qt"] == pytest.approx(0.387, abs=0.025)
    assert found.by_lead["II"]["p_amplitude"].reason == "no P wave"


@pytest.mark.parametrize(
    "signal",
    [np.zeros((2, 5000)), np.full((1, 5000), np.nan), np.zeros((1, 200)), np.zeros((0, 5000)), np.zeros((1, 0))],
    ids=["flat", "missing", "short", "no leads", "no samples"],
)
def test_nothing_to_measure_is_nan_with_a_reason_for_every_value(signal):
    found = measure(signal, FS)
    for name, value in found.whole.items():
        assert math.isnan(value.value), name
        assert value.reason
    assert found.as_dict()["whole"]["qt"] is None
    assert len(found.beats.r) == 0


def test_one_beat_has_intervals_and_no_rate():
    signal, times = dipole()
    a = int((times[3] - 0.38) * FS)
    found = measure(signal[:, a : a + int(1.0 * FS)], FS, leads=LIMB)
    assert len(found.beats.r) == 1
    assert found.whole["heart_rate"].reason == "one beat alone"
    assert math.isnan(found["qtc_bazett"])


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        # QT 400 ms at 75 beats per minute, by hand.
        ("bazett", 0.4472136),
        ("fridericia", 0.4308869),
        ("framingham", 0.4308),
        ("hodges", 0.42625),
    ],
)
def test_qt_is_corrected_by_the_published_formulas(formula, expected):
    assert corrected_qt(0.4, 0.8, formula) == pytest.approx(expected, abs=1e-6)
    assert corrected_qt(0.4, 1.0, formula) == pytest.approx(0.4)


def test_a_formula_that_is_not_one_is_named():
    with pytest.raises(InputError, match="'bazet' is not a formula for QT"):
        corrected_qt(0.4, 0.8, "bazet")


# What the devices measured, as their files say, of records in which all of it is there.
DEVICES = ["dicom/cardio_sample.dcm", "muse_xml/braveheart_example1.xml", "schiller_xml/cardio_sample.xml"]


@pytest.mark.parametrize("name", DEVICES)
def test_measurements_agree_with_the_devices_own(data, name):
    batch = (EcgDataset(path=[data / "formats" / name]) >> Pipeline().load()).next_batch(1)
    meta = batch.meta[0]
    device = meta["measurements"]
    found = measure(batch.signal[0], meta["fs"], leads=meta["leads"], units=meta["units"])
    assert found["heart_rate"] == pytest.approx(device["ventricular_rate"], abs=2)
    for ours, theirs, limit in (("pr", "pr_ms", 30), ("qrs", "qrs_ms", 25), ("qt", "qt_ms", 25)):
        assert 1000 * found[ours] == pytest.approx(device[theirs], abs=limit), ours
    # A P wave of 50 µV turns by more than 10° with 10 µV of noise.
    for axis, limit in (("p_axis", 25), ("qrs_axis", 15), ("t_axis", 15)):
        assert found[axis] == pytest.approx(device[axis], abs=limit), axis


def test_results_cannot_be_changed():
    found = measure(dipole(6.0)[0], FS, leads=LIMB)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.whole["qt"].value = 1.0


def test_single_missing_samples_do_not_cost_the_median_beat():
    signal, _ = dipole()
    holes = signal.copy()
    holes[:, ::97] = np.nan
    found, expected = measure(holes, FS, leads=LIMB), measure(signal, FS, leads=LIMB)
    assert found.median_beat.n_beats >= expected.median_beat.n_beats - 1
    assert found["qt"] == pytest.approx(expected["qt"], abs=0.01)


def test_a_lead_of_noise_does_not_cost_the_median_beat():
    signal, _ = dipole()
    noisy = signal.copy()
    noisy[4] = 0.4 * np.random.default_rng(1).standard_normal(signal.shape[1])
    found = measure(noisy, FS, leads=LIMB)
    assert found.median_beat.n_beats >= 10
    assert found["qt"] == pytest.approx(0.387, abs=0.03)


@pytest.mark.parametrize("scale", [1e-6, 1e6, 1e30, 3e38])
def test_any_scale_gives_a_result_or_reasons_and_no_warning(scale):
    signal, _ = dipole(6.0)
    with np.errstate(all="raise"):
        found = measure((signal * np.float32(scale / np.abs(signal).max())).astype(np.float32), FS, leads=LIMB)
    assert all(value.known or value.reason for value in found.whole.values())


def test_a_channel_that_is_not_a_voltage_has_no_amplitudes_and_no_part_in_the_median_beat():
    signal, times = dipole()
    t = np.arange(signal.shape[1]) / FS
    pressure = 80 + sum(hump(t, at + 0.25, 0.20, 40.0) for at in times)
    both = np.stack([signal[1], pressure.astype(np.float32)])
    found = measure(both, FS, leads=("II", "ABP"), units=("mV", "mmHg"))
    alone = measure(signal[1], FS, leads=("II",))
    assert {(v.known, v.reason) for v in found.by_lead["ABP"].values()} == {(False, "not a voltage")}
    assert found.by_lead["II"] == alone.by_lead["II"]
    assert np.isnan(found.median_beat.signal[1]).all()


def test_two_leads_of_one_name_both_have_amplitudes():
    signal, _ = dipole()
    found = measure(np.stack([signal[1], 2 * signal[1], signal[0]]), FS, leads=("II", "II", "I"))
    assert list(found.by_lead) == ["II", "II (2)", "I"]
    first, second = (found.by_lead[name]["r_amplitude"].value for name in ("II", "II (2)"))
    assert second == pytest.approx(2 * first, rel=0.01)
    assert list(found.as_dict()["leads"]) == ["II", "II (2)", "I"]


def test_a_lead_in_microvolts_is_told_from_a_channel_that_is_not_a_voltage():
    signal, _ = dipole()
    three = np.stack([signal[1], 1000 * signal[0], signal[0]])
    found = measure(three, FS, leads=("II", "I", "Resp"), units=("mV", "uV", "Ohm"))
    assert {v.reason for v in found.by_lead["I"].values()} == {"in uV, not in mV"}
    assert {v.reason for v in found.by_lead["Resp"].values()} == {"not a voltage"}
    assert [part.reason for part in found.delineation.by_lead[1].not_measured] == ["in uV, not in mV"]


@pytest.mark.parametrize(
    ("signal", "fs", "reason"),
    [
        (np.zeros((2, 5000), np.float32), 500.0, "no beats: flat"),
        (np.full((2, 5000), np.nan, np.float32), 500.0, "no beats: no samples"),
        (np.stack([np.zeros(5000), np.full(5000, np.nan)]).astype(np.float32), 500.0, "no beats: flat, no samples"),
        (np.random.default_rng(0).normal(0, 0.3, (1, 5000)).astype(np.float32), 500.0, "no beats: no QRS found"),
        (np.zeros((1, 800), np.float32), 80.0, "no beats: sampled at 80 Hz; waves need 100 Hz"),
        (np.zeros((1, 100), np.float32), 500.0, "no beats: shorter than 1 s"),
    ],
)
def test_without_beats_every_value_says_why_there_are_none(signal, fs, reason):
    found = measure(signal, fs)
    for name in ("heart_rate", "pr", "qrs", "qt", "qtc_bazett", "qrs_axis"):
        assert found.whole[name].reason == reason
