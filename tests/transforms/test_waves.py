"""``delineate`` and ``measure`` write what the functions below them find, and leave the file's annotation alone."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow import EcgDataset, Pipeline
from cardioflow.analysis.measure.measure import measure
from cardioflow.analysis.waves.delineate import delineate
from cardioflow.analysis.waves.network import probabilities
from cardioflow.analysis.waves.prepare import prepare
from cardioflow.errors import InputError


@pytest.fixture(scope="module")
def batch(data):
    paths = [data / "ludb" / "146.hea", data / "ludb" / "44.hea"]
    load = Pipeline().load(fmt="wfdb", components=["signal", "annotation", "meta"], ann_ext="ii")
    return (EcgDataset(path=paths) >> load).next_batch(2)


def test_waves_are_a_named_set_of_events_beside_the_files_own_annotation(batch):
    done = batch.delineate()
    assert all(a is b for a, b in zip(done.annotation, batch.annotation, strict=True))
    marks, found = done.waves[0], delineate(batch.signal[0], 500.0)
    for channel, waves in ((0, found.whole), (2, found["1"])):
        own = marks.take(marks.channel == channel)
        qrs = own.take(own.num == 1)
        assert "".join(qrs.symbol.tolist()) == "(N)" * len(waves.qrs)
        assert np.array_equal(qrs.sample[::3], waves.qrs.onset)
        assert np.array_equal(qrs.sample[1::3], waves.qrs.peak)
        assert np.array_equal(qrs.sample[2::3], waves.qrs.end)
        assert np.array_equal(qrs.confidence[::3], waves.qrs.confidence)
    assert (np.diff(marks.sample) >= 0).all()


def test_waves_of_the_record_or_of_the_leads_alone_can_be_had(batch):
    assert set(batch.delineate(per="record").waves[0].channel.tolist()) == {0}
    assert set(batch.delineate(dst="mine", per="lead").mine[0].channel.tolist()) == set(range(1, 13))


def test_waves_move_with_the_signal(batch):
    before = batch.delineate(per="record").waves[0]
    after = batch.delineate(per="record").resample_signals(250).waves[0]
    assert np.abs(after.sample - before.sample / 2).max() <= 0.5


def test_what_was_not_measured_is_in_the_metadata(batch):
    signal = batch.component("signal")
    data = signal.data.copy()
    data[:5000] = np.nan  # lead I of the first record
    told = batch.replace(signal=signal.with_data(data)).delineate().meta[0]["waves_not_measured"]
    assert (1, 0, 5000, "no samples") in told


def test_the_file_s_annotation_is_not_overwritten(batch):
    with pytest.raises(InputError, match=r"would write over the annotation\. Choose another name, such as 'waves'"):
        batch.delineate(dst="annotation")


def test_wave_probabilities_are_those_of_the_network_and_come_after_the_leads(batch):
    two = batch.keep_channels(["II", "V1"]).resample_signals(250)
    done = two.append_wave_probabilities()
    assert done.meta[0]["leads"] == ("II", "V1", "II P", "II QRS", "II T", "V1 P", "V1 QRS", "V1 T")
    assert done.meta[0]["units"] == ("mV", "mV", *["1"] * 6)
    for before, after in zip(two.signal, done.signal, strict=True):
        assert np.array_equal(after[:2], before)
        expected = probabilities(prepare(before, 250.0).x)
        assert after[2:] == pytest.approx(np.concatenate([lead[:, 1:].T for lead in expected]), abs=1e-6)


def test_wave_probabilities_are_high_where_cardiologists_marked_waves_and_fibrillation_has_no_p(batch):
    # LUDB's annotation of lead II is at 500 Hz, twice the rate of the network.
    sinus, fibrillation = batch.keep_channels("II").append_wave_probabilities().signal
    for signal, marks, symbols in ((sinus, batch.annotation[0], "pNt"), (fibrillation, batch.annotation[1], "Nt")):
        for symbol in symbols:
            at = marks.sample[marks.symbol == symbol]
            assert at.size >= 7
            assert (signal["_pNt".index(symbol), at] > 0.5).all()
    assert fibrillation[1].max() < 0.5


def test_wave_probabilities_do_not_depend_on_the_scale_and_fit_any_length(batch):
    signal = batch.component("signal")
    scaled = batch.replace(signal=signal.with_data(signal.data * np.float32(1000)))
    one, two = (own.append_wave_probabilities().signal[0][12:] for own in (batch, scaled))
    assert two == pytest.approx(one, abs=1e-3)
    assert batch.slice_signals(slice(0, 100)).append_wave_probabilities().signal[0].shape == (48, 100)


def test_wave_probabilities_need_samples_everywhere(batch):
    signal = batch.component("signal")
    data = signal.data.copy()
    data[10] = np.nan
    with pytest.raises(InputError, match="Call fill_missing_signals first"):
        batch.replace(signal=signal.with_data(data)).append_wave_probabilities()


def test_measurements_are_a_mapping_per_record(batch):
    done = batch.measure()
    found = measure(batch.signal[0], 500.0, leads=batch.meta[0]["leads"])
    assert done.measurements[0]["qt"] == found["qt"]
    assert done.measurements[0]["by_lead"]["V5"]["r_amplitude"] == pytest.approx(
        found.by_lead["V5"]["r_amplitude"].value, abs=1e-6
    )
    # The second record is in atrial fibrillation.
    assert np.isnan(done.measurements[1]["pr"])
    assert done.measurements[1]["reasons"]["pr"] == "no P wave"


def test_a_pipeline_measures_record_after_record(data):
    files = EcgDataset(path=[data / "ludb" / "146.hea", data / "ludb" / "72.hea"])
    run = files >> Pipeline().load(fmt="wfdb").measure()
    rates = [row["heart_rate"] for part in run.batches(1) for row in part.measurements]
    assert len(rates) == 2
    assert all(40 < rate < 120 for rate in rates)


def test_cardios_name_gives_the_same_values_without_a_model(batch):
    done = batch.calc_ecg_parameters()
    own, found = done.ecg_parameters[0], batch.measure().measurements[0]
    assert (own["hr"], own["pq"], own["qrs"], own["qt"]) == tuple(found[n] for n in ("heart_rate", "pr", "qrs", "qt"))
    assert done.ecg_parameters[1]["pq"] is None
    onsets, ends = own["qrs_segments"]
    waves = delineate(batch.signal[0], 500.0).whole.qrs
    assert onsets == tuple(waves.onset.tolist())
    assert ends == tuple((waves.end + 1).tolist())
