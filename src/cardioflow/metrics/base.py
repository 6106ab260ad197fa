"""The base class of metrics: one number computed from true values and predictions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

from numpy.typing import ArrayLike

__all__ = ["Metric"]


@dataclass(frozen=True)
class Metric(ABC):
    """One number that measures how good predictions are; its parameters are the fields of a frozen dataclass.

    ``train_on_batch(metrics=…)`` finds a metric by the name of its file.
    """

    response: ClassVar[Literal["predict", "predict_proba"]] = "predict"
    """Whether ``y_pred`` holds labels or probabilities."""
    greater_is_better: ClassVar[bool] = True
    """Whether callbacks such as ``BestModel`` look for the greatest value, and not for the least."""

    @abstractmethod
    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike) -> float:
        """Return the metric, or NaN if it is not defined.

        Args:
            y_true: Class indices of shape (record,), or, if a record can have several labels, 0 and 1 of shape
                (record, class).
            y_pred: Labels in the same form, or probabilities of shape (record, class). With two classes, the
                probabilities of the second alone are enough.
        """

    @property
    def __name__(self) -> str:
        """The metric's name in histories, which is the name of its file."""
        return type(self).__module__.rpartition(".")[2]
