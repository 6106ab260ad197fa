"""Intervals of the ECG from where its waves begin and end."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["P_STATES", "QRS_STATES", "T_STATES", "BeatIntervals", "Intervals", "beat_intervals", "intervals", "runs"]

Ints = NDArray[np.int64]

# The states of CardIO's hidden Markov model: Q R S, ST, T, ISO, P, PQ in the order of a beat.
QRS_STATES: Final = range(3)
T_STATES: Final = range(5, 11)
P_STATES: Final = range(14, 17)


class BeatIntervals(NamedTuple):
    """The intervals of single beats, in samples; only those of beats that have the waves for them."""

    rr: Ints
    """From each R peak to the next."""
    pq: Ints
    """From the onset of P to that of the QRS."""
    qrs: Ints
    """From the onset of the QRS to its end."""
    qt: Ints
    """From the onset of the QRS to the end of T."""


class Intervals(NamedTuple):
    """Medians over the beats of a record, ``None`` where no beat gives one."""

    hr: float | None
    """Beats per minute."""
    pq: float | None
    """Seconds from the onset of P to that of the QRS."""
    qrs: float | None
    """Seconds of the QRS."""
    qt: float | None
    """Seconds from the onset of the QRS to the end of T."""


def runs(labels: NDArray[Any], members: Collection[int]) -> Ints:
    """Return where unbroken stretches of ``members`` begin and end, (2, n); an end is the sample after the last.

    A stretch that touches the first or the last sample is left out, because
    where it began, or will end, is unknown.
    """
    inside = np.isin(labels, list(members)).astype(np.int8)
    edges = np.diff(inside)
    begins, ends = np.flatnonzero(edges == 1) + 1, np.flatnonzero(edges == -1) + 1
    if inside.size and inside[0]:
        ends = ends[1:]
    return np.stack([begins[: ends.size], ends]).astype(np.int64)


def beat_intervals(x: NDArray[Any], qrs: Ints, p: Ints, t: Ints) -> BeatIntervals:
    """Return the intervals of one lead ``x`` whose waves lie at ``qrs``, ``p`` and ``t``, each (2, n) in samples.

    The R peak is the sample of a QRS that is farthest from its median. Each QRS
    is paired with the last P that ends before it and after the QRS before, and
    with the first T after it and before the next QRS.
    """
    peaks = np.array([a + int(np.argmax(np.abs(x[a:b] - np.median(x)))) for a, b in qrs.T], dtype=np.int64)
    pq, qt = [], []
    for k, (begin, end) in enumerate(qrs.T):
        after = qrs[1, k - 1] if k else 0
        before = qrs[0, k + 1] if k + 1 < qrs.shape[1] else x.size
        own_p = p[0, (p[0] >= after) & (p[1] <= begin)]
        own_t = t[1, (t[0] >= end) & (t[1] <= before)]
        if own_p.size:
            pq.append(begin - own_p[-1])
        if own_t.size:
            qt.append(own_t[0] - begin)
    return BeatIntervals(np.diff(peaks), np.array(pq, np.int64), qrs[1] - qrs[0], np.array(qt, np.int64))


def intervals(x: NDArray[Any], fs: float, qrs: Ints, p: Ints, t: Ints) -> Intervals:
    """Return the medians of ``beat_intervals`` in seconds, and the heart rate in beats per minute."""
    found = beat_intervals(x, qrs, p, t)
    return Intervals(
        hr=float(60 * fs / np.median(found.rr)) if found.rr.size else None,
        pq=_median_s(found.pq, fs),
        qrs=_median_s(found.qrs, fs),
        qt=_median_s(found.qt, fs),
    )


def _median_s(samples: Ints, fs: float) -> float | None:
    return float(np.median(samples) / fs) if samples.size else None
