"""From stretches of a class to waves with an onset, a peak and an end."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.waves.prepare import FS
from cardioflow.analysis.waves.results import WaveMarks
from cardioflow.analysis.waves.sequence import QRS, Segments
from cardioflow.core.compiled import helper, kernel, read_only

__all__ = ["as_marks"]

_SECOND_PHASE: Final = 0.25
"""The smaller phase of a wave of two phases is at least this part of the larger one."""
_R_SHARE: Final = 0.1
"""An upward deflection of at least this part of the whole QRS is its R wave."""
_LEAST_CONFIDENCE: Final = 0.4
_SECOND_PHASE_MV: Final = 0.03
"""And at least so high, in millivolts."""


def as_marks(
    segments: Segments, kind: int, probabilities: NDArray[np.float32], millivolts: NDArray[np.float32], fs: float
) -> WaveMarks:
    """Return the waves of ``kind`` among ``segments`` of one lead.

    Args:
        segments: stretches at 250 Hz.
        kind: ``P``, ``QRS`` or ``T``.
        probabilities: (time, class) at 250 Hz.
        millivolts: the lead at 250 Hz, without baseline wander.
        fs: the rate of the signal, to which the marks count.
    """
    own = segments.kind == kind
    start, stop = segments.start[own], segments.stop[own]
    # A wave that touches an edge of the record began before it, or ends after it.
    whole = (start > 0) & (stop < len(probabilities))
    start, stop = start[whole], stop[whole]
    if not start.size:
        return WaveMarks.none()
    least, upward = (np.inf, _R_SHARE) if kind == QRS else (_SECOND_PHASE_MV, 0.5)
    p = np.ascontiguousarray(probabilities[:, kind])
    found, confidence = _measured(
        read_only(p), read_only(np.asarray(millivolts, np.float32)), read_only(start), read_only(stop), least, upward
    )
    onset, peak, end, second = np.rint(found * (fs / FS)).astype(np.int64)
    second[found[3] < 0] = -1
    # The most probable sequence may hold a wave that is itself improbable, to explain its neighbours.
    return WaveMarks(onset, peak, end, second, confidence).take(confidence >= _LEAST_CONFIDENCE)


@helper()
def _crossing(outside: float, inside: float) -> float:
    """Return how far from the outer sample, less a half, the probability passes one half; 0 where it does not."""
    if outside < 0.5 <= inside:
        return (0.5 - outside) / (inside - outside) - 0.5
    return 0.0


@kernel()
def _measured(  # noqa: PLR0917 -- a compiled kernel takes its arrays by position
    p: Any, x: Any, start: Any, stop: Any, least: float, upward: float
) -> Any:
    """Return onset, peak, end and second peak, in parts of a sample, and the mean probability of each wave."""
    n = start.size
    found = np.empty((4, n))
    confidence = np.empty(n)
    for k in range(n):
        a, b = start[k], stop[k]
        confidence[k] = p[a:b].mean()
        # The marks of the training data lie on the first and the last sample of a wave, half a sample inside the
        # place where the class changes.
        found[0, k] = a + _crossing(p[a - 1], p[a])
        found[2, k] = b - 1 - _crossing(p[b], p[b - 1])
        slope = (x[b - 1] - x[a]) / max(b - 1 - a, 1)
        high, low = 0.0, 0.0
        at_high, at_low = a, a
        for t in range(a, b):
            d = x[t] - x[a] - slope * (t - a)
            if d > high:
                high, at_high = d, t
            if d < low:
                low, at_low = d, t
        # The QRS is marked at R, where it has one, as cardiologists mark it; P and T at the larger deflection.
        up = high >= upward * (high - low)
        main, other = (at_high, at_low) if up else (at_low, at_high)
        size = max(high, -low)
        less = min(high, -low)
        found[1, k] = main
        found[3, k] = other if less >= _SECOND_PHASE * size and less >= least else -1.0
    return found, confidence
