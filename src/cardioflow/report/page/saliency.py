"""What a model's answer rests on: how much of it is lost when a stretch of the record is covered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.bundle import Bundle, RecordPrediction
from cardioflow.errors import CardioFlowError

__all__ = ["occlusion_saliency"]

_WINDOW_S: Final = 1.0
_MOST_WINDOWS: Final = 30
_LONGEST_S: Final = 120.0
_LEAST: Final = 0.01
"""A loss of probability below this is not shown: scaled to the largest, it would be drawn as if it mattered."""


def occlusion_saliency(
    bundle: Bundle, signal: NDArray[Any], fs: float, leads: Sequence[str], answer: RecordPrediction
) -> NDArray[np.float64] | None:
    """Return for each sample, from 0 to 1, how much the probability of the answer falls when it is covered.

    Stretches of a second or more, at most thirty, are replaced one by one by straight lines (occlusion:
    Zeiler and Fergus, ECCV 2014). The largest loss is 1. ``None`` where there are no probabilities, a record lasts
    longer than two minutes, or no stretch costs the answer 0.01.

    Args:
        bundle: the model.
        signal: millivolts, (lead, time).
        fs: samples per second.
        leads: the names of the leads.
        answer: what it says of the whole record.
    """
    label = next((name for name in answer.labels if name in answer.probabilities), None)
    n = signal.shape[1]
    if label is None or not answer.judged or n > _LONGEST_S * fs:
        return None
    edges = _edges(n, fs)
    covered = [_covered(np.asarray(signal, np.float32), a, b) for a, b in edges]
    try:
        found = bundle.predict(covered, fs=fs, leads=list(leads))
    except CardioFlowError:
        return None
    others = {one.id: one.probabilities.get(label) for one in found if one.judged}
    weights = np.zeros(n)
    for k, (a, b) in enumerate(edges):
        share = others.get(str(k))
        if share is not None:
            weights[a:b] = max(answer.probabilities[label] - share, 0.0)
    return weights / weights.max() if weights.max() >= _LEAST else None


def _edges(n: int, fs: float) -> list[tuple[int, int]]:
    count = int(np.clip(n / (_WINDOW_S * fs), 1, _MOST_WINDOWS))
    at = np.linspace(0, n, count + 1).round().astype(int)
    return list(zip(at[:-1].tolist(), at[1:].tolist(), strict=True))


def _covered(signal: NDArray[np.float32], start: int, stop: int) -> NDArray[np.float32]:
    """Return the signal with a straight line between the samples at the edges of a stretch."""
    made = signal.copy()
    last = min(stop, signal.shape[1] - 1)
    for row in made:
        left, right = np.nan_to_num(row[max(start - 1, 0)]), np.nan_to_num(row[last])
        row[start:stop] = np.linspace(left, right, stop - start)
    return made
