from __future__ import annotations

import numpy as np
import pytest

from cardioflow.dsp.amplitude import amplitude_warnings

LEADS = ("I", "II")
MV = ("mV", "mV")


def wave(*amplitudes: float, n: int = 5000, offset: float = 0.0) -> np.ndarray:
    """Sine waves with the RMS ``amplitudes``."""
    sine = np.sqrt(2) * np.sin(np.arange(n) * 0.7)
    return (np.array(amplitudes)[:, None] * sine + offset).astype(np.float32)


@pytest.mark.parametrize(
    ("amplitudes", "expected"),
    [
        ((0.3, 0.01), ()),
        ((19.9, 0.0011), ()),
        ((0.3, 76.0), ("RMS above 20 mV: II 76 mV",)),
        ((300.0, 76.0), ("RMS above 20 mV: I 300 mV, II 76 mV",)),
        ((0.0009, 0.3), ("RMS below 1 µV: I 0.9 µV",)),
        ((0.3, 0.0), ("RMS below 1 µV: II 0 µV",)),
        ((0.0, 21.0), ("RMS above 20 mV: II 21 mV", "RMS below 1 µV: I 0 µV")),
    ],
)
def test_implausible_amplitudes_are_named(amplitudes, expected):
    assert amplitude_warnings(wave(*amplitudes), LEADS, MV) == expected


def test_an_offset_of_the_electrodes_is_not_an_amplitude():
    assert amplitude_warnings(wave(0.3, 0.3, offset=200.0), LEADS, MV) == ()


def test_channels_in_other_units_are_ignored():
    assert amplitude_warnings(wave(80.0, 0.0), LEADS, ("mmHg", "adu")) == ()


def test_missing_samples_do_not_count():
    signal = wave(0.3, 0.3)
    signal[0, :4000] = np.nan
    signal[1] = np.nan
    assert amplitude_warnings(signal, LEADS, MV) == ()
    signal[0] *= 1000
    assert amplitude_warnings(signal, LEADS, MV) == ("RMS above 20 mV: I 300 mV",)


@pytest.mark.parametrize("n", [1, 2, 249, 250, 251, 900_000])
def test_a_lead_of_any_length_is_judged_by_all_its_samples(n):
    # At the samples of the first look the signal is 0, between them it is a proper one.
    signal = wave(0.3, 0.3, n=n)
    step = max(n // 250, 1) | 1
    signal[0, ::step] = 0.0
    rms = signal[0].std(dtype=np.float64)
    assert bool(amplitude_warnings(signal[:1], LEADS[:1], MV[:1])) is bool(rms < 1e-3)
