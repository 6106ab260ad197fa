"""Calibration by a rising step function of each class's probability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.calibration._checks import require_finite
from cardioflow.calibration._probabilities import Labelled
from cardioflow.calibration.calibrators.base import Calibrator
from cardioflow.errors import InputError

__all__ = ["Isotonic"]


@final
@dataclass(frozen=True)
class Isotonic(Calibrator):
    """The probability of each class is mapped by the rising function that fits the records best.

    After Zadrozny and Elkan, KDD 2002: each class against the rest, then, of
    exclusive classes, divided by their sum; a row whose classes all come to 0
    gets equal probabilities, as in scikit-learn. Of two exclusive classes, only
    the second is mapped. Between its points the function is a straight line,
    and beyond them it is constant. It needs some hundreds of records of each
    class, and gives probabilities of exactly 0 and 1.
    """

    points: tuple[tuple[float, ...], ...]
    """The probabilities at the corners of each function, rising."""
    values: tuple[tuple[float, ...], ...]
    """The calibrated ones there."""
    exclusive: bool = True
    """Whether each record has exactly one of the classes."""

    def __post_init__(self) -> None:
        require_finite(self, "points", "values")
        shapes = [(len(x), len(y)) for x, y in zip(self.points, self.values, strict=False)]
        if len(self.points) != len(self.values) or not shapes or any(n != m or not n for n, m in shapes):
            raise InputError("Isotonic(points, values): pass as many values as points, at least one, for each class.")
        if any(not 0 <= value <= 1 for own in self.values for value in own):
            raise InputError("Isotonic(values): the numbers are not all between 0 and 1. Fit it again.")
        if any((np.diff(own) < 0).any() for own in (*self.points, *self.values)):
            raise InputError("Isotonic(points, values): the numbers of a class do not rise. Fit it again.")

    @classmethod
    def fit(cls, y_true: ArrayLike, y_pred: ArrayLike) -> Self:
        """Return the functions with the least squared error.

        Raises:
            InputError: when the arrays do not fit together, or a class does not occur.
        """
        from sklearn.isotonic import IsotonicRegression  # takes 1 s, and only fitting needs it

        own = Labelled.of(y_true, y_pred)
        own.require_every_class("a function of it cannot be found")
        points, values = [], []
        for k in _mapped(own.p.shape[1], exclusive=own.exclusive):
            found = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(own.p[:, k], own.y[:, k])
            points.append(tuple(found.X_thresholds_.tolist()))
            values.append(tuple(found.y_thresholds_.tolist()))
        return cls(tuple(points), tuple(values), own.exclusive)

    def _calibrated(self, p: NDArray[np.float64]) -> NDArray[np.float64]:
        columns = _mapped(p.shape[1], exclusive=self.exclusive)
        pairs = zip(columns, self.points, self.values, strict=True)
        mapped = np.stack([np.interp(p[:, k], x, y) for k, x, y in pairs], axis=1)
        if not self.exclusive:
            return mapped
        if p.shape[1] == 2:
            return np.concatenate([1 - mapped, mapped], axis=1)
        total = mapped.sum(axis=1, keepdims=True)
        safe: NDArray[np.float64] = np.where(total > 0, mapped / np.where(total > 0, total, 1.0), 1 / p.shape[1])
        return safe

    def _is_exclusive(self) -> bool:
        return self.exclusive

    def _n_classes(self) -> int | None:
        return 2 if self.exclusive and len(self.points) == 1 else len(self.points)


def _mapped(n_classes: int, *, exclusive: bool) -> range:
    """Return the columns that have a function of their own."""
    return range(1, 2) if exclusive and n_classes == 2 else range(n_classes)
