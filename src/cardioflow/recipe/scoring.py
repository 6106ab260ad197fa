"""The score that a recipe is trained for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["F1Score", "class_f1", "mean_f1"]


def class_f1(y_true: NDArray[Any], y_pred: NDArray[Any], n_classes: int) -> NDArray[np.float64]:
    """Return 2 · hits / (true + predicted) of each class from class indices; NaN for a class without either."""
    hits = np.bincount(y_true[y_true == y_pred], minlength=n_classes)[:n_classes]
    total = np.bincount(y_true, minlength=n_classes) + np.bincount(y_pred, minlength=n_classes)
    return np.where(total > 0, 2 * hits / np.maximum(total, 1), np.nan)


class F1Score:
    """The mean F1 of some of the classes, from class indices."""

    def __init__(self, n_classes: int, rows: tuple[int, ...]) -> None:
        self.n_classes = n_classes
        self.rows = rows

    # The name under which a metric is reported, as that of a function.
    __name__ = "mean_f1"

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike) -> float:
        """Return the mean over the classes of the score."""
        each = class_f1(np.asarray(y_true, np.int64), np.asarray(y_pred, np.int64), self.n_classes)
        return float(np.nanmean(each[list(self.rows)]))


def mean_f1(classes: Sequence[str], labels: Sequence[str] = ()) -> F1Score:
    """Return the mean F1 of ``labels`` among ``classes``, by default all; with N, A and O that of CinC 2017."""
    return F1Score(len(classes), tuple(classes.index(label) for label in labels or classes))
