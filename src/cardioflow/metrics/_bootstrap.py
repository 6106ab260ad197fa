"""An interval beside a figure, by drawing the records again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.errors import InputError

__all__ = ["bootstrap_interval"]


def bootstrap_interval(
    metric: Callable[..., Any],
    y_true: ArrayLike,
    y_pred: ArrayLike,
    n: int = 1000,
    *,
    level: float = 0.95,
    seed: int = 0,
    records: Sequence[Any] | None = None,
) -> tuple[float, float]:
    """Return the interval in which ``metric`` lies in the middle ``level`` of ``n`` draws of the records.

    The percentile bootstrap (Efron and Tibshirani 1993, section 13.3). A draw
    in which a label is missing is left out: most metrics are not defined on it.

    Args:
        metric: Of (y_true, y_pred): one of ours, or of scikit-learn.
        y_true: One row per record, or per segment.
        y_pred: As many rows.
        n: How many draws.
        level: The share of the draws between the two limits.
        seed: What the draws depend on.
        records: The record, or the patient, of each row; the rows of one are drawn together. Segments of one
            record are so alike that drawing them one by one makes the interval too narrow.

    Raises:
        InputError: for sizes that do not agree, or when half of the draws lack a label.

    >>> bootstrap_interval(lambda a, b: np.mean(a == b), [0, 1, 1, 0, 1], [0, 1, 1, 0, 1])
    (1.0, 1.0)
    """
    truth, answer = np.asarray(y_true), np.asarray(y_pred)
    rows = _rows(len(truth), records)
    if len(answer) != len(truth) or not len(truth):
        raise InputError(
            f"bootstrap_interval was given {len(truth)} true values and {len(answer)} predictions; "
            "give as many of both, and at least one."
        )
    if not 0 < level < 1:
        raise InputError(f"level={level!r} is no share between 0 and 1. Give 0.95, for instance.")
    random = np.random.default_rng(seed)
    values = []
    for _ in range(n):
        drawn = np.concatenate([rows[i] for i in random.integers(len(rows), size=len(rows))])
        if _labels(truth[drawn]) == _labels(truth):
            values.append(float(metric(truth[drawn], answer[drawn])))
    if len(values) < max(n / 2, 1):
        raise InputError(
            f"Of {n} draws of {len(rows)} records only {len(values)} hold every label, so that an interval would "
            "say little. Evaluate on more records."
        )
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _rows(n: int, records: Sequence[Any] | None) -> list[NDArray[np.intp]]:
    """Return the rows of each record."""
    if records is None:
        return list(np.arange(n, dtype=np.intp)[:, None])
    if len(records) != n:
        raise InputError(f"records has {len(records)} entries for {n} rows. Give the record of each row.")
    _, number = np.unique(np.asarray(records), return_inverse=True)
    order = np.argsort(number, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(number[order])) + 1)


def _labels(truth: NDArray[Any]) -> list[Any]:
    """Return which labels there are; of numbers that are no labels, nothing."""
    if truth.ndim == 1:
        return [] if truth.dtype.kind == "f" else np.unique(truth).tolist()
    return [np.unique(column).tolist() for column in truth.T]
