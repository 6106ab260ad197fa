"""The hidden Markov model in the place of the network: waves of a cardiologist, and leads of any polarity."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow import EcgDataset, Pipeline
from cardioflow.analysis.waves.delineate import delineate
from cardioflow.analysis.waves.markov import CENTRES_HZ, markov_probabilities, observations
from cardioflow.analysis.waves.prepare import prepare
from cardioflow.errors import InputError


@pytest.fixture(scope="module")
def record(data):
    """LUDB's record 146, of the train part, with the marks of lead II."""
    load = Pipeline().load(fmt="wfdb", components=["signal", "annotation", "meta"], ann_ext="ii")
    batch = (EcgDataset(path=[data / "ludb" / "146.hea"]) >> load).next_batch(1)
    return batch.signal[0][1], float(batch.meta[0]["fs"]), batch.annotation[0]


def test_the_modulus_of_a_sine_is_largest_in_the_band_nearest_to_it() -> None:
    t = np.arange(2500) / 250
    for k, hz in enumerate(CENTRES_HZ):
        seen = observations(np.sin(2 * np.pi * hz * t).astype(np.float32))[500:2000]
        assert seen.mean(axis=0).argmax() == k
        # The analytic signal of a sine of amplitude 1 has the modulus 1.
        assert np.exp(seen[:, k]).mean() == pytest.approx(1.01, abs=0.01)


def test_waves_are_found_where_the_cardiologist_marked_them_and_none_between(record) -> None:
    signal, fs, marks = record
    found = delineate(signal, fs, method="hmm").whole
    peaks = marks.sample[marks.symbol == "N"]
    inside = (found.qrs.peak > marks.sample[0]) & (found.qrs.peak < marks.sample[-1])
    assert inside.sum() == len(peaks)
    assert np.abs(found.qrs.peak[inside] - peaks).max() <= 0.02 * fs
    waves = marks.sample[marks.symbol == "t"]
    own = found.t.peak[(found.t.peak > marks.sample[0]) & (found.t.peak < marks.sample[-1])]
    assert len(own) == len(waves)
    assert np.abs(own - waves).max() <= 0.08 * fs


def test_a_lead_upside_down_has_the_same_probabilities(record) -> None:
    signal, fs, _ = record
    x = prepare(signal[None], fs).x
    np.testing.assert_allclose(markov_probabilities(-x), markov_probabilities(x), atol=1e-5)
    np.testing.assert_allclose(markov_probabilities(x).sum(axis=-1), 1, atol=1e-5)


def test_a_way_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="method='dwt' with network=None is not a way to delineate"):
        delineate(np.zeros((1, 1000)), 250.0, method="dwt")
