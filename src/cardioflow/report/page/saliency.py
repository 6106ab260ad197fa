"""What a model's answer rests on: how much of it is lost when a stretch of the record is covered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.bundle import Bundle, RecordPrediction
from cardioflow.errors import CardioFlowError
from cardioflow.explain.occlusion import occlusion
from cardioflow.pipeline.data.dataset import EcgDataset

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

    Stretches of a second or more, at most thirty, are covered in all leads, see ``cardioflow.explain.occlusion``. The
    largest loss is 1. ``None`` where there are no probabilities, a record lasts longer than two minutes, or no stretch
    costs the answer 0.01.

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
    whole = answer.probabilities[label]

    def predict(rows: EcgBatch) -> NDArray[np.float64]:
        covered = list(rows.component("signal"))
        found = {one.id: one.probabilities.get(label) for one in bundle.predict(covered, fs=fs, leads=list(leads))}
        # A record that is not judged with a stretch covered says nothing of that stretch.
        shares = [found.get(str(k)) for k in range(len(rows))]
        return np.array([[whole if share is None else share] for share in shares])

    window_s = min(max(_WINDOW_S, n / fs / _MOST_WINDOWS), n / fs)
    try:
        batch = EcgDataset.from_arrays([np.asarray(signal, np.float32)], fs=fs, leads=leads).next_batch(1).load()
        losses = occlusion(predict, batch, 0, window_s=window_s, step_s=window_s)
    except CardioFlowError:
        return None
    weights = np.maximum(losses.values[0].max(axis=0), 0.0)
    return weights / weights.max() if weights.max() >= _LEAST else None
