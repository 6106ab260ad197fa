"""The area under the curve of precision and recall."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import average_precision_score

from cardioflow.metrics._columns import Columns
from cardioflow.metrics.base import Metric

__all__ = ["AveragePrecision"]


@dataclass(frozen=True)
class AveragePrecision(Metric):
    """The mean positive predictive value over the ranks of the records with the label, averaged over the labels.

    This is scikit-learn's ``average_precision_score`` of each label against the
    rest, the AUPRC of papers without interpolation. Of two exclusive classes it
    is that of the second, unlike the area under the ROC curve, which both share.
    A label without records is left out of the mean; if none remains, the result
    is NaN. A rare label has a low value by chance: its share of the records.
    """

    response: ClassVar[Literal["predict", "predict_proba"]] = "predict_proba"

    label: int | None = None
    """The number of one class, whose value is returned instead of the mean."""

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike) -> float:
        columns = Columns.of_probabilities(y_true, y_pred)
        two = columns.exclusive and columns.truth.shape[1] == 2
        return columns.over_classes(1 if two and self.label is None else self.label, _area)


def _area(truth: NDArray[Any], probability: NDArray[np.float64]) -> float:
    return float(average_precision_score(truth, probability)) if truth.any() else math.nan
