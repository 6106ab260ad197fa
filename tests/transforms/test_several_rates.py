"""In a batch of several rates and lengths, each record is treated by its own, alone as among others."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from cardioflow import EcgBatch
from cardioflow.batch import Annotation
from cardioflow.errors import InputError

RATES = [100.0, 1000.0, 257.0, 250.0, 100.0]
LENGTHS = [700, 5000, 1300, 900, 333]


@pytest.fixture(scope="module")
def batch() -> EcgBatch:
    """Five records of two leads at four rates, with a mark in the middle and the number of the sample beside it."""
    rng = np.random.default_rng(5)
    signals = [rng.normal(size=(2, n)).cumsum(axis=-1) / 10 for n in LENGTHS]
    marks = [Annotation(sample=np.array([n // 2])) for n in LENGTHS]
    made = EcgBatch.from_arrays(signals, fs=RATES, leads=("I", "II"), annotations=marks, ids=list("abcde"))
    return made.with_component("place", [np.arange(n, dtype=np.float32) for n in LENGTHS], "time series")


def sos(order, edge, kind):
    return lambda x, fs: scipy.signal.sosfiltfilt(scipy.signal.butter(order, edge, kind, fs=fs, output="sos"), x)


def notch(x, fs):
    return scipy.signal.sosfiltfilt(np.concatenate(scipy.signal.iirnotch(30, 20, fs=fs))[None], x)


def fir(x, fs):
    n, beta = scipy.signal.kaiserord(60.0, 4 / (fs / 2))
    taps = scipy.signal.firwin(n | 1, 30, window=("kaiser", beta), fs=fs)
    half = len(taps) // 2
    wide = np.pad(x, [(0, 0), (half, half)], mode="symmetric")
    return np.stack([np.convolve(lead, taps, "valid") for lead in wide])


@pytest.mark.parametrize(
    ("action", "arguments", "reference"),
    [
        ("band_pass_signals", (1, 40), sos(4, [1, 40], "bandpass")),
        ("low_pass_signals", (35, 3), sos(3, 35, "lowpass")),
        ("high_pass_signals", (2.0, 2), sos(2, 2.0, "highpass")),
        ("notch_signals", (30, 1, 20.0), notch),
        ("fir_filter_signals", (None, 30, 4), fir),
    ],
)
def test_each_record_is_filtered_at_its_own_rate(batch, action, arguments, reference) -> None:
    done = getattr(batch, action)(*arguments)
    for x, y, fs in zip(batch.signal, done.signal, RATES, strict=True):
        np.testing.assert_allclose(y, reference(x.astype(float), fs), atol=5e-6, rtol=1e-5)
    assert done.fs.tolist() == RATES


def test_each_record_is_resampled_from_its_own_rate_with_all_that_belongs_to_it(batch) -> None:
    done = batch.resample_signals(200)
    ratios = [(2, 1), (1, 5), (200, 257), (4, 5), (2, 1)]
    for i, (up, down) in enumerate(ratios):
        expected = scipy.signal.resample_poly(batch.signal[i].astype(float), up, down, axis=-1)
        np.testing.assert_allclose(done.signal[i], expected, atol=2e-5)
        assert done.place[i].shape == (expected.shape[-1],)
        # A mark at sample s stands at s · up / down, to half a sample.
        assert abs(done.annotation[i].sample[0] - LENGTHS[i] // 2 * up / down) <= 0.5
    assert done.fs.tolist() == [200.0] * 5


def test_a_record_that_has_the_rate_already_is_the_same_among_others_that_have_not(batch) -> None:
    done = batch.resample_signals(100)
    for i in (0, 4):
        assert done.signal[i].tolist() == batch.signal[i].tolist()
        assert done.place[i].tolist() == batch.place[i].tolist()


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("remove_baseline", ()),
        ("flip_signals", ()),
        ("detect_lead_off", ()),
        ("signal_quality", ()),
        ("detect_powerline", ()),
        ("spectrogram", ()),
        ("cwt", ([2.0, 5.0],)),
        ("random_powerline", (0.1, 20)),
        ("random_baseline_wander", (0.5,)),
        ("random_speed", (0.7, 1.4)),
        ("random_time_warp", (0.3,)),
        ("random_coloured_noise", (1.0, 0.1)),
        ("random_recorded_noise", (np.random.default_rng(0).normal(size=(1, 3000)), 300.0, 3)),
    ],
)
def test_a_record_is_the_same_alone_and_among_records_of_other_rates(batch, action, arguments) -> None:
    whole = getattr(batch, action)(*arguments)
    for i in range(5):
        alone = getattr(batch[i], action)(*arguments)
        np.testing.assert_array_equal(alone.signal[0], whole.signal[i])
        for name in ("lead_off", "quality", "powerline"):
            if name in whole.columns:
                np.testing.assert_array_equal(getattr(alone, name)[0], getattr(whole, name)[i])
        assert alone.annotation[0] == whole.annotation[i]
        np.testing.assert_array_equal(alone.fs, whole.fs[i : i + 1])


def test_a_frequency_is_in_hertz_whatever_the_rate() -> None:
    flat = EcgBatch.from_arrays([np.zeros((1, 4000)), np.zeros((1, 2000))], fs=[1000, 250])
    done = flat.random_powerline(0.2, 50)
    for x, fs in zip(done.signal, (1000, 250), strict=True):
        f, p = scipy.signal.periodogram(x[0].astype(float), fs)
        assert f[p.argmax()] == pytest.approx(50, abs=0.3)
    slow = flat.random_baseline_wander(0.2, 0.5)
    for x, fs in zip(slow.signal, (1000, 250), strict=True):
        f, p = scipy.signal.periodogram(x[0].astype(float), fs)
        assert f[p.argmax()] == pytest.approx(0.5, abs=0.13)


def test_hum_is_found_at_its_frequency_at_each_rate() -> None:
    rng = np.random.default_rng(0)

    def noisy(hum, fs, seconds=10):
        t = np.arange(int(fs * seconds)) / fs
        return (0.05 * rng.normal(size=t.size) + 0.1 * np.sin(2 * np.pi * hum * t))[None]

    batch = EcgBatch.from_arrays(
        [noisy(50, 250), noisy(60, 500), noisy(50, 1000), noisy(40, 500), noisy(60, 130)], fs=[250, 500, 1000, 500, 130]
    )
    assert batch.detect_powerline().powerline.tolist() == [50, 60, 50, 0, 60]


def test_the_lowest_rate_of_a_batch_does_not_let_a_filter_pass_on_another(batch) -> None:
    with pytest.raises(InputError) as caught:
        batch.take([1, 0]).low_pass_signals(60)
    assert caught.value.record == "a"
    assert batch.take([1, 2, 3]).low_pass_signals(60).ids == ("b", "c", "d")


def test_a_beat_window_has_as_many_samples_as_the_rate_says() -> None:
    marks = [Annotation(sample=np.array([200])), Annotation(sample=np.array([1000]))]
    two = EcgBatch.from_arrays(
        [np.arange(500.0)[None], np.arange(2500.0)[None]], fs=[100, 500], annotations=marks, ids=["a", "b"]
    )
    done = two.crop_beats(0.25, 0.4)
    # 25 and 40 samples, 125 and 200: halves go to the even number.
    assert [x[0, [0, -1]].tolist() for x in done.signal] == [[175, 239], [875, 1199]]
    assert [own.sample.tolist() for own in done.annotation] == [[25], [125]]
    assert [float(s[0]) for s in done.provenance.segment_start_s] == [1.75, 1.75]


def test_starts_of_segments_are_in_the_seconds_of_their_own_record(batch) -> None:
    done = batch.split_signals(100, 50).unstack_signals()
    for record, start, segment in zip(
        done.provenance.record_id, done.provenance.segment_start_s, done.provenance.segment, strict=True
    ):
        assert start[0] == pytest.approx(50 * segment / RATES["abcde".index(record)])


def test_segments_keep_the_rate_of_their_record_when_it_is_changed(batch) -> None:
    rows = batch.take([0, 1]).split_signals(100, 300).unstack_signals().resample_signals(50)
    assert rows.signal.lengths.tolist() == [50] * 3 + [5] * 17
    assert set(rows.fs.tolist()) == {50.0}


@pytest.mark.parametrize("kind", [np.int16, np.int64, np.uint8, bool])
def test_states_at_several_rates_keep_their_type_and_last_as_long(kind) -> None:
    states = [(np.arange(n) // (fs / 10) % 2).astype(kind) for n, fs in ((400, 100), (2000, 500))]
    batch = EcgBatch.from_arrays([np.zeros((1, 400)), np.zeros((1, 2000))], fs=[100, 500])
    done = batch.with_component("states", states, "time series").resample_signals(250)
    for own in done.states:
        assert own.dtype == kind
        # A tenth of a second is 25 samples of 250 Hz, to a sample.
        edges = np.flatnonzero(np.diff(own.astype(int)))
        assert np.abs(edges + 1 - 25 * np.arange(1, len(edges) + 1)).max() <= 1
        assert own.size == 1000
