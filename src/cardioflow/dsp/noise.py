"""Signal-to-noise ratios as the noise stress test defines them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["noise_power", "signal_power"]


def signal_power(x: NDArray[Any], fs: float, beats: NDArray[np.int64]) -> float:
    """Return the power of one lead's ECG as WFDB's ``nst`` measures it, in squared millivolts.

    The peak-to-peak amplitude of each of the first 300 beats is taken within
    0.05 s of its annotation; without the smallest and largest 5 %, their mean A
    gives A²/8, the power of a sine wave of that amplitude. Without a beat, each
    second's range stands for one, of which the upper half counts.
    """
    reach = max(round(0.05 * fs), 1)
    inside = beats[(beats >= 0) & (beats < x.size)][:300]
    if inside.size:
        ranges = np.array([np.ptp(x[max(b - reach, 0) : b + reach + 1]) for b in inside])
    else:
        size = min(max(round(fs), 1), x.size)
        ranges = np.ptp(x[: x.size // size * size].reshape(-1, size), axis=1) if size else np.zeros(1)
        ranges = np.sort(ranges)[ranges.size // 2 :]
    return float(_trimmed_mean(ranges) ** 2 / 8)


def noise_power(x: NDArray[Any], fs: float) -> float:
    """Return the power of one noise signal as WFDB's ``nst`` measures it, in squared millivolts.

    The standard deviation of each of the first 300 seconds; without the
    smallest and largest 5 %, the square of their mean.
    """
    if not x.size:
        return 0.0
    size = min(max(round(fs), 1), x.size)
    seconds = x[: x.size // size * size].reshape(-1, size)[:300]
    return float(_trimmed_mean(seconds.std(axis=1, dtype=np.float64)) ** 2)


def _trimmed_mean(values: NDArray[Any]) -> float:
    cut = int(0.05 * values.size)
    return float(np.sort(values)[cut : values.size - cut].mean(dtype=np.float64))
