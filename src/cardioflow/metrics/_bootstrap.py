"""Confidence intervals of metrics, by resampling the records."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.core.row_groups import rows_by_group
from cardioflow.errors import InputError

__all__ = ["bootstrap_interval", "labels_in"]


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
    """Return the interval that holds the central ``level`` of the values of ``metric`` over ``n`` resamples.

    This is the percentile bootstrap (Efron and Tibshirani 1993, section 13.3).
    A resample that lacks a label, or on which the metric is NaN, is left out,
    because most metrics are not defined there.

    Args:
        metric: A function of (y_true, y_pred): one of this package, or of scikit-learn.
        y_true: The true values, one row per record or per segment.
        y_pred: The predictions, with as many rows.
        n: The number of resamples.
        level: The fraction of the resamples between the two limits.
        seed: The seed of the random number generator.
        records: The record, or the patient, of each row; rows of the same one are drawn together. Segments of one
            record are so similar that drawing them independently would make the interval too narrow.

    Raises:
        InputError: if the lengths differ, or if half of the resamples lack a label or a value.

    >>> bootstrap_interval(lambda a, b: np.mean(a == b), [0, 1, 1, 0, 1], [0, 1, 1, 0, 1])
    (1.0, 1.0)
    """
    truth, answer = np.asarray(y_true), np.asarray(y_pred)
    rows = rows_by_group(len(truth), records)
    if len(answer) != len(truth) or not len(truth):
        raise InputError(
            f"bootstrap_interval() got {len(truth)} true values and {len(answer)} predictions. "
            "Pass equally many of both, and at least one."
        )
    if not 0 < level < 1:
        raise InputError(f"level={level!r} is not between 0 and 1. Pass a fraction such as 0.95.")
    random = np.random.default_rng(seed)
    values, labels = [], labels_in(truth)
    for _ in range(n):
        drawn = np.concatenate([rows[i] for i in random.integers(len(rows), size=len(rows))])
        if labels_in(truth[drawn]) == labels:
            value = float(metric(truth[drawn], answer[drawn]))
            # Labels may come as floats, which cannot be told from other numbers before.
            if not math.isnan(value):
                values.append(value)
    if len(values) < max(n / 2, 1):
        raise InputError(
            f"Only {len(values)} of {n} resamples of {len(rows)} records contain every label and have a value, too few "
            "for a meaningful interval. Evaluate on more records."
        )
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def labels_in(truth: NDArray[Any]) -> list[Any]:
    """Return the labels that occur, of each column if there are several; none where values are numbers."""
    if truth.ndim == 1:
        return _labels(truth)
    return [_labels(column) for column in truth.T]


def _labels(values: NDArray[Any]) -> list[Any]:
    found: list[Any] = np.unique(values).tolist()
    # Ages and times of survival differ from resample to resample. Labels as floats are 0 and 1.
    return [] if values.dtype.kind == "f" and not set(found) <= {0.0, 1.0} else found
