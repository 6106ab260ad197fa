"""The action ``detect_beats``: a set of events beside the file's own annotations."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow import EcgBatch, EcgDataset, Pipeline
from cardioflow.batch import Annotation
from cardioflow.errors import InputError, UnknownNameError


@pytest.fixture
def batch() -> EcgBatch:
    """Twenty seconds with a QRS each second from 0.5 s on, at 250 Hz, and as long without any."""
    t = np.arange(5000) / 250
    beats = np.exp(-0.5 * (((t - 0.5) % 1.0 - 0.0) / 0.012) ** 2) + np.exp(
        -0.5 * (((t - 0.5) % 1.0 - 1.0) / 0.012) ** 2
    )
    reference = Annotation(sample=np.array([7]), symbol=np.array(["V"]))
    return EcgBatch.from_arrays(
        [beats[None], np.zeros((1, 5000))], fs=250, ids=["sinus", "flat"], annotations=[reference, reference]
    )


def test_beats_are_a_set_of_their_own_with_confidence(batch):
    done = batch.detect_beats()
    assert done.beats[0].sample.tolist() == list(range(125, 5000, 250))
    assert done.beats[0].confidence.min() > 0.5
    assert set(done.beats[0].symbol.tolist()) == {"N"}
    assert len(done.beats[1]) == 0
    assert done.annotation[0] == batch.annotation[0], "the reference is left alone"


def test_beats_move_with_the_signal(batch):
    done = batch.detect_beats().resample_signals(500).slice_signals(slice(1000, None))
    assert done.beats[0].sample[:3].tolist() == [250, 750, 1250]


def test_two_detectors_stand_side_by_side(batch):
    done = batch.detect_beats().detect_beats("curve_length", dst="others")
    assert np.abs(done.others[0].sample[1:-1] - done.beats[0].sample[1:-1]).max() <= 3


def test_a_pipeline_detects_in_every_record(data):
    run = EcgDataset(data / "mitdb" / "*.hea") >> Pipeline().load(fmt="wfdb").detect_beats()
    found = [(part.ids[0], len(part.beats[0])) for part in run.batches(batch_size=1)]
    assert [name for name, _ in found] == ["119", "208"]
    assert abs(found[0][1] - 1987) <= 5
    assert abs(found[1][1] - 2955) <= 20


def test_wrong_names_and_slow_records_are_refused(batch):
    with pytest.raises(UnknownNameError, match="There is no detector 'two_passes'"):
        batch.detect_beats("two_passes")
    with pytest.raises(InputError, match=r"detect_beats\(dst='annotation'\) would write over the annotations"):
        batch.detect_beats(dst="annotation")
    slow = EcgBatch.from_arrays(np.zeros((1, 1, 500)), fs=50)
    with pytest.raises(InputError, match=r"at least 80 Hz, but got fs=50\.0"):
        slow.detect_beats()


def test_a_blood_pressure_beside_the_ecg_changes_no_beat(data):
    ecg = (EcgDataset(data / "mitdb" / "119.hea") >> Pipeline().load(fmt="wfdb")).next_batch(1).signal[0][:1, :10800]
    expected = EcgBatch.from_arrays([ecg], fs=360).detect_beats().beats[0]
    t = np.arange(10800) / 360
    pressure = 80 + sum(40 * np.exp(-(((t - r / 360 - 0.25) / 0.05) ** 2)) for r in expected.sample)
    both = np.stack([pressure, ecg[0]]).astype(np.float32)
    found = EcgBatch.from_arrays([both], fs=360, leads=["ABP", "MLII"], units=["mmHg", "mV"]).detect_beats().beats[0]
    assert found == expected
