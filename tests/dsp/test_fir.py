"""Finite filters: taps by Kaiser's formula, and convolution as NumPy does it, run by run."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from cardioflow.dsp.fir import convolved, linear_phase


def gain(taps: np.ndarray, hz: float, fs: float) -> float:
    return float(abs(scipy.signal.freqz(taps, worN=[hz], fs=fs)[1][0]))


@pytest.mark.parametrize("fs", [128.0, 250.0, 257.0, 500.0])
@pytest.mark.parametrize(
    ("low", "high", "passed", "stopped"),
    [
        (None, 40.0, (0.0, 37.0), (43.0, 55.0)),
        (5.0, None, (8.0, 30.0), (0.0, 2.0)),
        (5.0, 25.0, (8.0, 22.0), (2.0, 28.0)),
    ],
    ids=["low-pass", "high-pass", "band-pass"],
)  # fmt: skip
def test_frequencies_beyond_the_transition_pass_whole_or_are_stopped_by_60_db(fs, low, high, passed, stopped):
    taps = linear_phase(low, high, 5.0, fs)
    for hz in passed:
        assert gain(taps, hz, fs) == pytest.approx(1.0, abs=2e-3), hz
    for hz in stopped:
        assert gain(taps, hz, fs) < 1.5e-3, hz


@pytest.mark.parametrize("width", [0.5, 1.0, 3.3, 10.0])
def test_taps_are_odd_in_number_and_symmetric_so_that_a_wave_stays_in_its_place(width):
    taps = linear_phase(None, 40.0, width, 360.0)
    assert taps.size % 2 == 1
    np.testing.assert_allclose(taps, taps[::-1], atol=1e-15)


def test_half_the_width_takes_twice_the_taps():
    wide, narrow = (linear_phase(None, 40.0, w, 500.0).size for w in (4.0, 2.0))
    assert narrow == pytest.approx(2 * wide, abs=3)


def runs(*parts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    lengths = np.array([p.size for p in parts], np.int64)
    return np.concatenate(parts).astype(np.float32), np.cumsum(lengths) - lengths, lengths


@pytest.mark.parametrize("size", [1, 2, 3, 4, 9, 10])
def test_a_run_with_zeros_around_is_convolved_as_numpy_does(size):
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=size)
    parts = [rng.normal(size=n) for n in (50, 11, 200)]
    out = convolved(*runs(*parts), kernel, "constant")
    for part, own in zip(parts, np.split(out, [50, 61]), strict=True):
        np.testing.assert_allclose(own, np.convolve(part.astype(np.float32), kernel, "same"), atol=1e-5)


@pytest.mark.parametrize(
    ("mode", "before", "after"),
    [("edge", 1, 4), ("constant", 0, 0), ("reflect", 2, 3), ("symmetric", 1, 4), ("wrap", 4, 1)],
)
def test_what_stands_outside_a_run_is_that_of_the_mode(mode, before, after):
    out = convolved(*runs(np.array([1.0, 2, 3, 4])), np.full(3, 1 / 3), mode)
    np.testing.assert_allclose(out, [(before + 3) / 3, 2, 3, (7 + after) / 3], atol=1e-6)


def test_neighbouring_runs_do_not_leak_and_an_empty_run_is_passed_over():
    out = convolved(*runs(np.ones(5), np.empty(0), np.zeros(5)), np.full(3, 1 / 3), "edge")
    np.testing.assert_allclose(out, [1] * 5 + [0] * 5, atol=1e-7)


def test_a_run_shorter_than_the_kernel_keeps_its_length():
    out = convolved(*runs(np.array([3.0])), np.full(21, 1 / 21), "edge")
    np.testing.assert_allclose(out, [3.0], atol=1e-6)


def test_a_kernel_that_is_not_symmetric_keeps_its_direction():
    pulse = np.zeros(9)
    pulse[4] = 1
    out = convolved(*runs(pulse), np.array([1.0, 2.0, 3.0]), "constant")
    assert out.tolist() == [0, 0, 0, 1, 2, 3, 0, 0, 0]


def test_read_only_integers_are_taken():
    data = np.array([1, 2, 3], np.int16)
    data.flags.writeable = False
    out = convolved(data, np.zeros(1, np.int64), np.array([3]), np.array([2.0]), "edge")
    assert out.dtype == np.float32
    assert out.tolist() == [2, 4, 6]


def test_a_missing_sample_spoils_only_what_the_kernel_reaches():
    x = np.ones(11)
    x[5] = np.nan
    out = convolved(*runs(x), np.full(3, 1 / 3), "edge")
    assert np.flatnonzero(np.isnan(out)).tolist() == [4, 5, 6]
