"""Power in frequency bands."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.signal
from numpy.typing import NDArray

__all__ = ["band_power", "periodogram"]


def periodogram(x: NDArray[Any], fs: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return frequencies in Hz and the power at each, along the last axis, demeaned and under a Hann window."""
    frequency, power = scipy.signal.periodogram(
        np.asarray(x, dtype=np.float64), fs, window="hann", detrend="constant", axis=-1
    )
    return frequency, power


def band_power(
    frequency: NDArray[np.float64], power: NDArray[np.float64], low: float, high: float
) -> NDArray[np.float64]:
    """Return the power between ``low`` and ``high`` Hz, both inclusive."""
    return np.asarray(power[..., (frequency >= low) & (frequency <= high)].sum(axis=-1))
