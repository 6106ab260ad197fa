"""The most probable sequence of waves: P before QRS, T after QRS, none too short."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.compiled import kernel, read_only

__all__ = ["NONE", "QRS", "P", "Segments", "T", "most_probable"]

NONE, P, QRS, T = range(4)
"""The classes of the network."""

# The states of the sequence, and the class that each emits. After T, and after a QRS without a T, comes REST; between
# a QRS and its T comes ST. T is entered from QRS and ST alone, so that no T stands where no QRS was.
_REST, _P, _QRS, _ST, _T = range(5)
_CLASS: Final = np.array([NONE, P, QRS, NONE, T])
_SHORTEST_S: Final = np.array([0.02, 0.032, 0.032, 0.0, 0.060])
"""Seconds. Shorter stretches are not waves: P and QRS last 50 ms and more, T 100 ms and more; nor is a break of less
than 20 ms the end of one."""

# Logarithms of the probability to go from a state (row) to another (column), up to a constant; what is not listed
# does not happen. They were chosen on held-out leads of LUDB's train part.
_STEP: Final = np.full((5, 5), -np.inf)
_STEP[_REST, _P] = -2.0
_STEP[_REST, _QRS] = -2.0
_STEP[_P, _REST] = 0.0
_STEP[_P, _QRS] = 0.0
_STEP[_QRS, _REST] = -2.0
_STEP[_QRS, _ST] = 0.0
_STEP[_QRS, _T] = 0.0
_STEP[_QRS, _P] = -3.0
_STEP[_ST, _T] = -2.0
_STEP[_T, _REST] = 0.0
_STEP[_T, _P] = -2.0
_STEP[_T, _QRS] = -3.0

_SMALLEST: Final = 1e-4
"""The network is not surer than this of what is not there."""


class Segments(NamedTuple):
    """Stretches of one class, in order of time; stretches of none are left out."""

    kind: NDArray[np.int64]
    """``P``, ``QRS`` or ``T``."""
    start: NDArray[np.int64]
    """The first sample of each."""
    stop: NDArray[np.int64]
    """The sample after the last."""


def most_probable(probabilities: NDArray[Any], fs: float) -> Segments:
    """Return the sequence of waves of the largest probability (Viterbi), from (time, class) at ``fs`` Hz.

    The states have the explicit shortest durations of a semi-Markov model; beyond these a state goes on as long as its
    class is probable.
    """
    if not len(probabilities):
        empty = np.empty(0, np.int64)
        return Segments(empty, empty, empty)
    scores = np.log(np.maximum(probabilities, _SMALLEST)).astype(np.float64)[:, _CLASS]
    shortest = np.maximum(np.rint(_SHORTEST_S * fs), 1).astype(np.int64)
    states = _viterbi(read_only(scores), read_only(_STEP), read_only(shortest))
    classes = _CLASS[states]
    edges = np.flatnonzero(np.diff(states)) + 1
    start, stop = np.concatenate([[0], edges]), np.concatenate([edges, [states.size]])
    kind = classes[start]
    kept = kind != NONE
    return Segments(kind[kept], start[kept], stop[kept])


@kernel()
def _viterbi(scores: Any, step: Any, shortest: Any) -> Any:
    n, m = scores.shape
    # Scores are needed as far back as the longest of the shortest durations; they stand in a ring.
    size = shortest.max() + 2
    best = np.full((size, m), -np.inf)
    summed = np.zeros((size, m))
    # Where the stretch began that is in state s at time t, and which state came before it.
    began = np.zeros((n, m), np.int32)
    before = np.full((n, m), -1, np.int8)
    total = np.zeros(m)
    for t in range(n):
        here, last = t % size, (t - 1) % size
        for s in range(m):
            total[s] += scores[t, s]
            summed[here, s] = total[s]
            best[here, s] = -np.inf
        for s in range(m):
            if t > 0 and best[last, s] > -np.inf:
                best[here, s] = best[last, s] + scores[t, s]
                began[t, s] = began[t - 1, s]
                before[t, s] = before[t - 1, s]
            first = t - shortest[s] + 1
            # The record may begin inside a wave, of which any part may be missing.
            if (t == 0 or first == 0) and total[s] > best[here, s]:
                best[here, s] = total[s]
                began[t, s] = 0
                before[t, s] = -1
            if first > 0:
                inside = total[s] - summed[(first - 1) % size, s]
                for r in range(m):
                    if step[r, s] > -np.inf:
                        value = best[(first - 1) % size, r] + step[r, s] + inside
                        if value > best[here, s]:
                            best[here, s] = value
                            began[t, s] = first
                            before[t, s] = r
    out = np.empty(n, np.int64)
    t = n - 1
    s = int(np.argmax(best[t % size]))
    while t >= 0:
        first, r = began[t, s], before[t, s]
        for k in range(first, t + 1):
            out[k] = s
        t = first - 1
        s = r
    return out
