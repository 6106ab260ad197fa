"""The area under the receiver operating characteristic curve."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import roc_auc_score

from cardioflow.metrics._columns import Columns
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

    label: int | None = None
    """The number of one class, whose area is returned instead of the mean."""

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike) -> float:
        columns = Columns.of_probabilities(y_true, y_pred)
        # With two exclusive classes, both areas are equal.
        two = columns.exclusive and columns.truth.shape[1] == 2
        return columns.over_classes(1 if two and self.label is None else self.label, _area)


def _area(truth: NDArray[Any], probability: NDArray[np.float64]) -> float:
    if len(np.unique(truth)) < 2:
        return math.nan
    return float(roc_auc_score(truth, probability))
