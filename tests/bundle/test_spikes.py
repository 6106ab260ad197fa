"""Spikes of a pacemaker are counted in all ECG leads of a record, and what a bundle then takes of it."""

from __future__ import annotations

import numpy as np

from cardioflow import EcgDataset
from cardioflow.bundle import BundleDescription, Limits
from cardioflow.bundle.screening import screened
from cardioflow.bundle.spikes import spike_counts, spike_notes

FS = 100.0


def batch_of(*signals, fs=FS, leads=None, units="mV"):
    arrays = [np.atleast_2d(np.asarray(x, np.float32)) for x in signals]
    names = leads or ["I", "II", "V1", "V2"][: len(arrays[0])]
    return EcgDataset.from_arrays(arrays, fs=fs, leads=names, units=units).next_batch(len(arrays)).load()


def wave(seconds: float = 10.0, fs: float = FS) -> np.ndarray:
    """Return a sine of ±1 mV, 1 Hz."""
    return np.sin(2 * np.pi * np.arange(round(seconds * fs)) / fs)


def spiked(n: int, fs: float = 1000.0, leads: int = 1) -> np.ndarray:
    """Return ten seconds of a slow wave with ``n`` spikes of 1 mV and 2 ms in each lead."""
    x = np.tile(0.1 * wave(10.0, fs), (leads, 1))
    for at in np.linspace(0.5, 9.5, n):
        x[:, round(at * fs) : round(at * fs) + 2] += 1.0
    return x


def test_spikes_are_counted_record_by_record_and_not_below_500_hz():
    batch = batch_of(spiked(4), spiked(7), fs=1000.0, leads=["I"])
    assert list(spike_counts(batch, "mV").values()) == [4, 7]
    slow = batch_of(spiked(4, 250.0), fs=250.0, leads=["I"])
    assert list(spike_counts(slow, "mV").values()) == [0]


def test_spikes_are_counted_in_ecg_leads_in_the_unit_of_the_bundle():
    x = np.concatenate([spiked(5), spiked(9)])
    # A respiration in mV without spikes would hide those of the one lead: fewer than three channels must agree.
    quiet = np.concatenate([spiked(5), 0.1 * wave(10.0, 1000.0)[None]])
    assert list(spike_counts(batch_of(quiet, fs=1000.0, leads=["I", "RESP"]), "mV").values()) == [5]
    other = batch_of(x, fs=1000.0, leads=["I", "II"], units=["mV", "Ohm"])
    assert list(spike_counts(other, "mV").values()) == [5]
    assert list(spike_counts(batch_of(spiked(5), fs=1000.0, leads=["I"], units="adu"), "mV").values()) == [0]
    # Channels without a known name count where there are no others.
    assert list(spike_counts(batch_of(spiked(5), fs=1000.0, leads=["signal 0"]), "mV").values()) == [5]


def test_a_recording_is_searched_in_parts_and_each_spike_is_counted_once():
    fs = 500.0
    x = np.tile(0.1 * wave(10.0, fs), 130)[None]
    at = np.arange(30, 1300, 100)
    x[:, (at * fs).astype(int)] += 1.0
    assert list(spike_counts(batch_of(x, fs=fs, leads=["I"]), "mV").values()) == [at.size]


def test_noise_that_has_spikes_gets_no_note_of_a_pacemaker():
    noise = np.random.default_rng(0).normal(0, 0.3, (1, 5000))
    assert spike_notes(20, noise, 500.0) == ()
    ecg = EcgDataset.simulated(1, rhythms=["SR"], duration_s=10, fs=500, leads="I").next_batch(1).load().signal[0]
    (note,) = spike_notes(3, ecg, 500.0)
    assert note.text.startswith("3 spikes of a pacemaker were found;")
    assert spike_notes(2, ecg, 500.0) == ()


# -- with the limits of a bundle -------------------------------------------------


def test_a_bundle_of_any_leads_takes_channels_of_any_name_unless_its_limits_say_otherwise():
    batch = batch_of(np.stack([wave(), wave()]), leads=["signal 0", "counter"])
    free = BundleDescription(name="b", output="beats", method="beats")
    assert screened(batch, free).kept.meta[0]["leads"] == ("signal 0", "counter")
    strict = BundleDescription(name="b", output="beats", method="beats", limits=Limits(other_channels="abstain"))
    (answer,) = screened(batch, strict).refused.values()
    assert answer.reasons[0].code == "no_known_lead"
    assert answer.reasons[0].text == (
        "None of the names of the channels is that of an ECG lead: signal 0, counter. If they are ECG leads, name them."
    )


def test_a_refused_record_keeps_its_place_and_the_others_their_numbers():
    batch = batch_of(wave(), np.zeros(1000), 2 * wave())
    found = screened(batch, BundleDescription(name="b", output="beats", method="beats", limits=Limits(most_flat=0.5)))
    assert found.kept.ids == ("0", "2")
    assert list(found.refused) == ["1"]
    np.testing.assert_allclose(found.kept.signal[1], 2 * wave()[None], rtol=1e-6)
