"""Waves are where cardiologists put them; what cannot be measured has a reason, and no wave is made up."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow import EcgDataset, Pipeline
from cardioflow.analysis.waves.delineate import delineate
from cardioflow.dsp.resampling import resampled
from cardioflow.dsp.simulate import simulate_ecg
from cardioflow.errors import InputError

LUDB = {"fmt": "wfdb", "components": ["signal", "annotation", "meta"], "ann_ext": "ii"}
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


def read(path, **options):
    batch = (EcgDataset(path=[path]) >> Pipeline().load(**options)).next_batch(1)
    return batch.signal[0], float(batch.meta[0]["fs"]), batch.annotation[0] if options else None


def reference(marks, symbol):
    """Onset, peak and end of the waves of LUDB's annotation that have both brackets, in samples."""
    codes = marks.symbol.tolist()
    rows = [i for i, c in enumerate(codes) if c == symbol and codes[i - 1] == "(" and codes[i + 1 : i + 2] == [")"]]
    return np.array([marks.sample[i - 1 : i + 2] for i in rows if i])


@pytest.fixture(scope="module")
def ludb(data):
    """Lead II of LUDB's record 146, a sinus bradycardia of the network's train part: for what needs any clean ECG."""
    signal, fs, marks = read(
        data / "ludb" / "146.hea", fmt="wfdb", components=["signal", "annotation", "meta"], ann_ext="ii"
    )
    return signal, fs, marks


def nearest(found, true):
    return found[np.abs(found[:, None] - true[None, :]).argmin(axis=0)]


def resample(x, fs, to):
    flat, counts = resampled(np.float32(x), np.array([0]), np.array([x.size]), np.array([fs]), np.array([to]))
    return flat[: counts[0]]


def flat_marks(waves, fs):
    return np.concatenate([np.concatenate([w.onset, w.end]) / fs for w in (waves.p, waves.qrs, waves.t)])


@pytest.mark.parametrize(
    ("kind", "symbol", "on_ms", "end_ms"), [("P", "p", 24, 24), ("QRS", "N", 16, 20), ("T", "t", 40, 30)]
)
def test_boundaries_lie_where_the_cardiologist_put_them(ludb, kind, symbol, on_ms, end_ms):
    signal, fs, marks = ludb
    waves = delineate(signal, fs, leads=LEADS)["II"].of(kind)
    true = reference(marks, symbol)
    assert len(true) >= 5
    for side, column, limit in ((waves.onset, 0, on_ms), (waves.end, 2, end_ms)):
        errors = 1000 * (nearest(side, true[:, column]) - true[:, column]) / fs
        assert np.median(np.abs(errors)) <= limit
        assert np.abs(errors).max() < 75
    span = (waves.peak >= marks.sample[0]) & (waves.peak <= marks.sample[-1])
    assert abs(int(span.sum()) - len(true)) <= 1


def test_each_beat_finds_its_own_p_and_t(ludb):
    waves = delineate(ludb[0], ludb[1]).whole
    p, t = waves.p_of_beat(), waves.t_of_beat()
    assert len(p) == len(t) == len(waves.qrs)
    assert (p[1:] >= 0).all()
    assert (waves.p.end[p[1:]] <= waves.qrs.onset[1:]).all()
    assert (waves.t.onset[t[:-1]] >= waves.qrs.end[:-1]).all()
    assert (waves.t.end[t[:-1]] < waves.qrs.onset[1:]).all()


@pytest.mark.parametrize("to", [100.0, 128.0, 257.0, 360.0, 1000.0])
def test_another_rate_gives_the_same_times(ludb, to):
    x, fs, _ = ludb
    expected = flat_marks(delineate(x[1], fs).whole, fs)
    found = flat_marks(delineate(resample(x[1], fs, to), to).whole, to)
    assert found.size == expected.size
    # At 100 Hz, a sample is 10 ms, and what is above 50 Hz is gone.
    assert np.abs(found - expected).max() <= (0.025 if to < 200 else 0.012)


@pytest.mark.parametrize("gain", [-1.0, 0.2, 20.0])
def test_gain_and_direction_change_little(ludb, gain):
    x, fs, _ = ludb
    expected, found = delineate(x[1], fs).whole, delineate(gain * x[1], fs).whole
    for kind in ("P", "QRS", "T"):
        assert abs(len(found.of(kind)) - len(expected.of(kind))) <= 1
    assert np.abs(found.qrs.onset - expected.qrs.onset).max() <= 0.02 * fs


