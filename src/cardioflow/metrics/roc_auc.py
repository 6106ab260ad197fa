"""The area under the receiver operating characteristic curve."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import roc_auc_score

from cardioflow.metrics.base import Metric

__all__ = ["RocAuc"]


@dataclass(frozen=True)
class RocAuc(Metric):
    """The probability that a record with the label scores higher than one without it, averaged over the labels.

    Each label is compared with the rest by scikit-learn's ``roc_auc_score``.
    Unlike there, a label that all records have, or none, is left out of the
    mean, as in the PTB-XL benchmarks; if no label remains, the result is NaN.
    Small batches often lack a label.
    """

    response: ClassVar[Literal["predict", "predict_proba"]] = "predict_proba"

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike) -> float:
        truth, chance = np.asarray(y_true), np.asarray(y_pred, dtype=np.float64)
        if truth.ndim == 1 and chance.ndim == 2:
            if chance.shape[1] == 2:
                chance = chance[:, 1]  # with two labels, both areas are equal
            else:
                truth = (truth[:, None] == np.arange(chance.shape[1])).astype(np.int64)
        truth, chance = (a[:, None] if a.ndim == 1 else a for a in (truth, chance))
        return _mean([_area(truth[:, i], chance[:, i]) for i in range(truth.shape[1])])


def _area(truth: NDArray[Any], chance: NDArray[np.float64]) -> float:
    if len(np.unique(truth)) < 2:
        return math.nan
    return float(roc_auc_score(truth, chance))


def _mean(areas: list[float]) -> float:
    known = [a for a in areas if not math.isnan(a)]
    return sum(known) / len(known) if known else math.nan
