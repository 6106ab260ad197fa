"""The concordance of predicted risks with survival times."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cardioflow.errors import InputError
from cardioflow.metrics.base import Metric

__all__ = ["CIndex"]


@dataclass(frozen=True)
class CIndex(Metric):
    """How often the person who had the event first had the higher predicted risk, of all pairs where that is known.

    Harrell et al., JAMA 247 (1982): pairs are compared where the shorter time
    ended in an event; of equal times, an event comes before a censored time, and
    two events are not compared. Equal risks count half. NaN if no pair can be compared.

    ``y_true`` has the shape (record, 2): the time, and 1 for an event or 0 for a
    censored time. ``y_pred`` is a risk, which is higher for earlier events, of
    shape (record,) or (record, 1).
    """

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike) -> float:
        truth, risk = np.asarray(y_true, np.float64), np.asarray(y_pred, np.float64)
        risk = risk[:, 0] if risk.ndim == 2 and risk.shape[1] == 1 else risk
        if truth.ndim != 2 or truth.shape[1] != 2 or risk.shape != (len(truth),):
            raise InputError(
                f"c_index got targets of shape {truth.shape} and risks of shape {risk.shape}. Pass (record, 2), the "
                "time and whether the event happened, and one risk per record."
            )
        if not np.isin(truth[:, 1], (0, 1)).all() or not np.isfinite(truth).all() or not np.isfinite(risk).all():
            raise InputError("c_index: an event is not 0 or 1, or a time or a risk is not finite.")
        time, event = truth[:, 0], truth[:, 1] == 1
        right, pairs = 0.0, 0
        # Row by row, because all pairs of 50 000 records at once are 2.5e9.
        for i in np.flatnonzero(event):
            later = (time > time[i]) | ((time == time[i]) & ~event)
            pairs += int(later.sum())
            right += float((risk[later] < risk[i]).sum()) + 0.5 * float((risk[later] == risk[i]).sum())
        return right / pairs if pairs else math.nan