def test_no_wave_lies_in_a_gap_and_the_gap_is_told(ludb):
    x, fs, _ = ludb
    lead = x[1].copy()
    lead[2000:3200] = np.nan
    found = delineate(lead, fs).whole
    for kind in ("P", "QRS", "T"):
        waves = found.of(kind)
        assert ((waves.end < 2000) | (waves.onset >= 3200)).all()
    assert [(part.start, part.stop, part.reason) for part in found.not_measured] == [(2000, 3200, "no samples")]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda rng, n: np.full(n, np.nan), "no samples"),
        (lambda rng, n: np.zeros(n), "flat"),
        (lambda rng, n: np.full(n, 4.5), "flat"),
        (lambda rng, n: 0.3 * rng.standard_normal(n), "no QRS found"),
        (lambda rng, n: 0.001 * rng.standard_normal(n), "no QRS found"),
        (lambda rng, n: 0.5 * np.sin(2 * np.pi * 50 * np.arange(n) / 500), "no QRS found"),
        (lambda rng, n: np.sin(2 * np.pi * 0.3 * np.arange(n) / 500), "no QRS found"),
    ],
    ids=["missing", "zero", "constant", "noise", "quiet noise", "mains", "wander"],
)
def test_what_is_no_ecg_has_no_waves_and_a_reason(make, reason):
    found = delineate(make(np.random.default_rng(0), 5000), 500.0).whole
    assert [len(found.of(kind)) for kind in ("P", "QRS", "T")] == [0, 0, 0]
    assert reason in {part.reason for part in found.not_measured}
    assert sum(part.stop - part.start for part in found.not_measured) >= 4900


def test_a_lead_that_is_off_takes_none_of_the_other_leads_waves(ludb):
    x, fs, _ = ludb
    off = x.copy()
    off[3] = 0.0
    found = delineate(off, fs, leads=LEADS)
    assert len(found["aVR"].qrs) == 0
    assert [part.reason for part in found["aVR"].not_measured] == ["flat"]
    assert len(found.whole.qrs) == len(delineate(x, fs, leads=LEADS).whole.qrs)


def test_clipped_peaks_are_told_and_the_beats_still_found(ludb):
    x, fs, _ = ludb
    clipped = np.minimum(x[1], 0.25 * x[1].max())
    found = delineate(clipped, fs).whole
    assert len(found.qrs) == len(delineate(x[1], fs).whole.qrs)


def test_one_beat_is_one_beat(ludb):
    x, fs, marks = ludb
    p = reference(marks, "p")[0]
    part = x[1, p[0] - 150 : p[0] + 500]
    found = delineate(part, fs).whole
    assert [len(found.of(kind)) for kind in ("P", "QRS", "T")] == [1, 1, 1]


@pytest.mark.parametrize("noise_mv", [0.0, 0.001])
def test_one_beat_in_a_flat_record_has_one_p_one_qrs_and_one_t(ludb, noise_mv):
    x, fs, marks = ludb
    p = reference(marks, "p")[2]
    part = x[:, p[0] - 60 : p[0] + 400]
    alone = np.zeros((12, 10000), np.float32)
    alone[:, 5000:5460] = part - np.linspace(part[:, 0], part[:, -1], 460, axis=1)
    alone += np.float32(noise_mv) * np.random.default_rng(0).standard_normal(alone.shape).astype(np.float32)
    for found in (delineate(alone, fs).whole, delineate(alone[1], fs).whole):
        assert [len(found.of(kind)) for kind in ("P", "QRS", "T")] == [1, 1, 1]
        assert found.p.peak[0] == pytest.approx(5000 + p[1] - p[0] + 60, abs=0.02 * fs)


@pytest.mark.parametrize(
    ("n", "fs", "reason"), [(400, 500.0, "shorter than 1 s"), (500, 50.0, "sampled at 50 Hz; waves need 100 Hz")]
)
def test_too_short_and_too_slow_are_told(n, fs, reason):
    found = delineate(np.zeros((2, n)), fs)
    assert [part.reason for part in found.whole.not_measured] == [reason]
    assert len(found.by_lead) == 2


def test_a_channel_that_is_not_a_voltage_is_left_out(ludb):
    x, fs, _ = ludb
    pair = np.stack([x[1], 100 * np.sin(np.arange(x.shape[1]) / 300)])
    found = delineate(pair, fs, leads=("II", "RESP"), units=("mV", "l"))
    assert [part.reason for part in found["RESP"].not_measured] == ["not a voltage"]
    assert np.array_equal(found.whole.qrs.onset, delineate(x[1], fs).whole.qrs.onset)


