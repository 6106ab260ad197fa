"""The F1 score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from numpy.typing import ArrayLike
from sklearn.metrics import f1_score

from cardioflow.errors import ConfigError
from cardioflow.metrics._columns import Columns
from cardioflow.metrics.base import Metric

__all__ = ["F1"]


@dataclass(frozen=True)
class F1(Metric):
    """The harmonic mean of sensitivity and positive predictive value of each label, averaged over the labels.

    This is scikit-learn's ``f1_score``, but macro-averaged by default, as papers
    on rhythm classifiers report it. In an indicator matrix, a label that neither
    occurs nor is predicted counts as 0.
    """

    average: Literal["macro", "micro", "weighted"] = "macro"
    label: int | None = None
    """The number of one class, whose F1 is returned instead of an average."""

    def __post_init__(self) -> None:
        if self.label is not None and self.average != "macro":
            raise ConfigError(f"F1(average={self.average!r}, label={self.label!r}): one label has no average.")

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike) -> float:
        if self.label is None:
            return float(f1_score(y_true, y_pred, average=self.average, zero_division=0))
        columns = Columns.of_labels(y_true, y_pred)
        return columns.over_classes(self.label, lambda a, b: float(f1_score(a, b, zero_division=0)))
