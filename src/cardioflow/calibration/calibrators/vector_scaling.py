"""Calibration by a weight and a shift of each class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.calibration._checks import require_finite
from cardioflow.calibration._probabilities import Labelled, log_odds, log_probabilities, sigmoid, softmax
from cardioflow.calibration.calibrators.base import Calibrator
from cardioflow.errors import InputError

__all__ = ["VectorScaling"]

_STEEPEST = 50.0
"""A weight that only predictions without a single mistake ask for."""


@final
@dataclass(frozen=True)
class VectorScaling(Calibrator):
    """The logit of each class gets its own weight and shift.

    After Guo et al., ICML 2017, section 4.2; for independent labels this is
    Platt's scaling of each (Platt, 1999, without his smoothed targets). The
    logits are taken from the probabilities; a probability of 0 counts as 1e-12.
    The shifts of exclusive classes add up to 0, because only their differences
    matter. Unlike a temperature, it changes which class is the most probable;
    fit it on some dozens of records of each class.
    """

    weights: tuple[float, ...]
    shifts: tuple[float, ...]
    exclusive: bool = True
    """Whether each record has exactly one of the classes."""

    def __post_init__(self) -> None:
        require_finite(self, "weights", "shifts")
        if len(self.weights) != len(self.shifts) or not self.weights:
            raise InputError(
                f"VectorScaling has {len(self.weights)} weights and {len(self.shifts)} shifts. Pass one of both for "
                "each class."
            )

    @classmethod
    def fit(cls, y_true: ArrayLike, y_pred: ArrayLike) -> Self:
        """Return the weights and shifts with the greatest likelihood.

        Raises:
            InputError: when the arrays do not fit together, a class does not occur, or the likelihood has no maximum
                because the classes are separated without a mistake.
        """
        own = Labelled.of(y_true, y_pred)
        own.require_every_class("a shift of it cannot be found")
        logits = log_probabilities(own.p) if own.exclusive else log_odds(own.p)
        weights, shifts = _exclusive(logits, own.y) if own.exclusive else _independent(logits, own.y)
        steep = np.abs(weights) > _STEEPEST
        if steep.any():
            raise InputError(
                f"The best weight of class {int(np.argmax(steep))} is beyond {_STEEPEST:g}: the predictions separate "
                f"it from the others without a mistake on these {len(own.y)} records. Fit on more records, which the "
                "model was not trained on, or use TemperatureScaling."
            )
        return cls(tuple(weights.tolist()), tuple(shifts.tolist()), own.exclusive)

    def _calibrated(self, p: NDArray[np.float64]) -> NDArray[np.float64]:
        weights, shifts = np.array(self.weights), np.array(self.shifts)
        if self.exclusive:
            return softmax(log_probabilities(p) * weights + shifts)
        return sigmoid(log_odds(p) * weights + shifts)

    def _is_exclusive(self) -> bool:
        return self.exclusive

    def _n_classes(self) -> int | None:
        return len(self.weights)


def _exclusive(logits: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
    n = logits.shape[1]

    def loss(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = logits * theta[:n] + theta[n:]
        top = z.max(axis=1, keepdims=True)
        log_total = top[:, 0] + np.log(np.exp(z - top).sum(axis=1))
        excess = (np.exp(z - log_total[:, None]) - y) / len(y)
        gradient = np.concatenate([(excess * logits).sum(axis=0), excess.sum(axis=0)])
        return float((log_total - (z * y).sum(axis=1)).mean()), gradient

    theta = _minimum(loss, n)
    shifts = theta[n:]
    return theta[:n], shifts - shifts.mean()


def _independent(logits: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
    def of_one(z0: NDArray[np.float64], truth: NDArray[np.float64]) -> NDArray[np.float64]:
        def loss(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            z = z0 * theta[0] + theta[1]
            excess = (sigmoid(z) - truth) / len(truth)
            return float((np.logaddexp(0, z) - truth * z).mean()), np.array([(excess * z0).sum(), excess.sum()])

        return _minimum(loss, 1)

    each = np.array([of_one(logits[:, k], y[:, k]) for k in range(y.shape[1])])
    return each[:, 0], each[:, 1]


def _minimum(loss: Any, n: int) -> NDArray[np.float64]:
    """Return the ``n`` weights and ``n`` shifts with the least loss, which is convex in them."""
    from scipy.optimize import minimize  # takes 0.2 s, and only fitting needs it

    start = np.concatenate([np.ones(n), np.zeros(n)])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 2000, "ftol": 1e-15, "gtol": 1e-9})
    theta: NDArray[np.float64] = found.x
    return theta
