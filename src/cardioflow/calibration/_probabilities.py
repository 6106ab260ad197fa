"""Truth and probabilities as checked arrays of one form."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.errors import InputError

__all__ = ["Labelled", "Probabilities", "log_odds", "log_probabilities", "sigmoid", "softmax"]

Floats = NDArray[np.float64]

_TOLERANCE = 1e-3
"""How far the probabilities of exclusive classes may be from adding up to 1: float16 has three digits."""
_SMALLEST = 1e-12
"""What a probability of 0 counts as where its logarithm is needed."""


class Probabilities(NamedTuple):
    """Probabilities of shape (record, class), and the form in which they came."""

    p: Floats
    is_column: bool
    """Whether they came as the probability of the second of two classes alone."""

    @classmethod
    def of(cls, y_pred: ArrayLike, *, exclusive: bool) -> Self:
        """Return ``y_pred`` after all checks; rows of exclusive classes add up to exactly 1 afterwards.

        Raises:
            InputError: when they are not probabilities of shape (record, class), or of shape (record,) if exclusive.
        """
        p = np.asarray(y_pred)
        if p.dtype.kind not in "fiub" or p.ndim not in (1, 2) or (p.ndim == 1 and not exclusive):
            raise InputError(
                f"The predictions are {p.dtype} of shape {p.shape}. Pass probabilities of shape (record, class)"
                f"{', or of shape (record,) for two classes' if exclusive else ''}."
            )
        p = p.astype(np.float64)
        bad = ~((p >= -1e-6) & (p <= 1 + 1e-6))
        if bad.any():
            row = int(np.argwhere(bad)[0][0])
            raise InputError(
                f"Row {row} of the predictions holds {p[bad][0]:g}, which is not a probability. Pass what the model "
                "predicts after its softmax or sigmoid."
            )
        p = np.clip(p, 0.0, 1.0)
        if p.ndim == 1:
            return cls(np.stack([1 - p, p], axis=1), is_column=True)
        if exclusive and p.shape[1] == 1:
            raise InputError(
                f"The predictions of shape {p.shape} hold one class, and each record has one of two or more. Pass "
                "y_pred[:, 0] if it is the probability of the second of two classes; if records can have the label or "
                "not, pass true labels of shape (record, class)."
            )
        if exclusive:
            p = _rows_of_one(p)
        return cls(p, is_column=False)

    def like(self, p: Floats) -> Floats:
        """Return ``p``, of shape (record, class), in the form in which these probabilities came."""
        return p[:, 1] if self.is_column else p

    def require_classes(self, n: int | None, name: str) -> None:
        """Refuse probabilities of another number of classes than ``n``.

        Raises:
            InputError: naming both numbers.
        """
        if n is not None and self.p.shape[1] != n:
            raise InputError(
                f"The {name} was fitted for {n} classes, and the predictions have {self.p.shape[1]}. Pass the "
                "predictions of the same model."
            )


class Labelled(NamedTuple):
    """Truth and probabilities of the same records, both of shape (record, class)."""

    y: Floats
    """0 and 1."""
    p: Floats
    exclusive: bool
    """Whether each record has exactly one of the classes."""
    is_column: bool

    @classmethod
    def of(cls, y_true: ArrayLike, y_pred: ArrayLike) -> Self:
        """Return both after all checks.

        Raises:
            InputError: when they do not fit together.
        """
        truth = np.asarray(y_true)
        if truth.ndim not in (1, 2) or truth.dtype.kind not in "fiub" or not len(truth):
            raise InputError(
                f"The true labels are {truth.dtype} of shape {truth.shape}. Pass class indices of shape (record,), or "
                "0 and 1 of shape (record, class), of at least one record."
            )
        exclusive = truth.ndim == 1
        p, is_column = Probabilities.of(y_pred, exclusive=exclusive)
        if len(p) != len(truth):
            raise InputError(f"There are {len(truth)} true labels and {len(p)} predictions. Pass equally many of both.")
        if exclusive:
            return cls(_one_hot(truth, p.shape[1]), p, exclusive, is_column)
        if truth.shape != p.shape:
            raise InputError(
                f"The true labels have the shape {truth.shape} and the predictions {p.shape}. Pass the same classes "
                "in the same order for both."
            )
        if not np.isin(truth, (0, 1)).all():
            raise InputError("The true labels of shape (record, class) hold other values than 0 and 1.")
        return cls(truth.astype(np.float64), p, exclusive, is_column)

    @property
    def labels(self) -> NDArray[np.intp]:
        """The class index of each record, of exclusive classes."""
        index: NDArray[np.intp] = self.y.argmax(axis=1)
        return index

    def require_every_class(self, why: str) -> None:
        """Refuse records that lack a class, or, of independent labels, on which a label is always the same.

        Raises:
            InputError: naming the class; ``why`` says what it is needed for.
        """
        count = self.y.sum(axis=0)
        missing = (count == 0) | ((count == len(self.y)) & (not self.exclusive))
        if missing.any():
            lacking = int(np.argmax(missing))
            what = "does not occur among" if count[lacking] == 0 else "is that of all of"
            raise InputError(
                f"Class {lacking} {what} the {len(self.y)} records, and {why}. Pass records with and without "
                "each class."
            )


def _one_hot(truth: NDArray[Any], n_classes: int) -> Floats:
    with np.errstate(invalid="ignore"):  # NaN is refused below
        index = truth.astype(np.int64)
    if (index != truth).any() or index.min() < 0 or index.max() >= n_classes:
        bad = truth[(index != truth) | (index < 0) | (index >= n_classes)][0]
        raise InputError(
            f"The true label {bad.item()!r} is not the index of one of the {n_classes} classes of the predictions. "
            f"Pass whole numbers from 0 to {n_classes - 1}, in the order of the columns."
        )
    return np.eye(n_classes)[index]


def _rows_of_one(p: Floats) -> Floats:
    total = p.sum(axis=1, keepdims=True)
    bad = np.abs(total[:, 0] - 1) > _TOLERANCE
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            f"The probabilities of row {row} add up to {total[row, 0]:g}, and each record has one of the "
            f"{p.shape[1]} classes. Pass probabilities that add up to 1; if records can have several labels, pass true "
            "labels of shape (record, class)."
        )
    scaled: Floats = p / total
    return scaled


def log_probabilities(p: Floats) -> Floats:
    """Return ln p, with ln 1e-12 for a probability of 0: the logits of a softmax but for a constant per row."""
    logs: Floats = np.log(np.maximum(p, _SMALLEST))
    return logs


def log_odds(p: Floats) -> Floats:
    """Return ln p/(1-p), with p between 1e-12 and 1-1e-12: the logits of a sigmoid."""
    inside = np.clip(p, _SMALLEST, 1 - _SMALLEST)
    odds: Floats = np.log(inside) - np.log1p(-inside)
    return odds


def softmax(z: Floats) -> Floats:
    """Return the softmax of each row."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p: Floats = e / e.sum(axis=1, keepdims=True)
    return p


def sigmoid(z: Floats) -> Floats:
    """Return 1/(1+exp(-z)), without overflow."""
    p: Floats = np.exp(-np.logaddexp(0, -z))
    return p
