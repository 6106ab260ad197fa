"""The bundles that come with the package, by name."""

from __future__ import annotations

import numpy as np
import pytest

import cardioflow
from cardioflow import EcgDataset
from cardioflow.analysis.beats import detect_beats
from cardioflow.analysis.waves.delineate import delineate
from cardioflow.bundle import SkippedRecord
from cardioflow.bundle.json_form import as_json
from cardioflow.bundle.shipped_bundles import shipped_names
from cardioflow.errors import DumpError


def test_beats_waves_and_quality_are_shipped():
    assert {"beats", "quality", "waves"} <= set(shipped_names())


@pytest.mark.parametrize("name", shipped_names())
def test_a_shipped_bundle_loads_and_says_what_it_is_for_and_not_for(name):
    card = cardioflow.load(name).description.card
    assert card.intended
    assert card.not_for
    assert card.licence
    assert card.scores
    assert all(source.licence for source in card.data)


def test_beats_and_waves_are_those_of_the_functions(cinc):
    files = sorted(cinc.glob("*.hea"))[:3]
    batch = EcgDataset({str(f): f for f in files}).next_batch(3).load(components=["signal", "meta"])
    beats, waves = cardioflow.load("beats").predict(files), cardioflow.load("waves").predict(files)
    for i in range(3):
        expected = detect_beats(batch.signal[i], 300)
        np.testing.assert_array_equal(beats[i].beats.sample, expected.sample)
        found = as_json(beats[i])["beats"]
        assert found["sample"] == expected.sample.tolist()
        np.testing.assert_allclose(found["time_s"], expected.sample / 300, atol=1e-6)
        own = delineate(batch.signal[i], 300)
        np.testing.assert_array_equal(waves[i].waves.whole.qrs.onset, own.whole.qrs.onset)
        assert as_json(waves[i])["waves"]["whole"]["T"]["end"] == own.whole.t.end.tolist()


def test_beats_of_a_record_in_other_units_leave_the_other_channel_out(cinc):
    batch = EcgDataset({"r": cinc / "A00015.hea"}).next_batch(1).load(components=["signal", "meta"])
    x = batch.signal[0]
    both = np.concatenate([x, 50 * np.sin(np.arange(x.shape[1]) / 200)[None]])
    found = cardioflow.load("beats").predict(both, fs=300, leads=["I", "RESP"], units=["mV", "Ohm"])
    assert found.skipped == ()
    np.testing.assert_array_equal(found[0].beats.sample, detect_beats(x, 300).sample)
    assert [note.text for note in found[0].notes] == ["Channels in other units than mV were left out: RESP (Ohm)."]


@pytest.mark.parametrize("name", ["beats", "waves"])
def test_beats_and_waves_are_not_looked_for_where_there_are_none(name):
    bundle = cardioflow.load(name)
    rng = np.random.default_rng(0)
    noise = rng.normal(scale=0.3, size=(2, 5000))
    signals = [noise, np.zeros((2, 5000)), np.full((2, 5000), np.nan), noise[:, :500], noise * 1000]
    found = bundle.predict(signals, fs=500, leads=["I", "II"])
    assert [p.reasons[0].code for p in found] == ["noise", "flat", "missing_samples", "too_short", "out_of_range"]
    assert all(p.beats is None and p.waves is None for p in found)
    ecg = EcgDataset.simulated(1, rhythms=["SR"], leads="I,II").next_batch(1).load().signal[0]
    (one,) = bundle.predict(np.concatenate([ecg[:1], np.full_like(ecg[:1], np.nan)]), fs=300, leads=["I", "II"])
    assert one.judged
    (steps,) = bundle.predict(noise, fs=500, leads=["I", "II"], units="adu")
    assert steps.reasons[0].text == "No lead is in mV; the unit is numbers without a unit."


def test_quality_names_the_leads_that_are_bad_and_why(data):
    file = sorted((data / "ptbxl").rglob("*_hr.hea"))[0]
    batch = EcgDataset({"r": file}).next_batch(1).load(components=["signal", "meta"])
    good = batch.signal[0]
    bundle = cardioflow.load("quality")
    leads = list(batch.meta[0]["leads"])
    (clean,) = bundle.predict(good, fs=500, leads=leads)
    assert clean.labels == ("acceptable",)
    assert clean.probabilities["acceptable"] > 0.8
    assert all(own.acceptable for own in clean.lead_quality.values())
    bad = good.copy()
    bad[3:] = 0.0
    bad[0] += np.random.default_rng(0).normal(scale=1.0, size=bad.shape[1])
    (found,) = bundle.predict(bad, fs=500, leads=leads)
    assert found.labels == ("unacceptable",)
    assert [name for name, own in found.lead_quality.items() if own.acceptable] == leads[1:3]
    assert found.lead_quality[leads[5]].reasons == ("flat", "no_beats")
    assert "no_beats" in found.lead_quality[leads[0]].reasons
    # Without any good lead a record is not acceptable, however few leads it has.
    noise = np.random.default_rng(0).normal(scale=0.3, size=(2, 5000))
    (lost,) = bundle.predict(noise, fs=500, leads=["I", "II"])
    assert lost.labels == ("unacceptable",)
    assert not any(own.acceptable for own in lost.lead_quality.values())
    assert lost.probabilities["acceptable"] == max(own.probability for own in lost.lead_quality.values())


def test_the_settings_of_quality_are_checked():
    from cardioflow.bundle.methods.quality import Quality

    good = cardioflow.load("quality").description.settings
    for change in ({"weights": (1.0, 2.0)}, {"bias": "low"}, {"features": ("flat",)}, {"colour": 1}):
        with pytest.raises(DumpError):
            Quality.of({**good, **change}, {})


def test_a_file_that_is_not_an_ecg_is_skipped_with_the_reason(tmp_path):
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir")
    (left_out,) = cardioflow.load("beats").predict(path).skipped
    assert isinstance(left_out, SkippedRecord)
    assert "letter.txt" in left_out.reason
