"""The F1 score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from numpy.typing import ArrayLike
from sklearn.metrics import f1_score

from cardioflow.metrics.base import Metric

__all__ = ["F1"]


@dataclass(frozen=True)
class F1(Metric):
    """The harmonic mean of sensitivity and positive predictive value, of every label, and then their mean.

    scikit-learn's ``f1_score``, but with the mean over labels by default, as
    rhythm classifiers are reported; a label that neither occurs nor was
    predicted counts 0 where another label of the average does.
    """

    average: Literal["macro", "micro", "weighted"] = "macro"

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike) -> float:
        return float(f1_score(y_true, y_pred, average=self.average, zero_division=0))
