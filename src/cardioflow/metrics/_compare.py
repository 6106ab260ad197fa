"""Whether one model is better than another on the same records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.core.row_groups import rows_by_group
from cardioflow.errors import InputError
from cardioflow.metrics._bootstrap import labels_in

__all__ = ["Comparison", "compare_models"]


class Comparison(NamedTuple):
    """The metric of two models on the same records, and how sure their difference is."""

    first: float
    second: float
    difference: float
    """``first - second``."""
    interval: tuple[float, float]
    """Of the difference, by the paired bootstrap."""
    p_value: float
    """How often exchanged predictions of the two models differ at least as much."""
    n_groups: int
    """Records, or patients, that were drawn."""


def compare_models(
    metric: Callable[..., Any],
    y_true: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    *,
    records: Sequence[Any] | None = None,
    n: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Return the difference of a metric between two models that predicted the same records.

    The interval is that of the percentile bootstrap, in which both models get
    the same drawn records (Efron and Tibshirani 1993, section 13.3): two models
    fail on the same hard records, and intervals of each alone say little about
    their difference. A resample that lacks a label is left out.
    The test exchanges the two models' predictions of each record at random
    (Fisher's paired randomization test; Good 2005, section 3.3).

    Args:
        metric: A function of (y_true, y_pred): one of this package, or of scikit-learn.
        y_true: The true values, one row per record or per segment.
        first: The predictions of one model, with as many rows.
        second: Those of the other.
        records: The record, or the patient, of each row; rows of the same one are drawn and exchanged together.
        n: The number of resamples, and of exchanges. The least p-value is 1 / (n + 1).
        level: The level of the interval.
        seed: The seed of the random number generator.

    Raises:
        InputError: when the lengths differ, or the metric is not defined on half of the resamples.
    """
    truth, a, b = np.asarray(y_true), np.asarray(first), np.asarray(second)
    if len(a) != len(truth) or a.shape != b.shape or not len(truth):
        raise InputError(
            f"compare_models() got {len(truth)} true values and predictions of shape {a.shape} and {b.shape}. Pass the "
            "predictions of both models for the same rows."
        )
    if not 0 < level < 1:
        raise InputError(f"level={level!r} is not between 0 and 1. Pass a fraction such as 0.95.")
    rows = rows_by_group(len(truth), records)
    random = np.random.default_rng(seed)

    def difference(y: NDArray[Any], p: NDArray[Any], q: NDArray[Any]) -> float:
        return float(metric(y, p)) - float(metric(y, q))

    observed = difference(truth, a, b)
    resampled, labels = [], labels_in(truth)
    for _ in range(n):
        drawn = np.concatenate([rows[i] for i in random.integers(len(rows), size=len(rows))])
        if labels_in(truth[drawn]) == labels:
            resampled.append(difference(truth[drawn], a[drawn], b[drawn]))
    known = np.array([d for d in resampled if np.isfinite(d)])
    if not np.isfinite(observed) or len(known) < max(n / 2, 1):
        raise InputError(
            f"The metric is defined on only {len(known)} of {n} resamples of {len(rows)} records, too few to compare "
            "models. Compare on more records."
        )
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    exchanged = [difference(truth, *_exchanged(a, b, rows, random)) for _ in range(n)]
    # Sums in another order differ in the last digit.
    at_least = sum(abs(d) >= abs(observed) - 1e-12 for d in exchanged)
    return Comparison(
        float(metric(truth, a)),
        float(metric(truth, b)),
        observed,
        (float(low), float(high)),
        (at_least + 1) / (n + 1),
        len(rows),
    )


def _exchanged(
    a: NDArray[Any], b: NDArray[Any], rows: list[NDArray[np.intp]], random: np.random.Generator
) -> tuple[NDArray[Any], NDArray[Any]]:
    swap = np.zeros(len(a), bool)
    for own, chosen in zip(rows, random.random(len(rows)) < 0.5, strict=True):
        swap[own] = chosen
    where = swap.reshape(-1, *[1] * (a.ndim - 1))
    return np.where(where, b, a), np.where(where, a, b)
