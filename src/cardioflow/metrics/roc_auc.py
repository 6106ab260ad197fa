"""The area under the receiver operating characteristic."""

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
    """The probability that a record with the label scores above one without it; each label against the rest.

    Computed by scikit-learn's ``roc_auc_score``. Where we differ: labels that
    all records have, or none, are left out of the mean, as in the PTB-XL
    benchmarks, and of a single label the area is NaN. A small batch often
    lacks one.
    """

    response: ClassVar[Literal["predict", "predict_proba"]] = "predict_proba"

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike) -> float:
        truth, chance = np.asarray(y_true), np.asarray(y_pred, dtype=np.float64)
        if truth.ndim == 1 and chance.ndim == 2:
            if chance.shape[1] == 2:
                chance = chance[:, 1]  # with two labels the areas of both are one
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
