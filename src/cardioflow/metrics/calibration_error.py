"""The expected calibration error without its bias."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from cardioflow import calibration
from cardioflow.metrics.base import Metric

__all__ = ["CalibrationError"]


@dataclass(frozen=True)
class CalibrationError(Metric):
    """How far probabilities are from frequencies, without the part that chance alone makes.

    ``cardioflow.calibration.calibration_error`` computes it, and returns its
    interval and the raw value too. Of exclusive classes it is that of the top
    label, of two of them that of the second, and of independent labels the mean.
    """

    response: ClassVar[Literal["predict", "predict_proba"]] = "predict_proba"
    greater_is_better: ClassVar[bool] = False

    n_bins: int = 15
    norm: Literal["l1", "l2"] = "l1"

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike) -> float:
        several = np.ndim(y_true) == 2 or np.ndim(y_pred) == 1
        of: Literal["class", "top_label"] = "class" if several else "top_label"
        return calibration.calibration_error(y_true, y_pred, of=of, norm=self.norm, n_bins=self.n_bins, n=1).value
