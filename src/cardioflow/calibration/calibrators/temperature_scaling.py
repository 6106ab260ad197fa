"""Calibration by one number that sharpens or softens all probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.calibration._checks import require_finite
from cardioflow.calibration._probabilities import Labelled, log_odds, log_probabilities, sigmoid, softmax
from cardioflow.calibration.calibrators.base import Calibrator
from cardioflow.errors import InputError

__all__ = ["TemperatureScaling"]

_LIMIT: Final = 100.0


@final
@dataclass(frozen=True)
class TemperatureScaling(Calibrator):
    """The logits are divided by one temperature, so that the order of the classes never changes.

    After Guo et al., On Calibration of Modern Neural Networks, ICML 2017,
    section 4.2. The logits are taken from the probabilities, which is the same
    but for a constant per record; a probability of 0 counts as 1e-12. Of
    independent labels, the log odds are divided.
    """

    temperature: float
    """Above 1 for a model that is too sure of itself."""
    exclusive: bool = True
    """Whether each record has exactly one of the classes."""

    def __post_init__(self) -> None:
        require_finite(self, "temperature")
        if not self.temperature > 0:
            raise InputError(f"TemperatureScaling(temperature={self.temperature!r}) is not above 0.")

    @classmethod
    def fit(cls, y_true: ArrayLike, y_pred: ArrayLike) -> Self:
        """Return the temperature with the greatest likelihood, searched between 0.01 and 100.

        Raises:
            InputError: when the arrays do not fit together; or when the best temperature is a limit of the search, as
                where every record is predicted correctly, or the predictions say nothing about the labels.
        """
        from scipy.optimize import minimize_scalar  # takes 0.2 s, and only fitting needs it

        own = Labelled.of(y_true, y_pred)
        logits = log_probabilities(own.p) if own.exclusive else log_odds(own.p)
        correct = 2 * own.y - 1

        def loss(log_temperature: float) -> float:
            z = logits / np.exp(log_temperature)
            if not own.exclusive:
                return float(np.logaddexp(0, -correct * z).mean())
            top = z.max(axis=1)
            return float((top + np.log(np.exp(z - top[:, None]).sum(axis=1)) - (z * own.y).sum(axis=1)).mean())

        limit = float(np.log(_LIMIT))
        found = minimize_scalar(loss, bounds=(-limit, limit), method="bounded", options={"xatol": 1e-9})
        if abs(found.x) > limit - 1e-3:
            why = (
                "the predictions say nothing about the labels" if found.x > 0 else "every record is predicted correctly"
            )
            raise InputError(
                f"No temperature between {1 / _LIMIT:g} and {_LIMIT:g} is the best for the {len(own.y)} records: {why}."
                " Fit on more records, which the model was not trained on."
            )
        return cls(float(np.exp(found.x)), own.exclusive)

    def _calibrated(self, p: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.exclusive:
            return softmax(log_probabilities(p) / self.temperature)
        return sigmoid(log_odds(p) / self.temperature)

    def _is_exclusive(self) -> bool:
        return self.exclusive

    def _n_classes(self) -> int | None:
        return None
