"""How often prediction sets hold the true class, with intervals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.calibration._checks import fraction
from cardioflow.errors import InputError

__all__ = ["Coverage", "coverage", "exact_interval"]


class Coverage(NamedTuple):
    """The share of sets that hold the true class, of all records and of those of each class."""

    share: float
    interval: tuple[float, float]
    per_class: tuple[float, ...]
    """NaN for a class without records."""
    intervals: tuple[tuple[float, float], ...]
    mean_size: float
    """Classes per set."""
    empty: float
    """The share of sets without a class."""
    single: float
    """The share of sets with exactly one."""


def coverage(y_true: ArrayLike, sets: ArrayLike, *, level: float = 0.95) -> Coverage:
    """Return how often ``sets`` hold the true class.

    Args:
        y_true: Class indices of shape (record,).
        sets: Which classes are in the set of each record, of shape (record, class).
        level: The level of the intervals, which are those of Clopper and Pearson (1934).

    Raises:
        InputError: when the arrays do not fit together.
    """
    fraction("level", level)
    labels, inside = np.asarray(y_true), np.asarray(sets)
    fits = labels.ndim == 1 and inside.ndim == 2 and len(labels) == len(inside) and len(labels)
    if not fits or inside.dtype.kind not in "bui" or labels.dtype.kind not in "bui":
        raise InputError(
            f"The labels have the shape {labels.shape} and the sets {inside.shape}, {inside.dtype}. Pass class indices "
            "of shape (record,), and what ConformalSets.apply returns."
        )
    if inside.dtype.kind != "b" and not np.isin(inside, (0, 1)).all():
        raise InputError(
            "The sets hold other values than 0 and 1. Pass which classes are in the set of each record, as "
            "ConformalSets.apply returns them."
        )
    if labels.min() < 0 or labels.max() >= inside.shape[1]:
        raise InputError(
            f"The labels go from {labels.min()} to {labels.max()}, and the sets have {inside.shape[1]} classes."
        )
    held = inside[np.arange(len(labels)), labels.astype(np.int64)].astype(bool)
    size = inside.sum(axis=1)
    counts = [(int(held[labels == k].sum()), int((labels == k).sum())) for k in range(inside.shape[1])]
    return Coverage(
        share=float(held.mean()),
        interval=exact_interval(int(held.sum()), len(held), level),
        per_class=tuple(k / n if n else float("nan") for k, n in counts),
        intervals=tuple(exact_interval(k, n, level) for k, n in counts),
        mean_size=float(size.mean()),
        empty=float((size == 0).mean()),
        single=float((size == 1).mean()),
    )


def exact_interval(k: int, n: int, level: float) -> tuple[float, float]:
    """Return the interval of Clopper and Pearson for ``k`` of ``n``; from 0 to 1 for none of none."""
    from scipy.stats import beta  # takes 0.5 s, and only intervals need it

    tail = (1 - level) / 2
    low = float(beta.ppf(tail, k, n - k + 1)) if k else 0.0
    high = float(beta.ppf(1 - tail, k + 1, n - k)) if k < n else 1.0
    return low, high


def upper_limit(k: NDArray[np.intp] | int, n: NDArray[np.intp] | int, delta: float) -> NDArray[np.float64]:
    """Return the one-sided upper limit of a rate with ``k`` events in ``n``, exceeded with probability ``delta``."""
    from scipy.stats import beta

    events, trials = np.asarray(k), np.asarray(n)
    limit: NDArray[np.float64] = np.where(
        events < trials, beta.ppf(1 - delta, events + 1, np.maximum(trials - events, 1)), 1.0
    )
    return limit
