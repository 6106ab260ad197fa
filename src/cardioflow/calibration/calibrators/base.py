"""The base class of calibrators: probabilities in, calibrated probabilities out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.calibration._probabilities import Probabilities

__all__ = ["Calibrator"]


class Calibrator(ABC):
    """A fitted map of probabilities; its fields are numbers, so that it can be compared, printed and written as JSON.

    Probabilities are arrays of shape (record, class), or, of two exclusive
    classes, the probability of the second alone, of shape (record,).
    """

    @classmethod
    @abstractmethod
    def fit(cls, y_true: ArrayLike, y_pred: ArrayLike) -> Self:
        """Return the calibrator that fits the records best.

        Args:
            y_true: Class indices of shape (record,); or, where a record can have several labels, 0 and 1 of shape
                (record, class).
            y_pred: The model's probabilities for records that it was not trained on.

        Raises:
            InputError: when the arrays do not fit together, or no calibrator can be found from them.
        """

    def apply(self, y_pred: ArrayLike) -> NDArray[np.float64]:
        """Return calibrated probabilities of the shape of ``y_pred``.

        Raises:
            InputError: when ``y_pred`` does not hold probabilities of as many classes as the calibrator is for.
        """
        given = Probabilities.of(y_pred, exclusive=self._is_exclusive())
        given.require_classes(self._n_classes(), type(self).__name__)
        return given.like(self._calibrated(given.p))

    @abstractmethod
    def _calibrated(self, p: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return calibrated probabilities of shape (record, class)."""

    @abstractmethod
    def _is_exclusive(self) -> bool:
        """Return whether each record has exactly one of the classes."""

    @abstractmethod
    def _n_classes(self) -> int | None:
        """Return the number of classes, ``None`` if any number will do."""
