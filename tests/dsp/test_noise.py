"""Powers as WFDB's nst measures them: A²/8 of the beats, the variance of the noise, without the extreme 5 %."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.dsp.noise import noise_power, signal_power

FS = 360.0
NONE = np.empty(0, np.int64)


def with_beats(heights, fs: float = FS) -> tuple[np.ndarray, np.ndarray]:
    """Return a flat lead with a triangle of 40 ms per second, as high as each of ``heights``."""
    at = (np.arange(len(heights)) * fs + fs / 2).astype(np.int64)
    x = np.zeros(round(len(heights) * fs))
    half = round(0.02 * fs)
    for beat, height in zip(at, heights, strict=True):
        x[beat - half : beat + half + 1] += height * (1 - np.abs(np.arange(-half, half + 1)) / half)
    return x, at


@pytest.mark.parametrize("fs", [100.0, 360.0, 1000.0])
def test_beats_of_one_height_have_an_eighth_of_its_square(fs):
    x, at = with_beats([2.0] * 40, fs)
    assert signal_power(x, fs, at) == pytest.approx(4 / 8)
    assert signal_power(x + 5, fs, at) == pytest.approx(4 / 8), "an offset is not a signal"
    assert signal_power(-x, fs, at) == pytest.approx(4 / 8)
    assert signal_power(3 * x, fs, at) == pytest.approx(9 * 4 / 8)


def test_the_smallest_and_the_largest_twentieth_do_not_count():
    heights = [0.01, *[1.0] * 18, 50.0]
    assert signal_power(*_swap(with_beats(heights))) == pytest.approx(1 / 8)
    # Of 19 beats, a twentieth is none: all count.
    heights = [*[1.0] * 18, 20.0]
    assert signal_power(*_swap(with_beats(heights))) == pytest.approx((38 / 19) ** 2 / 8)


def _swap(made):
    return made[0], FS, made[1]


def test_only_the_first_300_beats_count():
    x, at = with_beats([1.0] * 300 + [9.0] * 100)
    assert signal_power(x, FS, at) == pytest.approx(1 / 8)


def test_beats_outside_the_lead_are_passed_over():
    x, at = with_beats([1.0] * 10)
    assert signal_power(x, FS, np.concatenate([[-50], at, [x.size, x.size + 10]])) == pytest.approx(1 / 8)


def test_a_beat_at_the_very_end_is_measured_by_what_is_there():
    x = np.zeros(720)
    x[-1] = 1.0
    assert signal_power(x, FS, np.array([719])) == pytest.approx(1 / 8)


def test_without_beats_the_range_of_each_second_stands_for_one_and_the_larger_half_counts():
    x, _ = with_beats([2.0] * 10)
    assert signal_power(x, FS, NONE) == pytest.approx(4 / 8)
    x, _ = with_beats([0.0] * 5 + [2.0] * 5)
    assert signal_power(x, FS, NONE) == pytest.approx(4 / 8)


def test_less_than_a_second_without_beats_is_one_range():
    assert signal_power(np.array([0.0, 1.0, -1.0]), FS, NONE) == pytest.approx(4 / 8)


def test_nothing_has_no_power():
    assert signal_power(np.empty(0), FS, NONE) == 0
    assert noise_power(np.empty(0), FS) == 0


@pytest.mark.parametrize("fs", [100.0, 360.0, 257.0])
def test_white_noise_has_its_variance_and_a_sine_half_its_square(fs):
    n = round(120 * fs)
    noise = np.random.default_rng(0).normal(3.0, 0.2, n)
    assert noise_power(noise, fs) == pytest.approx(0.04, rel=0.03)
    sine = 0.5 * np.sin(2 * np.pi * 10 * np.arange(n) / fs)
    assert noise_power(sine, fs) == pytest.approx(0.125, rel=0.02)


def test_a_slow_drift_of_the_level_is_not_noise():
    # Within a second it rises by 0.01 mV.
    assert noise_power(np.arange(36_000) * 0.01 / FS, FS) < 1e-5


def test_a_burst_in_a_twentieth_of_the_seconds_does_not_count():
    noise = np.random.default_rng(1).normal(0, 0.1, 40 * 360)
    noise[720:1080] *= 100
    assert noise_power(noise, FS) == pytest.approx(0.01, rel=0.05)


def test_only_the_first_300_seconds_count():
    noise = np.random.default_rng(2).normal(0, 0.1, 400 * 100)
    noise[300 * 100 :] *= 50
    assert noise_power(noise, 100.0) == pytest.approx(0.01, rel=0.05)


def test_the_ratio_of_a_stress_test_follows_from_both():
    # nst: a gain of sqrt(S / (N · 10^(dB / 10))); at 0 dB both powers are the same.
    x, at = with_beats([1.6] * 60)
    noise = np.random.default_rng(3).normal(0, 0.3, x.size)
    s, n = signal_power(x, FS, at), noise_power(noise, FS)
    gain = np.sqrt(s / n)
    assert noise_power(gain * noise, FS) == pytest.approx(s, rel=1e-9)