def test_atrial_fibrillation_has_no_p_waves_and_sinus_rhythm_has():
    share = {}
    for rhythm in ("AF", "SR"):
        made = [simulate_ecg(key, rhythm=rhythm, fs=250.0, duration_s=20.0, leads=("II",)) for key in range(4)]
        waves = [delineate(one.signal, 250.0).whole for one in made]
        assert sum(len(w.qrs) for w in waves) == pytest.approx(sum(one.r_peaks.size for one in made), abs=6)
        share[rhythm] = sum(len(w.p) for w in waves) / sum(len(w.qrs) for w in waves)
    assert share["AF"] < 0.05
    assert share["SR"] > 0.9


def test_a_long_record_has_every_beat_once_across_the_pieces_it_is_worked_in(ludb):
    x, fs, marks = ludb
    r = reference(marks, "N")[:, 1]
    beat = x[1, r[1] - 250 : r[2] - 250]
    seam = np.linspace(0, beat[0] - beat[-1], beat.size)
    long = np.tile(beat + seam, 1200).astype(np.float32)
    assert long.size / fs > 1200
    found = delineate(long, fs).whole
    rr = np.diff(found.qrs.peak)
    assert (np.abs(rr - beat.size) <= 4).all()
    assert len(found.qrs) >= 1199


def test_a_record_in_parts_gives_the_same_waves_as_the_whole_bit_for_bit(data, monkeypatch):
    x, fs, _ = read(data / "mitdb" / "208.hea", fmt="wfdb", components=["signal", "meta", "annotation"], ann_ext="atr")
    x = x[:, : int(400 * fs)].copy()
    x[1, int(150 * fs) : int(170 * fs)] = np.nan
    whole = delineate(x, fs)
    monkeypatch.setattr("cardioflow.analysis.waves.delineate._PIECE_S", 128)
    monkeypatch.setattr("cardioflow.analysis.waves.unusable._BLOCK", 1000)
    parts = delineate(x, fs)
    assert len(whole.whole.qrs) > 600
    for one, other in zip((*whole.by_lead, whole.whole), (*parts.by_lead, parts.whole), strict=True):
        assert one.not_measured == other.not_measured
        for kind in ("P", "QRS", "T"):
            for name in ("onset", "peak", "end", "second_peak", "confidence"):
                np.testing.assert_array_equal(getattr(one.of(kind), name), getattr(other.of(kind), name))


def test_the_boundaries_of_all_leads_lie_outside_those_of_most(ludb):
    x, fs, _ = ludb
    found = delineate(x, fs, leads=LEADS)
    onsets = np.array([nearest(lead.qrs.onset, found.whole.qrs.onset) for lead in found.by_lead])
    ends = np.array([nearest(lead.qrs.end, found.whole.qrs.end) for lead in found.by_lead])
    assert (found.whole.qrs.onset <= np.median(onsets, axis=0)).all()
    assert (found.whole.qrs.end >= np.median(ends, axis=0)).all()
    # And yet no single lead sets them.
    assert (np.sort(onsets, axis=0)[1] <= found.whole.qrs.onset + 0.010 * fs).all()


@pytest.mark.parametrize(
    ("signal", "options", "said"),
    [
        (np.zeros((1, 2, 3)), {}, "signal of shape (1, 2, 3) and type float64 is not an ECG"),
        (np.zeros(500, complex), {}, "type complex128 is not an ECG"),
        (np.zeros((2, 500)), {"leads": ("I",)}, "leads=('I',) are 1 names for 2 leads"),
    ],
)
def test_what_is_not_an_ecg_is_refused(signal, options, said):
    with pytest.raises(InputError) as caught:
        delineate(signal, 250.0, **options)
    assert said in str(caught.value)


@pytest.mark.parametrize("fs", [0.0, -1.0, np.nan])
def test_a_rate_that_is_none_is_refused(fs):
    with pytest.raises(InputError, match="is not a sampling rate"):
        delineate(np.zeros(500), fs)


def test_a_lead_or_kind_that_is_not_there_is_named(ludb):
    found = delineate(ludb[0], ludb[1], leads=LEADS)
    with pytest.raises(InputError, match="'V7' is not a lead of this delineation"):
        found["V7"]
    with pytest.raises(InputError, match="'U' is not a kind of wave"):
        found.whole.of("U")
    with pytest.raises(InputError, match="12 is not the number of a lead"):
        found[12]


def test_a_real_atrial_fibrillation_has_no_p_waves_in_any_lead(data):
    signal, fs, _ = read(
        data / "ludb" / "44.hea", fmt="wfdb", components=["signal", "annotation", "meta"], ann_ext="ii"
    )
    found = delineate(signal, fs, leads=LEADS)
    assert len(found.whole.qrs) > 8
    assert len(found.whole.p) == 0
