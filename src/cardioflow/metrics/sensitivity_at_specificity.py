"""The sensitivity that a specificity leaves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import roc_curve

from cardioflow.errors import ConfigError
from cardioflow.metrics._columns import Columns
from cardioflow.metrics.base import Metric

__all__ = ["SensitivityAtSpecificity"]


@dataclass(frozen=True)
class SensitivityAtSpecificity(Metric):
    """The share of records with the label that are found at the threshold that keeps a specificity.

    The threshold is the one of the records that are scored, so that the value is
    better than that of a threshold chosen before; ``DecisionThresholds`` of
    ``cardioflow.calibration`` chooses one. Averaged over the labels; of two
    exclusive classes it is that of the second. A label that all records have, or
    none, is left out; if none remains, the result is NaN.
    """

    response: ClassVar[Literal["predict", "predict_proba"]] = "predict_proba"

    specificity: float = 0.95
    """The least share of records without the label that are recognized as such."""
    label: int | None = None
    """The number of one class, whose value is returned instead of the mean."""

    def __post_init__(self) -> None:
        if not 0 < self.specificity <= 1:
            raise ConfigError(f"sensitivity_at_specificity(specificity={self.specificity!r}) is not in (0, 1].")

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike) -> float:
        columns = Columns.of_probabilities(y_true, y_pred)
        two = columns.exclusive and columns.truth.shape[1] == 2
        return columns.over_classes(1 if two and self.label is None else self.label, self._sensitivity)

    def _sensitivity(self, truth: NDArray[Any], probability: NDArray[np.float64]) -> float:
        if len(np.unique(truth)) < 2:
            return math.nan
        false_positive, true_positive, _ = roc_curve(truth, probability, drop_intermediate=False)
        # 19 of 20 are 0.95, whatever the last digit.
        return float(true_positive[1 - false_positive >= self.specificity - 1e-12].max())
