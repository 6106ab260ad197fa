"""The rates, windows and filters of the beat detector, for each sampling rate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from cardioflow.errors import InputError

__all__ = ["BLOCK", "LAG", "LEAST_FS", "LONGEST_SHAPE", "Design", "design"]

BLOCK: Final = 256
"""Samples at the lower rate that are filtered at a time, about 2 s. Blocks begin at fixed places, however the
signal is divided into chunks, so that each sum adds the same numbers in the same order."""

LAG: Final = 128
"""Samples at the lower rate between the newest one and the newest candidate: half of each window in turn."""

LEAST_FS: Final = 80.0
"""Hz. Below this, the band of the QRS is no longer there."""

LONGEST_SHAPE: Final = 48
"""Samples that a candidate's shape may have; the rest of the row is zero."""

_WORKING_RATE: Final = 125.0


@dataclass(frozen=True, eq=False)
class Design:
    """All that the kernels need to know of a sampling rate."""

    step: int
    """Samples of the signal per sample at the lower rate, each the mean of as many."""
    rate: float
    """Hz at the lower rate: 100 to 200, or the signal's own where that is less."""
    band: NDArray[np.float32]
    """Taps of the band-pass of 3.5–25 Hz."""
    upper: NDArray[np.float32]
    """Taps of the band-pass of 18–45 Hz."""
    windows: NDArray[np.int64]
    """Half widths in samples: envelope, distance of candidates, shape, peak, shoulder; then a bin of 1 s."""


@lru_cache(maxsize=64)
def design(fs: float) -> Design:
    """Return the design for signals of ``fs`` Hz.

    Raises:
        InputError: when the rate is below 80 Hz, or is not a finite number.
    """
    if not (np.isfinite(fs) and fs >= LEAST_FS):
        raise InputError(f"detect_beats needs a sampling rate of at least {LEAST_FS:g} Hz, but got fs={fs!r}.")
    step = max(round(fs / _WORKING_RATE), 1)
    while step > 1 and fs / step < 100:
        step -= 1
    rate = fs / step
    windows = [round(0.1 * rate) // 2, round(0.09 * rate), round(0.1 * rate), round(0.05 * rate), round(0.14 * rate)]
    return Design(
        step,
        rate,
        _band_pass(0.4, 3.5, 25.0, rate),
        _band_pass(0.2, 18.0, min(45.0, 0.45 * rate), rate),
        np.array([*windows, round(rate)], np.int64),
    )


def _band_pass(seconds: float, low: float, high: float, rate: float) -> NDArray[np.float32]:
    """Return the taps of a filter whose delay is a whole number of samples: an odd, symmetric window design."""
    taps: Any = scipy.signal.firwin(round(seconds * rate) | 1, [low, high], pass_zero=False, fs=rate)
    return np.asarray(taps, np.float32)
