"""What changes an ECG and not its waves leaves the delineation as it is: time, leads, offsets, units of storage."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.analysis.waves.delineate import delineate, voltages, why_not_measured
from cardioflow.dsp.simulate import simulate_ecg
from cardioflow.errors import InputError

FS = 250.0
LEADS = ("I", "II", "V1", "V5")


@pytest.fixture(scope="module")
def ecg() -> np.ndarray:
    """Four leads of twelve seconds at the rate of the network, so that nothing is resampled."""
    return simulate_ecg(11, fs=FS, duration_s=12, leads=LEADS, heart_rate=70).signal


@pytest.fixture(scope="module")
def waves(ecg):
    return delineate(ecg, FS, leads=LEADS)


def rows(found) -> list[list[int]]:
    own = found.whole
    return [m.onset.tolist() + m.peak.tolist() + m.end.tolist() for m in (own.p, own.qrs, own.t)]


def test_each_beat_has_a_p_a_qrs_and_a_t_in_their_order(ecg, waves):
    own = waves.whole
    assert 12 <= len(own.qrs) <= 15
    p, t = own.p_of_beat(), own.t_of_beat()
    inner = slice(1, -1)
    assert (p[inner] >= 0).all()
    assert (t[inner] >= 0).all()
    assert (own.p.end[p[inner]] < own.qrs.onset[inner]).all()
    assert (own.qrs.end[inner] < own.t.onset[t[inner]]).all()
    for marks in (own.p, own.qrs, own.t):
        assert (marks.onset <= marks.peak).all()
        assert (marks.peak <= marks.end).all()
        assert (np.diff(marks.onset) > 0).all()
        assert ((marks.confidence >= 0.4) & (marks.confidence <= 1)).all()


@pytest.mark.parametrize("offset", [-300.0, 5.0])
def test_the_offset_of_an_electrode_does_not_move_a_wave(ecg, waves, offset):
    moved = rows(delineate(ecg.astype(np.float64) + offset, FS))
    for one, two in zip(rows(waves), moved, strict=True):
        np.testing.assert_allclose(two, one, atol=1)


def test_the_order_of_leads_does_not_matter(ecg, waves):
    order = [2, 0, 3, 1]
    found = delineate(ecg[order], FS, leads=[LEADS[i] for i in order])
    assert rows(found) == rows(waves)
    for name in LEADS:
        np.testing.assert_array_equal(found[name].qrs.onset, waves[name].qrs.onset)


def test_whole_numbers_and_both_floats_give_the_same(ecg, waves):
    digital = np.rint(1000 * ecg)
    one = delineate(digital.astype(np.float32) / 1000, FS)
    assert rows(delineate(digital.astype(np.float64) / 1000, FS)) == rows(one)
    same = ecg.copy()
    same.flags.writeable = False
    assert rows(delineate(same, FS)) == rows(waves)


def test_a_lead_alone_may_have_one_axis(ecg):
    assert rows(delineate(ecg[1], FS)) == rows(delineate(ecg[1:2], FS))


def test_called_again_it_finds_the_same(ecg, waves):
    assert rows(delineate(ecg, FS)) == rows(waves)


def test_two_seconds_later_the_waves_are_two_seconds_later(ecg, waves):
    # Two seconds are a block, in which a lead is scaled; what stands before the first beat is quiet.
    quiet = np.repeat(ecg[:, :1], 500, axis=1) + 0.01 * np.random.default_rng(0).standard_normal((4, 500))
    late = delineate(np.concatenate([quiet, ecg], axis=1), FS).whole
    own = waves.whole.qrs.peak[1:]
    apart = np.abs((late.qrs.peak - 500)[:, None] - own[None, :]).min(axis=0)
    assert apart.max() <= 1


def test_half_of_the_record_has_the_waves_of_its_half(ecg, waves):
    n = ecg.shape[1] // 2
    first = delineate(ecg[:, :n], FS).whole.qrs.peak
    expected = waves.whole.qrs.peak[waves.whole.qrs.end < n - 25]
    assert len(first) == pytest.approx(len(expected), abs=1)
    assert np.abs(first[: len(expected)] - expected[: len(first)]).max() <= 2


def test_a_lead_twice_is_judged_as_one(ecg):
    twice = delineate(np.stack([ecg[1], ecg[1]]), FS)
    np.testing.assert_array_equal(twice[0].qrs.onset, twice[1].qrs.onset)
    np.testing.assert_array_equal(twice[0].p.peak, twice[1].p.peak)


def test_without_sharing_a_lead_among_others_is_the_lead_alone(ecg):
    among, alone = delineate(ecg, FS, share=False), delineate(ecg[2], FS)
    for kind in ("P", "QRS", "T"):
        np.testing.assert_array_equal(among[2].of(kind).onset, alone[0].of(kind).onset)


def test_global_boundaries_hold_the_median_of_the_leads(waves):
    whole = waves.whole.qrs
    for k in range(1, len(whole) - 1):
        own = [lead.qrs for lead in waves.by_lead]
        onsets = [lead.onset[np.abs(lead.peak - whole.peak[k]).argmin()] for lead in own]
        ends = [lead.end[np.abs(lead.peak - whole.peak[k]).argmin()] for lead in own]
        assert whole.onset[k] <= np.median(onsets) + 1
        assert whole.end[k] >= np.median(ends) - 1


@pytest.mark.parametrize("bad", ["nan", "flat", "noise"])
def test_a_bad_lead_neither_adds_a_beat_nor_takes_one(ecg, waves, bad):
    lead = {
        "nan": np.full(ecg.shape[1], np.nan),
        "flat": np.zeros(ecg.shape[1]),
        "noise": 0.5 * np.random.default_rng(1).standard_normal(ecg.shape[1]),
    }[bad]
    found = delineate(np.concatenate([ecg, lead[None]]), FS)
    assert len(found.whole.qrs) == len(waves.whole.qrs)
    assert np.abs(found.whole.qrs.peak - waves.whole.qrs.peak).max() <= 3
    if bad != "noise":
        assert len(found[4].qrs) == 0
        assert found[4].not_measured[0].reason == {"nan": "no samples", "flat": "flat"}[bad]


def test_units_tell_which_leads_are_voltages():
    assert voltages(None, 3).tolist() == [True, True, True]
    assert voltages(["mV", "bpm", "unknown", ""], 4).tolist() == [True, False, True, True]
    assert why_not_measured(["mV", "bpm"], 1) == "not a voltage"
    assert why_not_measured(["mV", "uV"], 1) == "in uV, not in mV"
    assert why_not_measured(["Volts"], 0) == "in Volts, not in mV"


def test_a_channel_that_is_not_a_voltage_leaves_the_others_as_they_are(ecg, waves):
    breath = 40 + 10 * np.sin(np.arange(ecg.shape[1]) / 200)
    found = delineate(np.concatenate([ecg[:2], breath[None], ecg[2:]]), FS, units=["mV", "mV", "%", "mV", "mV"])
    assert rows(found) == rows(waves)
    assert len(found[2].qrs) == 0
    assert found[2].not_measured[0].reason == "not a voltage"
    assert found[2].not_measured[0].stop == ecg.shape[1]
    alone = delineate(breath[None], FS, units=["%"])
    assert len(alone.whole.qrs) == 0
    assert alone.whole.not_measured[0].reason == "not a voltage"


def test_names_must_be_as_many_as_leads(ecg):
    with pytest.raises(InputError, match=r"are 2 names for 4 leads\. Pass one name per lead"):
        delineate(ecg, FS, leads=["I", "II"])


@pytest.mark.parametrize(
    ("shape", "reason"), [((0, 500), "no leads"), ((2, 249), "shorter than 1 s"), ((2, 0), "shorter")]
)
def test_what_is_too_little_says_so(shape, reason):
    found = delineate(np.zeros(shape), FS)
    assert len(found.whole.qrs) == 0
    assert found.whole.not_measured[0].reason.startswith(reason)
    assert len(found.by_lead) == shape[0]
