"""The electrical axis of a wave in the frontal plane."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.measure.results import Value

__all__ = ["axis"]

Floats = NDArray[np.float32]

_SMALLEST_MVS: Final = 2e-4
"""Millivolt seconds. The direction of a smaller area (20 µV for 10 ms) is that of noise."""


def axis(leads: Mapping[str, NDArray[np.float32]], start: int, stop: int, fs: float, n_beats: int) -> Value:
    """Return the axis in degrees of the area of a wave between two samples of a median beat.

    From leads I and aVF, as the hexaxial system defines it: 0° points to the left, 90° down. aVF is II - I / 2, or
    (II + III) / 2, where it was not recorded. The area between the wave and the line from its onset to its end counts,
    so that a slope of the baseline does not turn the axis. aVF is an augmented lead, √3/2 as sensitive as I.
    """
    first: Floats
    foot: Floats
    if "I" in leads and "aVF" in leads:
        first, foot = leads["I"], leads["aVF"]
    elif "I" in leads and "II" in leads:
        first, foot = leads["I"], leads["II"] - np.float32(0.5) * leads["I"]
    elif "II" in leads and "III" in leads:
        first, foot = leads["II"] - leads["III"], np.float32(0.5) * (leads["II"] + leads["III"])
    else:
        return Value(math.nan, 0, "needs leads I and aVF, I and II, or II and III")
    x, y = _area(first[start : stop + 1], fs), _area(foot[start : stop + 1], fs) * 2 / math.sqrt(3)
    if not (math.isfinite(x) and math.isfinite(y)):
        return Value(math.nan, 0, "a limb lead has gaps")
    if math.hypot(x, y) < _SMALLEST_MVS:
        return Value(math.nan, 0, "the wave is too small to have a direction")
    return Value(math.degrees(math.atan2(y, x)), n_beats)


def _area(x: NDArray[np.float32], fs: float) -> float:
    if not x.size:
        return 0.0
    return float(np.sum(x - np.linspace(x[0], x[-1], x.size)) / fs)
