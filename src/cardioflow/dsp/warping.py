"""Time stretched and squeezed."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.interpolate
from numpy.typing import NDArray

__all__ = ["warp_map", "warped"]


def warp_map(speeds: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return the position from which each of ``n`` samples is read, rising from 0 to n - 1.

    Between the values ``speeds``, which are above zero and evenly spaced, the
    speed of reading is monotone.
    """
    if n < 2:
        return np.zeros(n)
    # Monotone between its knots (Fritsch and Carlson 1980), so that the speed never leaves their range.
    speed = scipy.interpolate.PchipInterpolator(np.linspace(0, n - 1, speeds.size), speeds)(np.arange(n))
    place = np.concatenate([[0.0], np.cumsum((speed[1:] + speed[:-1]) / 2)])
    return np.asarray(place * ((n - 1) / place[-1]))


def warped(x: NDArray[Any], source: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``x`` read at the positions ``source`` of its last axis, by a cubic spline."""
    if source.size < 2:
        return np.asarray(x, dtype=np.float64)
    spline = scipy.interpolate.CubicSpline(np.arange(x.shape[-1]), x.astype(np.float64), axis=-1)
    return np.asarray(spline(source))
