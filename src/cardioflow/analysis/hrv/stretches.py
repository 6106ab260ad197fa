"""The stretches of a series of intervals that have no long gap."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["BRIDGED_S", "covered_s", "stretches"]

Doubles = NDArray[np.float64]

BRIDGED_S: Final = 5.0
"""Seconds that a spline bridges, as where an ectopic beat was left out. In 10 s it swings so far that a series without
power below 0.04 Hz gets 17 ms², and in 60 s 3 400 ms²."""


def stretches(end_s: Doubles, ms: Doubles) -> list[slice]:
    """Return the parts of the intervals ``ms``, which end at ``end_s``, between gaps of more than ``BRIDGED_S``."""
    if not ms.size:
        return []
    cuts = np.flatnonzero(_gaps(end_s, ms) > BRIDGED_S) + 1
    edges = [0, *cuts.tolist(), ms.size]
    return [slice(a, b) for a, b in pairwise(edges)]


def covered_s(end_s: Doubles, ms: Doubles) -> float:
    """Return the seconds from the first to the last interval, less the gaps between them."""
    gaps = _gaps(end_s, ms)
    # The times of beats are whole samples; a millisecond is not a gap.
    return float(end_s[-1] - end_s[0] - gaps[gaps > 1e-3].sum()) if ms.size else 0.0


def _gaps(end_s: Doubles, ms: Doubles) -> Doubles:
    return np.asarray(np.diff(end_s) - ms[1:] / 1000)
