"""Statistics that the families share; NaN where there is nothing to compute them from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Doubles", "moment", "quantiles", "ratio"]

Doubles = NDArray[np.float64]


def ratio(part: Any, whole: Any) -> float:
    """Return ``part / whole``, NaN where ``whole`` is not above 0."""
    return float(part / whole) if whole > 0 else np.nan


def quantiles(values: Doubles, *levels: float) -> list[float]:
    """Return the quantiles at ``levels`` of the finite values; NaN where there are none."""
    finite = values[np.isfinite(values)]
    return [float(q) for q in np.quantile(finite, levels)] if finite.size else [np.nan] * len(levels)


def moment(values: Doubles, order: int) -> float:
    """Return the standardized central moment: skewness for 3, kurtosis for 4 (3 for a normal distribution)."""
    if values.size < 2:
        return np.nan
    centred = values - values.mean()
    variance = float(np.mean(centred**2))
    # What rounding leaves of a constant has no shape.
    if variance <= 1e-20 * max(1.0, float(np.max(np.abs(values))) ** 2):
        return np.nan
    # Products: a power of an array costs ten times as much.
    power = centred * centred * (centred if order == 3 else centred * centred)
    return float(np.mean(power) / variance ** (order / 2))
