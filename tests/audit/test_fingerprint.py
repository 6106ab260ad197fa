"""A fingerprint is the same under another gain, rate and filter, and hashes find where two signals overlap."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
import scipy.signal
from numpy.typing import NDArray

from cardioflow.dsp.fingerprint import FS, Prints, correlations, fingerprints
from cardioflow.dsp.simulate import simulate_ecg


def ecg(seed: int, duration_s: float = 30.0, rhythm: Literal["SR", "AF"] = "AF") -> NDArray[np.float32]:
    return simulate_ecg(seed, rhythm=rhythm, fs=300.0, duration_s=duration_s).signal[0]


def prints(*signals: NDArray[np.float32], fs: float = 300.0) -> Prints:
    lengths = np.array([signal.size for signal in signals], np.int64)
    starts = np.cumsum(lengths) - lengths
    return fingerprints(np.concatenate(signals), starts, lengths, np.full(lengths.size, fs))


def test_landmarks_of_pulses_are_at_the_pulses_to_a_thousandth_of_a_second() -> None:
    # Gaussian waves of 20 ms at irregular times, which are no multiples of a sample.
    times = np.cumsum([1.0, 0.8134, 0.9271, 0.7018, 0.8809, 0.7777, 0.9321, 0.8404])
    t = np.arange(0, 9, 1 / 500)
    wave = np.exp(-0.5 * ((t[:, None] - times) / 0.02) ** 2).sum(1).astype(np.float32)
    found = prints(wave, fs=500.0)
    # Two hashes begin at each, with bins half a step apart.
    assert found.counts.tolist() == [8]
    np.testing.assert_allclose(found.at / FS, np.repeat(times[:4], 2), atol=1e-3)


def test_gain_polarity_and_offset_change_no_hash() -> None:
    signal = ecg(1)
    one, other = prints(signal), prints((-0.37 * signal + 5).astype(np.float32))
    np.testing.assert_array_equal(one.hashes, other.hashes)
    np.testing.assert_allclose(one.wave.astype(int), -other.wave.astype(int), atol=1)


@pytest.mark.parametrize("rate", [500, 250, 128, 100])
def test_most_hashes_survive_another_rate(rate: int) -> None:
    signal = ecg(2)
    other = scipy.signal.resample_poly(signal, rate, 300).astype(np.float32)
    one, two = prints(signal), prints(other, fs=float(rate))
    assert len(set(one.hashes) & set(two.hashes)) > 0.7 * one.hashes.size


def test_the_correlation_is_that_of_numpy_where_the_lag_is_whole() -> None:
    found = prints(ecg(3), ecg(4))
    n = found.lengths
    one, two = found.wave[: n[0]].astype(float), found.wave[n[0] :].astype(float)
    # Of a signal with itself and noise added, so that the correlation is above the first glance's 0.8.
    noisy = np.clip(np.rint(0.8 * one + 0.1 * two), -127, 127).astype(np.int8)
    wave = np.concatenate([found.wave[: n[0]], noisy])
    begin = np.array([0]), np.array([int(n[0])])
    size, seconds = correlations(wave, *begin, (n[:1], n[:1]), np.array([1500.0]), np.array([0.0]))
    expected = np.corrcoef(one[500:2500], noisy[500:2500].astype(float))[0, 1]
    assert size[0] == pytest.approx(expected, abs=1e-4)
    assert seconds[0] == pytest.approx(20.0)


def test_a_lag_between_two_samples_is_interpolated() -> None:
    signal = ecg(5, duration_s=40)
    found = prints(signal[1000:10000], signal[1001:10001])
    begin = np.array([0]), found.lengths[:1]
    lag = np.array([-100 / 300])
    size, _ = correlations(found.wave, *begin, (found.lengths[:1], found.lengths[1:]), np.array([1000.0]), lag)
    assert size[0] > 0.999


def test_a_flat_signal_has_no_landmark() -> None:
    assert prints(np.zeros(3000, np.float32), np.full(3000, 2.5, np.float32)).counts.tolist() == [0, 0]
