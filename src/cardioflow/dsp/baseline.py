"""The baseline under an ECG: what drifts slowly."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.interpolate
import scipy.ndimage
from numpy.typing import NDArray

__all__ = ["median_baseline", "spline_baseline"]


def median_baseline(x: NDArray[Any], fs: float) -> NDArray[np.float32]:
    """Return the median over 0.2 s of the signal, and over 0.6 s of that, along the last axis.

    De Chazal, O'Dwyer and Reilly, IEEE Trans Biomed Eng 51 (2004) 1196. Both
    windows hold an odd number of samples; beyond the ends the signal keeps its last value.
    """
    baseline = np.array(x, dtype=np.float32)
    # Lead by lead: SciPy's filter for one axis is 30 times as fast as that for several.
    for lead in baseline.reshape(-1, x.shape[-1]):
        for width_s in (0.2, 0.6):
            lead[:] = scipy.ndimage.median_filter(lead, size=round(width_s * fs) | 1, mode="nearest")
    return baseline


def spline_baseline(x: NDArray[Any], fs: float, beats: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the cubic spline through the mean of each PR segment, 0.1 to 0.06 s before each beat, of (lead, time).

    Meyer and Keiser, Comput Biomed Res 10 (1977) 459. Before the first knot
    and after the last the baseline keeps its value.

    Raises:
        ValueError: when fewer than 4 beats have a PR segment inside the signal.
    """
    before, width = round(0.1 * fs), max(round(0.04 * fs), 1)
    starts = np.unique(beats - before)
    starts = starts[(starts >= 0) & (starts + width <= x.shape[-1])]
    if starts.size < 4:
        raise ValueError(f"a spline needs at least 4 annotated beats; found {starts.size}. Use method='median'")
    levels = np.stack([x[..., s : s + width].mean(axis=-1, dtype=np.float64) for s in starts], axis=-1)
    knots = starts + (width - 1) / 2
    at = np.clip(np.arange(x.shape[-1]), knots[0], knots[-1])
    return np.asarray(scipy.interpolate.CubicSpline(knots, levels, axis=-1)(at))
