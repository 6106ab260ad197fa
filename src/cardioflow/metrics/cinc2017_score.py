"""The score of the PhysioNet/CinC Challenge 2017."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import f1_score

from cardioflow.errors import ConfigError, InputError
from cardioflow.metrics.base import Metric

__all__ = ["Cinc2017Score"]

_SCORED: Final = ("A", "N", "O")


@dataclass(frozen=True)
class Cinc2017Score(Metric):
    """The mean F1 of normal rhythm, atrial fibrillation and other rhythms; noise counts only where it is confused.

    Clifford et al., Computing in Cardiology 44 (2017), doi:10.22489/CinC.2017.065-469:
    F1 = 2 Xx / (ΣX + Σx) of each class of the 4 × 4 table, and the mean of the
    three. ``cardioflow.datasets.cinc2017`` has the labels in the default order.
    """

    classes: tuple[str, ...] = ("A", "N", "O", "~")
    """The labels in the order of the model's outputs; N, A and O are among them."""

    def __post_init__(self) -> None:
        if not set(_SCORED) <= set(self.classes) or len(set(self.classes)) != len(self.classes):
            raise ConfigError(
                f"cinc2017_score(classes={self.classes!r}) lacks one of N, A and O, or has a label twice. Pass the "
                "labels in the order of the model's outputs."
            )

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike) -> float:
        truth, answer = np.asarray(y_true), np.asarray(y_pred)
        both = np.concatenate([truth.ravel(), answer.ravel()])
        if truth.ndim != 1 or answer.ndim != 1 or (both.size and not 0 <= both.min() <= both.max() < len(self.classes)):
            raise InputError(
                f"cinc2017_score takes one class index per record, from 0 to {len(self.classes) - 1}. Pass classes=… "
                "in the order of the model's outputs."
            )
        scored = [self.classes.index(name) for name in _SCORED]
        return float(f1_score(truth, answer, labels=scored, average="macro", zero_division=0))
