"""What every metric is: one number of what is true and what a model said."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

from numpy.typing import ArrayLike

__all__ = ["Metric"]


@dataclass(frozen=True)
class Metric(ABC):
    """One number that says how good predictions are; its parameters are the fields of a frozen dataclass.

    The name under which ``train_on_batch(metrics=…)`` knows it is its file's.
    """

    response: ClassVar[Literal["predict", "predict_proba"]] = "predict"
    """Whether ``y_pred`` is labels, or probabilities."""

    @abstractmethod
    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike) -> float:
        """Return the metric, NaN where it is not defined.

        Args:
            y_true: Class indices, (record,), or where a record can have several labels 0 and 1, (record, class).
            y_pred: Labels in the same form; or probabilities, (record, class), of two classes also the second's alone.
        """

    @property
    def __name__(self) -> str:
        """The metric's name, for histories: its file's."""
        return type(self).__module__.rpartition(".")[2]
