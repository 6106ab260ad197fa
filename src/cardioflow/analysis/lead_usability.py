"""What makes a lead hard to use: flat stretches, saturation, missing samples, wander, muscle noise, no beats."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.analysis.ecg_evidence import ecg_evidence
from cardioflow.errors import InputError

__all__ = ["FEATURES", "lead_usability"]

FEATURES: Final = ("missing", "flat", "saturated", "range", "steepest", "wander", "noise", "no_beats")
"""The names of the numbers, each 0 or near it for a good lead and larger for a worse one."""

_FLAT_MV: Final = 0.01
_RAIL_MV: Final = 10.0
_NORMAL_MV: Final = 2.0
_STEEP_MV: Final = 0.5
"""Between two samples 2 ms apart: an R wave of 3 mV that rises within 30 ms has 0.2."""
_SMALL: Final = 1e-4


def lead_usability(signal: ArrayLike, fs: float) -> NDArray[np.float64]:
    """Return the numbers ``FEATURES`` of each lead, as an array of shape (lead, feature).

    - ``missing``, ``flat``, ``saturated``: the share of samples that are missing, of seconds in which the lead stands
      still, and of samples beyond 10 mV, from 0 to 1.
    - ``range``: how far the middle 98 % of the samples spread beyond 2 mV, as a logarithm to base 2.
    - ``steepest``: how far the steepest change within 2 ms exceeds 0.5 mV, as a logarithm to base 2.
    - ``wander``: the logarithm to base 10 of 1 + the power below 0.7 Hz over that from 0.7 to 40 Hz.
    - ``noise``: the square root of the share of the power above 0.7 Hz that lies above 40 Hz.
    - ``no_beats``: 1 minus ``ecg_evidence``.

    Args:
        signal: millivolts of shape (lead, time); NaN marks missing samples.
        fs: the sampling rate in Hz, at least 100.

    Raises:
        InputError: when the signal has another shape, or the rate is too low.
    """
    x = np.asarray(signal, np.float64)
    if x.ndim != 2 or not x.shape[1]:
        raise InputError(f"lead_usability got a signal of shape {x.shape}. Pass (lead, time) with samples.")
    if not fs >= 100:
        raise InputError(f"lead_usability(fs={fs:g}) is below 100 Hz. Noise above 40 Hz cannot be seen at that rate.")
    known = np.isfinite(x)
    # The level of what is there: from an electrode's offset to 0, a gap would have two steep edges.
    filled = np.stack(
        [np.where(own, lead, np.median(lead[own]) if own.any() else 0.0) for lead, own in zip(x, known, strict=True)]
    )
    centred = filled - np.median(filled, axis=1, keepdims=True)
    low, mid, high = _powers(centred, fs)
    columns = (
        1.0 - known.mean(axis=1),
        _flat(filled, round(fs)),
        (known & (np.abs(x) > _RAIL_MV)).mean(axis=1),
        np.log2(np.maximum(np.ptp(np.percentile(filled, [1, 99], axis=1), axis=0) / _NORMAL_MV, 1.0)),
        np.log2(np.maximum(_steepest(filled, max(round(0.002 * fs), 1)) / _STEEP_MV, 1.0)),
        np.log10(1.0 + low / np.maximum(mid, _SMALL)),
        np.sqrt(high / np.maximum(mid + high, _SMALL)),
        1.0 - ecg_evidence(x, fs),
    )
    return np.stack(columns, axis=1)


def _flat(x: NDArray[np.float64], second: int) -> NDArray[np.float64]:
    second = min(second, x.shape[1])
    n = x.shape[1] // second
    ranges = np.ptp(x[:, : n * second].reshape(len(x), n, second), axis=2)
    return np.asarray((ranges < _FLAT_MV).mean(axis=1))


def _steepest(x: NDArray[np.float64], step: int) -> NDArray[np.float64]:
    if x.shape[1] <= step:
        return np.zeros(len(x))
    return np.asarray(np.abs(x[:, step:] - x[:, :-step]).max(axis=1))


def _powers(x: NDArray[np.float64], fs: float) -> tuple[NDArray[np.float64], ...]:
    """Return the power in mV² below 0.7 Hz, from 0.7 to 40 Hz and above."""
    n = x.shape[1]
    power = np.abs(np.fft.rfft(x * np.hanning(n), axis=1)) ** 2 / n**2
    frequency = np.fft.rfftfreq(n, 1 / fs)
    bands = (frequency < 0.7, (frequency >= 0.7) & (frequency <= 40), frequency > 40)
    return tuple(power[:, band].sum(axis=1) for band in bands)
