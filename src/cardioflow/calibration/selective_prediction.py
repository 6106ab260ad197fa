"""Which records a model should not judge, so that the errors among the others stay below a risk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.calibration._checks import fraction, require_finite
from cardioflow.calibration._probabilities import Probabilities
from cardioflow.calibration.coverage import upper_limit
from cardioflow.calibration.risk_coverage import risk_coverage, sureness_and_errors
from cardioflow.errors import InputError

__all__ = ["SelectivePrediction"]


@final
@dataclass(frozen=True)
class SelectivePrediction:
    """A record is judged if its highest probability reaches a threshold, and left to a person otherwise.

    After Geifman and El-Yaniv, Selective Classification for Deep Neural
    Networks, NIPS 2017, algorithm 1: with a probability of at least
    ``1 - delta`` over the choice of calibration records, the share of errors
    among judged records is at most ``risk``. The threshold is found by
    bisection, and each of its steps gets an equal part of ``delta``.
    """

    threshold: float
    risk: float
    delta: float
    coverage: float
    """The share of the calibration records that is judged."""
    bound: float
    """The upper limit of the risk at the threshold."""

    def __post_init__(self) -> None:
        require_finite(self, "threshold", "coverage", "bound")
        fraction("SelectivePrediction(risk)", self.risk)
        fraction("SelectivePrediction(delta)", self.delta)

    @classmethod
    def fit(cls, y_true: ArrayLike, y_pred: ArrayLike, *, risk: float = 0.05, delta: float = 0.05) -> Self:
        """Return the threshold that judges as many records as the risk allows.

        Args:
            y_true: Class indices of shape (record,).
            y_pred: Probabilities of shape (record, class), or those of the second of two classes, of records that the
                model was neither trained nor calibrated on.
            risk: The largest share of errors among the judged records.
            delta: The probability with which the calibration records may mislead.

        Raises:
            InputError: when the arrays do not fit together, or not even the surest records reach the risk.
        """
        fraction("risk", risk)
        fraction("delta", delta)
        sure, wrong = sureness_and_errors(y_true, y_pred)
        curve = risk_coverage(y_true, y_pred)
        n = len(sure)
        judged = np.rint(curve.coverage * n).astype(np.intp)
        errors = np.rint(curve.risk * judged).astype(np.intp)
        share = delta / n.bit_length()  # bisection looks at most so often
        low, high, found = 0, len(judged) - 1, -1
        bound = 1.0
        while low <= high:
            middle = (low + high) // 2
            limit = float(upper_limit(errors[middle], judged[middle], share))
            if limit <= risk:
                found, bound, low = middle, limit, middle + 1
            else:
                high = middle - 1
        if found < 0:
            raise InputError(
                f"No threshold keeps the errors below risk={risk!r} with a probability of {1 - delta:g}: of the {n} "
                f"records {int(wrong.sum())} are wrong. Allow a higher risk, or calibrate on more records."
            )
        return cls(float(curve.threshold[found]), float(risk), float(delta), float(curve.coverage[found]), bound)

    def apply(self, y_pred: ArrayLike) -> NDArray[np.bool_]:
        """Return whether each record is judged, of shape (record,).

        Raises:
            InputError: when ``y_pred`` does not hold probabilities.
        """
        judged: NDArray[np.bool_] = Probabilities.of(y_pred, exclusive=True).p.max(axis=1) >= self.threshold
        return judged
