"""Signals brought to another sampling rate."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import scipy.signal
from numpy.typing import NDArray

__all__ = ["ratio", "resampled"]


def ratio(old: float, new: float) -> Fraction:
    """Return new/old as a fraction of whole numbers."""
    return Fraction(new).limit_denominator(10**6) / Fraction(old).limit_denominator(10**6)


def resampled(
    data: NDArray[Any],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    old: NDArray[np.float64],
    new: NDArray[np.float64],
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the resampled runs one after another, and the samples of each."""
    pieces = []
    for start, length, a, b in zip(starts, lengths, old, new, strict=True):
        r = ratio(a, b).limit_denominator(1000)
        pieces.append(scipy.signal.resample_poly(data[start : start + length], r.numerator, r.denominator))
    counts = np.array([len(p) for p in pieces], np.int64)
    return np.concatenate([np.empty(0, np.float32), *pieces]).astype(np.float32), counts
