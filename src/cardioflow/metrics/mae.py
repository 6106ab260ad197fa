"""The mean absolute error of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from cardioflow.errors import InputError
from cardioflow.metrics.base import Metric

__all__ = ["Mae"]


@dataclass(frozen=True)
class Mae(Metric):
    """The mean of ``|estimate - number|``, in the unit of the numbers; over all numbers of a vector alike.

    Unlike scikit-learn's scorer ``"neg_mean_absolute_error"``, it is positive,
    and callbacks look for its least value.
    """

    greater_is_better: ClassVar[bool] = False

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike) -> float:
        truth, estimate = np.asarray(y_true, np.float64), np.asarray(y_pred, np.float64)
        if truth.shape != estimate.shape:
            # Numbers of (record,) and (record, 1) would be subtracted each from each.
            raise InputError(
                f"The numbers have the shape {truth.shape} and the estimates {estimate.shape}. Pass one shape for both."
            )
        return float(np.mean(np.abs(estimate - truth)))
