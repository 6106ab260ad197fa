"""Which labels are confused with which, and the shares that follow, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.calibration.coverage import exact_interval
from cardioflow.errors import InputError

__all__ = ["ClassFigures", "ConfusionMatrix", "confusion_matrix"]


class ClassFigures(NamedTuple):
    """How one label is recognized against the rest; NaN where a share is of nothing."""

    name: str
    n: int
    """Records with the label."""
    sensitivity: float
    specificity: float
    ppv: float
    """The positive predictive value."""
    npv: float
    """The negative predictive value."""
    f1: float
    sensitivity_interval: tuple[float, float]
    """Of Clopper and Pearson, as the next one."""
    ppv_interval: tuple[float, float]


@final
class ConfusionMatrix(NamedTuple):
    """Counts of true and predicted labels; printed as a table."""

    counts: NDArray[np.int64]
    """(true, predicted) of exclusive classes; (class, 2, 2) of independent labels, true and predicted absent first."""
    classes: tuple[str, ...]
    level: float

    @property
    def figures(self) -> tuple[ClassFigures, ...]:
        """Sensitivity, specificity, predictive values and F1 of each label, with intervals."""
        return tuple(self._figures(k) for k in range(len(self.classes)))

    def normalized(self) -> NDArray[np.float64]:
        """Return the counts divided by those of their true label; NaN for a label without records."""
        total = self.counts.sum(axis=-1, keepdims=True)
        shares: NDArray[np.float64] = np.where(total > 0, self.counts / np.maximum(total, 1), np.nan)
        return shares

    def __str__(self) -> str:
        width = max(7, *(len(name) + 1 for name in self.classes))
        lines = [] if self.counts.ndim == 3 else self._table(width)
        lines.append(f"{'':<{width}}{'n':>7}{'sens.':>8}{'spec.':>8}{'PPV':>8}{'NPV':>8}{'F1':>8}")
        for own in self.figures:
            shares = (own.sensitivity, own.specificity, own.ppv, own.npv, own.f1)
            lines.append(f"{own.name:<{width}}{own.n:>7}" + "".join(f"{share:>8.3f}" for share in shares))
        return "\n".join(lines)

    def _table(self, width: int) -> list[str]:
        head = f"{'true':<{width}}" + "".join(f"{name:>{width}}" for name in self.classes) + "   predicted"
        rows = zip(self.classes, self.counts, strict=True)
        return [head, *(f"{name:<{width}}" + "".join(f"{n:>{width}}" for n in own) for name, own in rows), ""]

    def _figures(self, k: int) -> ClassFigures:
        if self.counts.ndim == 3:
            (tn, fp), (fn, tp) = self.counts[k].tolist()
        else:
            tp = int(self.counts[k, k])
            fn, fp = int(self.counts[k].sum()) - tp, int(self.counts[:, k].sum()) - tp
            tn = int(self.counts.sum()) - tp - fn - fp
        return ClassFigures(
            self.classes[k],
            tp + fn,
            _share(tp, tp + fn),
            _share(tn, tn + fp),
            _share(tp, tp + fp),
            _share(tn, tn + fn),
            _share(2 * tp, 2 * tp + fp + fn),
            exact_interval(tp, tp + fn, self.level),
            exact_interval(tp, tp + fp, self.level),
        )


def confusion_matrix(
    y_true: ArrayLike, y_pred: ArrayLike, classes: Sequence[str] | None = None, *, level: float = 0.95
) -> ConfusionMatrix:
    """Return which labels were predicted for which true ones.

    Args:
        y_true: Class indices of shape (record,); or, where a record can have several labels, 0 and 1 of shape
            (record, class).
        y_pred: Labels in the same form.
        classes: The names of the labels, in their order; by default their numbers.
        level: The level of the intervals, which take the records as independent.

    Raises:
        InputError: when the arrays do not fit together, are probabilities, or hold labels without a name.
    """
    if not 0 < level < 1:
        raise InputError(f"level={level!r} is not between 0 and 1. Pass a fraction such as 0.95.")
    truth, answer = _whole(y_true), _whole(y_pred)
    if truth.shape != answer.shape or truth.ndim not in (1, 2) or not truth.size:
        raise InputError(
            f"The true labels have the shape {truth.shape} and the predictions {answer.shape}. Pass class indices of "
            "shape (record,), or 0 and 1 of shape (record, class), for both."
        )
    highest = int(max(truth.max(), answer.max()))
    n = truth.shape[1] if truth.ndim == 2 else highest + 1
    names = tuple(map(str, range(n))) if classes is None else tuple(map(str, classes))
    fits = len(names) == n if truth.ndim == 2 else len(names) >= n
    limit = 2 if truth.ndim == 2 else len(names)
    if not fits or min(truth.min(), answer.min()) < 0 or highest >= limit:
        raise InputError(
            f"There are {len(names)} names of labels, and the labels go from {min(truth.min(), answer.min())} to "
            f"{highest} in arrays of shape {truth.shape}. Pass a name for each, and labels that are counted from 0."
        )
    if truth.ndim == 1:
        counts = np.zeros((len(names), len(names)), np.int64)
        np.add.at(counts, (truth, answer), 1)
    else:
        counts = np.zeros((n, 2, 2), np.int64)
        np.add.at(counts, (np.arange(n)[None, :], truth, answer), 1)
    return ConfusionMatrix(counts, names, level)


def _whole(values: ArrayLike) -> NDArray[np.int64]:
    found: NDArray[Any] = np.asarray(values)
    if found.dtype.kind not in "fiub" or (found.dtype.kind == "f" and (found != np.rint(found)).any()):
        raise InputError(
            f"The labels are {found.dtype} and not whole numbers. Pass class indices: of probabilities of exclusive "
            "classes, argmax(axis=1)."
        )
    return found.astype(np.int64)


def _share(k: int, n: int) -> float:
    return k / n if n else float("nan")
