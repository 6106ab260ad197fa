"""Sets of classes that hold the true one as often as was asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.calibration._checks import fraction, require_finite
from cardioflow.calibration._probabilities import Labelled, Probabilities
from cardioflow.errors import InputError

__all__ = ["ConformalSets", "conformal_p_values"]

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True)
class ConformalSets:
    """For each record the set of classes whose probability is not unusually low, compared with calibration records.

    Split conformal prediction (Vovk et al., 2005; Sadinle et al., JASA 2019)
    with the score 1 - p of the true class. If the records are exchangeable with
    the calibration records, the set holds the true class with a probability of
    at least ``1 - alpha``; class-conditional, it does so for the records of each
    class. A set can hold several classes, or none where no class is usual.
    """

    alpha: float
    """The share of records whose set may miss the true class."""
    lowest: tuple[float, ...]
    """The lowest probability with which each class is in the set; 0 where too few records were there to exclude it."""
    counts: tuple[int, ...]
    """The calibration records of each class."""
    class_conditional: bool = False

    def __post_init__(self) -> None:
        fraction("ConformalSets(alpha)", self.alpha)
        require_finite(self, "lowest", "counts")
        if len(self.lowest) != len(self.counts) or len(self.lowest) < 2:
            raise InputError(
                f"ConformalSets has {len(self.lowest)} lowest probabilities and {len(self.counts)} counts. Pass one of "
                "both for each of two or more classes."
            )

    @classmethod
    def fit(cls, y_true: ArrayLike, y_pred: ArrayLike, *, alpha: float = 0.1, class_conditional: bool = False) -> Self:
        """Return the sets for a share ``alpha`` of misses.

        With ``n`` calibration records (of the class), the limit is the score of rank ⌈(n+1)(1-alpha)⌉. Where that rank
        is above ``n``, no class can be excluded: less than 1/alpha - 1 records are too few.

        Args:
            y_true: Class indices of shape (record,).
            y_pred: Probabilities of shape (record, class), or those of the second of two classes, of records that the
                model was neither trained nor calibrated on.
            alpha: The share of records whose set may miss the true class.
            class_conditional: Whether the promise holds for the records of each class, and not only for all together.

        Raises:
            InputError: when the arrays do not fit together, or records can have several labels.
        """
        fraction("alpha", alpha)
        own = _exclusive(y_true, y_pred)
        n_classes = own.p.shape[1]
        labels = own.labels
        p_true = own.p[np.arange(len(labels)), labels]
        groups = [p_true[labels == k] for k in range(n_classes)] if class_conditional else [p_true] * n_classes
        lowest = tuple(_lowest(np.sort(p), alpha) for p in groups)
        counts = tuple(int((labels == k).sum()) for k in range(n_classes))
        return cls(float(alpha), lowest, counts, class_conditional)

    def apply(self, y_pred: ArrayLike) -> NDArray[np.bool_]:
        """Return which classes are in the set of each record, of shape (record, class).

        Raises:
            InputError: when ``y_pred`` does not hold probabilities of as many classes.
        """
        given = Probabilities.of(y_pred, exclusive=True)
        given.require_classes(len(self.lowest), type(self).__name__)
        inside: NDArray[np.bool_] = given.p >= np.array(self.lowest)
        return inside


def conformal_p_values(
    y_true: ArrayLike, y_pred: ArrayLike, new_pred: ArrayLike, *, class_conditional: bool = False
) -> Floats:
    """Return how unusual each class would be for each new record: (1 + scores at least as high)/(n + 1).

    ``ConformalSets.fit(…, alpha=a).apply(new_pred)`` holds the classes with a p-value above ``a``.

    Args:
        y_true: Class indices of the calibration records.
        y_pred: Their probabilities.
        new_pred: The probabilities of the new records.
        class_conditional: Whether a class is compared with its own records only.

    Returns:
        p-values of shape (new record, class).

    Raises:
        InputError: when the arrays do not fit together.
    """
    own = _exclusive(y_true, y_pred)
    new = Probabilities.of(new_pred, exclusive=True)
    new.require_classes(own.p.shape[1], "calibration")
    labels = own.labels
    p_true = own.p[np.arange(len(labels)), labels]
    columns = []
    for k in range(own.p.shape[1]):
        known = np.sort(p_true[labels == k] if class_conditional else p_true)
        # A score of 1 - p that is at least as high is a p that is at most as high.
        columns.append((np.searchsorted(known, new.p[:, k], side="right") + 1) / (len(known) + 1))
    return np.stack(columns, axis=1)


def _exclusive(y_true: ArrayLike, y_pred: ArrayLike) -> Labelled:
    own = Labelled.of(y_true, y_pred)
    if not own.exclusive:
        raise InputError(
            "Conformal sets are for records with exactly one class, and the true labels have the shape (record, "
            "class). Fit one for each label, from column k of both: fit(y_true[:, k], y_pred[:, k])."
        )
    return own


def _lowest(p: Floats, alpha: float) -> float:
    """Return the lowest probability inside the set, from the rising probabilities ``p`` of the true classes."""
    # Exact: (9 + 1)(1 - 0.1) must not be 9.000000000000002.
    rank = math.ceil((len(p) + 1) * (1 - Fraction(repr(float(alpha)))))
    return 0.0 if rank > len(p) else float(p[len(p) - rank])
