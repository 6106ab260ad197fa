"""The Brier score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.errors import InputError
from cardioflow.metrics._columns import Columns
from cardioflow.metrics.base import Metric

__all__ = ["Brier"]


@dataclass(frozen=True)
class Brier(Metric):
    """The mean squared distance of probabilities from 0 and 1 (Brier, Monthly Weather Review 78, 1950).

    Of two exclusive classes, and of each of several labels, the mean of (p - y)²;
    of more exclusive classes, the sum over the classes, from 0 to 2; as in
    scikit-learn's ``brier_score_loss``. Independent labels are averaged.
    """

    response: ClassVar[Literal["predict", "predict_proba"]] = "predict_proba"
    greater_is_better: ClassVar[bool] = False

    label: int | None = None
    """The number of one class, whose mean of (p - y)² is returned instead."""

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike) -> float:
        columns = Columns.of_probabilities(y_true, y_pred)
        wrong = columns.answer[(columns.answer < 0) | (columns.answer > 1)]
        if wrong.size:
            raise InputError(f"brier got the probability {wrong[0]:g}. Pass numbers from 0 to 1, and not logits.")
        n = columns.truth.shape[1]
        mean = columns.over_classes(self.label, _mean_square)
        return mean * n if columns.exclusive and n > 2 and self.label is None else mean


def _mean_square(truth: NDArray[Any], probability: NDArray[np.float64]) -> float:
    return float(np.mean((probability - truth) ** 2))
