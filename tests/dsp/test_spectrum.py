"""Power in bands: Parseval's sum, a sine where it is, and what a band's edges hold."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.dsp.spectrum import band_power, periodogram


@pytest.mark.parametrize("fs", [100.0, 257.0, 1000.0])
@pytest.mark.parametrize("hz", [1.0, 10.0, 45.0])
def test_a_sine_has_its_power_at_its_frequency(fs, hz):
    t = np.arange(round(20 * fs)) / fs
    frequency, power = periodogram(2.0 * np.sin(2 * np.pi * hz * t), fs)
    assert frequency[power.argmax()] == pytest.approx(hz, abs=0.05)
    step = frequency[1]
    # A²/2, of which Hann's window leaves all within two steps of the frequency.
    assert band_power(frequency, power, hz - 3 * step, hz + 3 * step) * step == pytest.approx(2.0, rel=0.01)
    assert band_power(frequency, power, hz + 4 * step, fs / 2) * step < 1e-3


def test_the_whole_is_the_variance():
    x = np.random.default_rng(0).normal(5.0, 0.3, 100_000)
    frequency, power = periodogram(x, 500.0)
    assert band_power(frequency, power, 0.0, 250.0) * frequency[1] == pytest.approx(x.var(), rel=0.02)


def test_an_offset_has_no_power():
    frequency, power = periodogram(np.full(1000, 7.0), 250.0)
    assert band_power(frequency, power, 0.0, 125.0) == pytest.approx(0, abs=1e-20)


def test_both_edges_of_a_band_belong_to_it():
    frequency, power = np.arange(5.0), np.array([1.0, 2, 4, 8, 16])
    assert band_power(frequency, power, 1.0, 3.0) == 14
    assert band_power(frequency, power, 1.1, 2.9) == 4
    assert band_power(frequency, power, 5.0, 9.0) == 0


def test_leads_keep_their_own_power_and_time_is_the_last_axis():
    t = np.arange(2000) / 500
    x = np.stack([np.sin(2 * np.pi * 8 * t), 3 * np.sin(2 * np.pi * 20 * t)])
    frequency, power = periodogram(x, 500.0)
    low, high = band_power(frequency, power, 5, 12), band_power(frequency, power, 15, 25)
    assert low.shape == (2,)
    assert low[0] > 1000 * low[1]
    assert high[1] == pytest.approx(9 * low[0], rel=0.01)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
def test_the_type_of_the_samples_does_not_matter(dtype):
    x = (1000 * np.sin(np.arange(1000) / 7)).astype(dtype)
    assert np.max(periodogram(x, 250.0)[1]) == pytest.approx(np.max(periodogram(x.astype(float), 250.0)[1]), rel=1e-6)
