"""Beats: where they are, whatever the rate, the lead, the gain and the chunks, and none where there is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cardioflow.analysis.beats import Beats, BeatStream, Unmeasured, detect_beats
from cardioflow.analysis.detectors.curve_length import CurveLength
from cardioflow.analysis.detectors.two_pass import TwoPass
from cardioflow.batch.annotation import BEATS
from cardioflow.errors import InputError
from cardioflow.io.reading import read_each, request_for

RATES = (100.0, 128.0, 180.0, 250.0, 257.0, 360.0, 500.0, 1000.0)


def _record(path: Path) -> tuple[np.ndarray, float, np.ndarray]:
    request = request_for(["signal", "meta", "annotation"], {"ann_ext": "atr"})
    record = read_each([path], "wfdb", request, {})[0]
    marks = record.annotation
    return record.signal, record.fs, marks.sample[np.isin(marks.symbol, list(BEATS))]


def _signal(path: Path) -> tuple[np.ndarray, float]:
    record = read_each([path], "wfdb", request_for(["signal", "meta"], {}), {})[0]
    return record.signal, record.fs


@pytest.fixture(scope="module")
def ventricular(data):
    """MITDB's 208: 2955 beats, a third of them ventricular or fusion beats."""
    return _record(data / "mitdb" / "208.hea")


def _synthetic(times_s, fs: float, seconds: float, noise_mv: float = 0.01) -> np.ndarray:
    """A P wave, a QRS of 1.2 mV that lasts about 80 ms, and a T wave, at each of ``times_s``."""
    t = np.arange(round(seconds * fs)) / fs
    x = noise_mv * np.random.default_rng(0).standard_normal(t.size)
    for at in times_s:
        for height, shift, width in ((0.12, -0.16, 0.025), (1.2, 0.0, 0.012), (-0.25, 0.032, 0.012), (0.3, 0.28, 0.05)):
            x += height * np.exp(-0.5 * ((t - at - shift) / width) ** 2)
    return x.astype(np.float32)


def _matched(beats: np.ndarray, found: np.ndarray, window: int) -> tuple[int, int]:
    """Return how many reference beats have no detection within ``window``, and how many detections no beat."""
    apart = np.abs(beats[:, None] - found[None, :])
    return int((apart.min(axis=1) > window).sum()), int((apart.min(axis=0) > window).sum())


@pytest.mark.parametrize("fs", RATES)
def test_the_fiducial_point_is_the_r_peak_at_every_rate(fs):
    times = np.arange(1.0, 29.0, 0.83)
    found = detect_beats(_synthetic(times, fs, 30.0), fs)
    assert len(found) == len(times)
    # The peak is between the samples at the lower rate, and the S wave pulls it by a millisecond or two.
    assert np.abs(found.sample / fs - times).max() < 0.004 + 0.5 / fs
    assert found.confidence.min() > 0.5


def test_a_record_with_ventricular_beats_is_found_beat_for_beat(ventricular):
    signal, fs, beats = ventricular
    found = detect_beats(signal[0], fs)
    missed, false = _matched(beats, found.sample, round(0.15 * fs))
    assert missed <= 8
    assert false <= 8


def test_the_simpler_detector_finds_the_same_record(ventricular):
    signal, fs, beats = ventricular
    missed, false = _matched(beats, CurveLength()(signal[0], fs).sample, round(0.15 * fs))
    assert missed <= 0.01 * len(beats)
    assert false <= 0.03 * len(beats)


@pytest.mark.parametrize("size", [97, 20_000, 100_000])
def test_chunks_give_the_same_beats_as_the_whole_bit_for_bit(ventricular, size):
    signal, fs, _ = ventricular
    x = signal[:, :200_000].copy()
    x[1, 50_000:60_000] = np.nan
    stream = BeatStream(fs, 2)
    parts = [stream.push(x[:, begin : begin + size]) for begin in range(0, x.shape[1], size)]
    assert sum(map(len, parts)) > 800, "beats come before the end"
    chunks, whole = Beats.joined([*parts, stream.finish()], fs), detect_beats(x, fs)
    for name in ("sample", "confidence", "lead", "deflection_mv"):
        assert np.array_equal(getattr(chunks, name), getattr(whole, name)), name
    assert chunks.unmeasured == whole.unmeasured == (Unmeasured(49998, 60000, 1, "samples are missing"),)


def test_a_beat_is_returned_at_most_20_s_after_it(ventricular):
    signal, fs, _ = ventricular
    stream, late = BeatStream(fs), []
    second = round(fs)
    for k in range(60):
        late += (((k + 1) * second - stream.push(signal[0, k * second : (k + 1) * second]).sample) / fs).tolist()
    assert len(late) > 50
    assert max(late) < 20


