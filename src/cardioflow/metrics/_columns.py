"""Labels and predictions as one pair of columns for each class."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.errors import InputError

__all__ = ["Columns", "mean_of_known"]


class Columns(NamedTuple):
    """Of each class, which records have it, and the prediction for it; both of shape (record, class)."""

    truth: NDArray[np.int64]
    answer: NDArray[Any]
    exclusive: bool
    """Whether each record has exactly one of the classes."""

    @classmethod
    def of_probabilities(cls, y_true: ArrayLike, y_pred: ArrayLike) -> Columns:
        """Return both for probabilities; of two exclusive classes, the second alone is enough, and both come out.

        Raises:
            InputError: when the shapes do not go together, or a number is NaN or infinite.
        """
        truth, p = _known(y_true, "true labels"), _known(np.asarray(y_pred, dtype=np.float64), "predictions")
        if truth.ndim == 1:
            p = np.stack([1 - p, p], axis=1) if p.ndim == 1 else p
            return cls(_indicators(truth, p), p, exclusive=True)
        return cls(_matched(truth, p), p, exclusive=False)

    @classmethod
    def of_labels(cls, y_true: ArrayLike, y_pred: ArrayLike) -> Columns:
        """Return both for labels: class indices, or 0 and 1 of shape (record, class).

        Raises:
            InputError: when the shapes do not go together, or a number is NaN or infinite.
        """
        truth, answer = _known(y_true, "true labels"), _known(y_pred, "predictions")
        if truth.ndim == 1 and answer.ndim == 1:
            n_classes = int(max(truth.max(initial=0), answer.max(initial=0))) + 1
            shape = np.empty((len(answer), n_classes))
            return cls(_indicators(truth, shape), _indicators(answer, shape), exclusive=True)
        return cls(_matched(truth, answer), _zeros_and_ones(answer, "predictions"), exclusive=False)

    def over_classes(self, label: int | None, value: Callable[[NDArray[Any], NDArray[Any]], float]) -> float:
        """Return ``value(truth, answer)`` of the class ``label``; for ``None`` the mean over classes where it is known.

        Raises:
            InputError: when there is no such class.
        """
        n = self.truth.shape[1]
        if label is not None:
            if isinstance(label, bool) or not isinstance(label, int) or not 0 <= label < n:
                raise InputError(f"label={label!r} is not the number of a class. Pass one from 0 to {n - 1}.")
            return value(self.truth[:, label], self.answer[:, label])
        return mean_of_known([value(self.truth[:, k], self.answer[:, k]) for k in range(n)])


def mean_of_known(values: list[float]) -> float:
    """Return the mean of the values that are not NaN; NaN if none is known."""
    known = [v for v in values if not math.isnan(v)]
    return sum(known) / len(known) if known else math.nan


def _known(values: ArrayLike, what: str) -> NDArray[Any]:
    """Return ``values`` as an array; a class with NaN would be left out of the mean as one without records is."""
    array = np.asarray(values)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        row = np.argwhere(~np.isfinite(array))[0]
        raise InputError(
            f"Row {row[0]} of the {what} holds {array[tuple(row)]}. Leave such records out, or find out why."
        )
    return array


def _indicators(index: NDArray[Any], like: NDArray[Any]) -> NDArray[np.int64]:
    if len(index) != len(like) or (like.ndim != 2):
        raise InputError(
            f"There are {len(index)} true labels, and the predictions have the shape {like.shape}. Pass a row for each."
        )
    n_classes = like.shape[1]
    wrong = index[~np.isin(index, np.arange(n_classes))]
    if wrong.size:
        raise InputError(
            f"A label is {wrong[0]}, and there are {n_classes} classes. Pass class indices from 0 to {n_classes - 1}."
        )
    has: NDArray[np.int64] = (index[:, None] == np.arange(n_classes)).astype(np.int64)
    return has


def _matched(truth: NDArray[Any], answer: NDArray[Any]) -> NDArray[np.int64]:
    if truth.ndim != 2 or truth.shape != answer.shape:
        raise InputError(
            f"The true labels have the shape {truth.shape} and the predictions {answer.shape}. Pass the same (record, "
            "class) for both."
        )
    return _zeros_and_ones(truth, "true labels")


def _zeros_and_ones(values: NDArray[Any], what: str) -> NDArray[np.int64]:
    """Return ``values`` as whole numbers; a probability of 0.9 would become 0 without a word."""
    wrong = values[~np.isin(values, (0, 1))]
    if wrong.size:
        raise InputError(
            f"The {what} of shape (record, class) hold {wrong[0]}. Pass 0 and 1: for probabilities, p >= threshold."
        )
    return values.astype(np.int64)
