"""How far a score could have been otherwise, by drawing the records anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.dsp.streams import generator, record_keys
from cardioflow.errors import InputError

__all__ = ["Interval", "bootstrap_interval"]


class Interval(NamedTuple):
    """A score and the interval that holds it with the given confidence."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def bootstrap_interval(
    score: Callable[[NDArray[Any], NDArray[Any]], float],
    y_true: NDArray[Any],
    y_pred: NDArray[Any],
    *,
    level: float = 0.95,
    n_draws: int = 1000,
    seed: int = 0,
) -> Interval:
    """Return ``score(y_true, y_pred)`` with its percentile bootstrap interval (Efron and Tibshirani 1993, chapter 13).

    Each of ``n_draws`` draws takes as many records of every class as there are,
    with replacement, so that no draw lacks a class.

    Raises:
        InputError: when the two are not of one length, or empty.
    """
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    if len(y_true) != len(y_pred) or not len(y_true):
        raise InputError(f"A score needs one prediction per record, but came {len(y_pred)} for {len(y_true)}.")
    rng = generator(record_keys([f"bootstrap/{seed}"])[0])
    rows = [np.flatnonzero(y_true == label) for label in np.unique(y_true)]
    draws = np.empty(n_draws)
    for i in range(n_draws):
        drawn = np.concatenate([rng.choice(own, len(own)) for own in rows])
        draws[i] = score(y_true[drawn], y_pred[drawn])
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(score(y_true, y_pred)), float(low), float(high))