def test_gain_and_polarity_do_not_matter(ventricular):
    signal, fs, _ = ventricular
    x = signal[0, :100_000]
    found = detect_beats(x, fs)
    reversed_ = detect_beats(-x, fs)
    assert np.array_equal(found.sample, reversed_.sample)
    assert np.array_equal(found.deflection_mv, -reversed_.deflection_mv)
    assert np.array_equal(found.sample, detect_beats(4 * x, fs).sample)
    assert np.array_equal(found.sample, detect_beats(x + 300, fs).sample) or (
        np.abs(found.sample - detect_beats(x + 300, fs).sample).max() <= 3
    ), "an electrode offset of 300 mV costs digits of float32, not beats"


def test_a_noisy_lead_does_not_harm_a_clean_one(ventricular):
    signal, fs, beats = ventricular
    x = signal[0, :200_000]
    noise = np.random.default_rng(1).standard_normal(x.size).astype(np.float32)
    beats = beats[beats < x.size]
    alone = detect_beats(x, fs)
    for other in (noise, np.zeros_like(x), np.full_like(x, np.nan)):
        both = detect_beats(np.stack([x, other]), fs)
        missed, false = _matched(beats, both.sample, round(0.15 * fs))
        missed_alone, false_alone = _matched(beats, alone.sample, round(0.15 * fs))
        assert missed + false <= missed_alone + false_alone + 2
        assert (both.lead == 0).mean() > 0.99, "the place of the beat is measured in one lead"


def test_there_are_no_beats_where_there_are_none():
    random = np.random.default_rng(2)
    t = np.arange(5000) / 500
    assert len(detect_beats(0.05 * random.standard_normal(30 * 500), 500)) == 0, "noise"
    assert len(detect_beats(np.sin(2 * np.pi * 50 * t), 500)) == 0, "power line"
    assert len(detect_beats(0.5 * np.sin(2 * np.pi * 0.3 * t), 500)) == 0, "breathing"
    assert len(detect_beats(np.zeros(0), 500)) == 0
    assert len(detect_beats(np.zeros(7), 500)) == 0


@pytest.mark.parametrize("noise_mv", [0.0, 0.001, 0.01])
def test_one_beat_in_a_flat_record_is_one_beat_and_not_its_t_wave_too(data, noise_mv):
    x, fs = _signal(data / "ludb" / "146.hea")
    at = int(detect_beats(x, fs).sample[4])
    part = x[:, at - 175 : at + 250]
    alone = np.zeros((12, 5000), np.float32)
    alone[:, 2325:2750] = part - np.linspace(part[:, 0], part[:, -1], 425, axis=1)
    alone += np.float32(noise_mv) * np.random.default_rng(0).standard_normal(alone.shape).astype(np.float32)
    assert detect_beats(alone, fs).sample.tolist() == [pytest.approx(2500, abs=3)]
    assert detect_beats(alone[1], fs).sample.tolist() == [pytest.approx(2500, abs=10)]


def test_a_lone_beat_is_not_two_where_its_t_wave_ends_late_or_is_steep():
    # T tops 0.52 s after R, as in a long QT interval, and half as high as R.
    t = np.arange(5000) / 500 - 5
    late = np.exp(-0.5 * (t / 0.012) ** 2) + 0.5 * np.exp(-0.5 * ((t - 0.52) / 0.03) ** 2)
    assert detect_beats(late, 500.0).sample.tolist() == [2500]
    steep = -0.4 * np.exp(-0.5 * (t / 0.014) ** 2) + 0.6 * np.exp(-0.5 * ((t - 0.28) / 0.04) ** 2)
    assert detect_beats(steep, 500.0).sample.tolist() == [pytest.approx(2500, abs=3)]


def test_a_lone_couplet_is_two_beats_whichever_is_larger():
    t = np.arange(5000) / 500 - 5
    for second in (0.6, 1.0, 1.6):
        x = np.exp(-0.5 * (t / 0.014) ** 2) + second * np.exp(-0.5 * ((t - 0.5) / 0.014) ** 2)
        assert detect_beats(x, 500.0).sample.tolist() == [2500, 2750]


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [(1.0, "no QRS found; a signal this short has too few beats to compare"), (10.0, "no QRS found")],
)
def test_a_signal_without_beats_says_so_for_every_lead(seconds, reason):
    n = round(500 * seconds)
    noise = 0.05 * np.random.default_rng(3).standard_normal((2, n))
    assert detect_beats(noise, 500).unmeasured == (Unmeasured(0, n, 0, reason), Unmeasured(0, n, 1, reason))


