"""Spikes of a pacemaker: found where there are some, and never in a QRS, a wave or noise."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow import EcgBatch
from cardioflow.analysis.pacing import paced_beats, pacing_spikes
from cardioflow.errors import InputError


def _ecg(fs: float, spikes_s, leads: int = 3, seconds: float = 10.0) -> np.ndarray:
    t = np.arange(round(seconds * fs)) / fs
    x = np.zeros(t.size)
    for at in np.arange(0.5, seconds, 1.0):
        # The narrowest QRS that a heart makes, 2 mV high, and a T wave.
        x += 2.0 * np.exp(-0.5 * ((t - at) / 0.009) ** 2) + 0.3 * np.exp(-0.5 * ((t - at - 0.3) / 0.05) ** 2)
    x = x + 0.01 * np.random.default_rng(0).standard_normal((leads, t.size))
    for at in spikes_s:
        x[:, round(at * fs) : round(at * fs) + max(round(0.001 * fs), 1)] += 0.6
    return x


@pytest.mark.parametrize("fs", [500.0, 1000.0, 2000.0])
@pytest.mark.parametrize("leads", [1, 3, 12])
def test_each_spike_is_found_to_the_sample_and_no_qrs_is_one(fs, leads):
    at = np.arange(1.36, 9.0, 1.0)
    found = pacing_spikes(_ecg(fs, at, leads), fs)
    assert np.abs(found / fs - at).max() <= 0.0015
    assert len(found) == len(at)
    assert len(pacing_spikes(_ecg(fs, [], leads), fs)) == 0


@pytest.mark.parametrize("missing", [0, 1])
def test_a_lead_without_samples_hides_no_spike_of_the_others(missing):
    at = np.arange(1.36, 9.0, 1.0)
    two = _ecg(500.0, at, 2)
    two[missing] = np.nan
    assert len(pacing_spikes(two, 500)) == len(at)


def test_noise_and_single_leads_have_none():
    random = np.random.default_rng(1)
    assert len(pacing_spikes(0.1 * random.standard_normal((3, 10_000)), 500)) == 0
    one = _ecg(500.0, [])
    one[0, 1000] += 3.0
    assert len(pacing_spikes(one, 500)) == 0, "an artefact of one lead of three"
    assert len(pacing_spikes(np.full((2, 1000), np.nan), 500)) == 0
    assert len(pacing_spikes(np.zeros(3), 500)) == 0


def test_the_beats_that_follow_a_spike_have_the_symbol_of_paced_beats():
    batch = EcgBatch.from_arrays(_ecg(500.0, [4.4, 5.4])[None], fs=500)
    assert batch.detect_beats().beats[0].symbol.tolist() == ["N"] * 4 + ["/"] * 2 + ["N"] * 4
    assert paced_beats([100, 500], [450], 500.0).tolist() == [False, True]


def test_a_healthy_record_has_no_paced_beat(data):
    from cardioflow import EcgDataset, Pipeline

    run = EcgDataset(data / "ludb" / "*.hea") >> Pipeline().load(fmt="wfdb").detect_beats()
    symbols = [set(own.symbol.tolist()) for batch in run.batches(batch_size=4) for own in batch.beats]
    assert symbols
    assert sum("/" in own for own in symbols) <= 1


def test_a_low_rate_is_refused():
    with pytest.raises(InputError, match=r"pacing_spikes needs at least 500 Hz, but got fs=360\.0"):
        pacing_spikes(np.zeros(1000), 360.0)
