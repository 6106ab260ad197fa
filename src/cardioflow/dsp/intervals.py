"""Intervals of the ECG from a label per sample."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Intervals", "intervals", "runs"]


class Intervals(NamedTuple):
    """What a labelled record measures: medians over its beats, ``None`` where no beat gives one."""

    hr: float | None
    """Beats per minute."""
    pq: float | None
    """Seconds from the onset of P to that of the QRS."""
    qrs: float | None
    """Seconds of the QRS."""
    qt: float | None
    """Seconds from the onset of the QRS to the end of T."""


def runs(labels: NDArray[Any], members: Collection[int]) -> NDArray[np.int64]:
    """Return where unbroken stretches of ``members`` begin and end, (2, n); an end is the sample after the last.

    A stretch that touches the first or the last sample is left out: where it
    began, or will end, is not known.
    """
    inside = np.isin(labels, list(members)).astype(np.int8)
    edges = np.diff(inside)
    begins, ends = np.flatnonzero(edges == 1) + 1, np.flatnonzero(edges == -1) + 1
    if inside.size and inside[0]:
        ends = ends[1:]
    return np.stack([begins[: ends.size], ends]).astype(np.int64)


def intervals(
    x: NDArray[Any], fs: float, qrs: NDArray[np.int64], p: NDArray[np.int64], t: NDArray[np.int64]
) -> Intervals:
    """Return the intervals of one lead ``x`` whose waves lie at ``qrs``, ``p`` and ``t``, each (2, n).

    Each QRS is paired with the last P that ends before it and after the QRS
    before, and with the first T after it and before the next one.
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
    return Intervals(
        hr=None if peaks.size < 2 else float(60 * fs / np.median(np.diff(peaks))),
        pq=_median_s(pq, fs),
        qrs=_median_s(qrs[1] - qrs[0], fs),
        qt=_median_s(qt, fs),
    )


def _median_s(samples: Any, fs: float) -> float | None:
    return float(np.median(samples) / fs) if len(samples) else None