def test_what_was_flat_or_missing_keeps_its_own_reason_where_no_beat_is_found():
    x = 0.05 * np.random.default_rng(3).standard_normal((2, 5000))
    x[0, :2000], x[1, 3000:] = 0.0, np.nan
    expected = (
        Unmeasured(0, 2000, 0, "the lead is flat"),
        Unmeasured(2000, 5000, 0, "no QRS found"),
        Unmeasured(3000, 5000, 1, "samples are missing"),
        Unmeasured(0, 3000, 1, "no QRS found"),
    )
    assert detect_beats(x, 500).unmeasured == expected
    stream = BeatStream(500.0, 2)
    parts = [stream.push(x[:, k : k + 700]) for k in range(0, 5000, 700)]
    assert set(Beats.joined([*parts, stream.finish()], 500.0).unmeasured) == set(expected)


def test_one_beat_leaves_nothing_to_say_about_the_rest(ventricular):
    signal, fs, _ = ventricular
    x = np.concatenate([signal[0, :20_000], np.random.default_rng(0).standard_normal(5000) * 0.02])
    assert detect_beats(x, fs).unmeasured == ()


def test_two_early_beats_of_one_size_after_a_pause_are_two():
    both = _synthetic([4.0, 4.4], 500.0, 8.0, noise_mv=0.0)
    np.testing.assert_allclose(detect_beats(both, 500.0).sample / 500, [4.0, 4.4], atol=0.01)


def test_a_flat_lead_and_missing_samples_are_named_with_the_reason():
    found = detect_beats(np.stack([np.full(5000, 0.7), np.full(5000, np.nan)]), 500)
    assert len(found) == 0
    assert found.unmeasured == (
        Unmeasured(0, 5000, 0, "the lead is flat"),
        Unmeasured(0, 5000, 1, "samples are missing"),
    )


def test_missing_samples_hide_only_the_beats_within_them():
    times = np.arange(1.0, 59.0, 0.8)
    x = _synthetic(times, 250.0, 60.0)
    x[20 * 250 : 25 * 250] = np.nan
    x[25 * 250 :] += 3.0
    found = detect_beats(x, 250.0)
    expected = times[(times < 19.95) | (times > 25.1)]
    assert _matched(np.rint(expected * 250).astype(int), found.sample, 5) == (0, 0)
    assert found.unmeasured == (Unmeasured(5000, 6250, 0, "samples are missing"),)


def test_a_clipped_signal_keeps_its_beats():
    times = np.arange(1.0, 29.0, 0.9)
    x = np.clip(_synthetic(times, 360.0, 30.0), -0.2, 0.5)
    assert _matched(np.rint(times * 360).astype(int), detect_beats(x, 360.0).sample, 8) == (0, 0)


@pytest.mark.parametrize("seconds", [5.0, 10.0])
def test_five_seconds_are_enough(seconds):
    times = np.arange(0.6, seconds - 0.4, 0.75)
    found = detect_beats(_synthetic(times, 500.0, seconds), 500.0)
    assert _matched(np.rint(times * 500).astype(int), found.sample, 10) == (0, 0)


@pytest.mark.parametrize("rate_bpm", [30, 40, 180, 220])
def test_slow_and_fast_hearts(rate_bpm):
    times = np.arange(1.0, 58.5, 60 / rate_bpm)
    t = np.arange(60 * 250) / 250
    x = 0.01 * np.random.default_rng(0).standard_normal(t.size)
    for at in times:
        x += 1.2 * np.exp(-0.5 * ((t - at) / 0.012) ** 2)
        x += 0.2 * np.exp(-0.5 * ((t - at - min(0.28, 27 / rate_bpm)) / 0.03) ** 2)
    assert _matched(np.rint(times * 250).astype(int), detect_beats(x, 250.0).sample, 5) == (0, 0)


def test_a_rate_too_low_for_the_band_is_refused_in_one_sentence():
    with pytest.raises(InputError, match=r"detect_beats needs a sampling rate of at least 80 Hz, but got fs=50\.0"):
        detect_beats(np.zeros(100), 50.0)
    with pytest.raises(InputError, match=r"Pass real millivolts of shape \(lead, time\)"):
        detect_beats(np.zeros((2, 3, 100)), 250.0)
    with pytest.raises(InputError, match=r"threshold=nan\) is not a finite number\. The default is -0\.3\."):
        detect_beats(np.zeros(100), 250.0, threshold=float("nan"))
    with pytest.raises(InputError, match=r"the stream has 1 leads"):
        BeatStream(250.0).push(np.zeros((2, 100)))


def test_a_stream_that_ended_refuses_more():
    stream = BeatStream(250.0)
    stream.finish()
    assert len(stream.finish()) == 0
    with pytest.raises(InputError, match=r"called after finish\(\)"):
        stream.push(np.zeros(100))


def test_the_detector_names_the_recordings_that_it_was_trained_on():
    trained = TwoPass().trained_on
    assert {"mitdb/101", "mitdb/207", "nstdb-noise/em"} <= set(trained)
    assert not {"mitdb/100", "mitdb/103", "mitdb/232", "mitdb/102"} & set(trained), "DS2 and the paced records are not"
