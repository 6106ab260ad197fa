"""Pairs of probability and outcome, gathered in bins of the probability."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.calibration._probabilities import Labelled
from cardioflow.errors import ConfigError, InputError

__all__ = ["Binned", "Binning", "Of", "binned", "edges_of", "pairs_of"]

Floats = NDArray[np.float64]

Binning = Literal["equal_width", "equal_count"]
Of = Literal["top_label", "class"]


class Binned(NamedTuple):
    """The records of each bin that has any."""

    n_records: Floats
    probability: Floats
    """The mean probability of each bin."""
    frequency: Floats
    """The share of records for which it came true."""
    spread: Floats
    """The standard deviation of the frequency if the probabilities were right."""


def pairs_of(y_true: ArrayLike, y_pred: ArrayLike, of: Of | int) -> list[tuple[Floats, Floats]]:
    """Return pairs of (probability, whether it came true), one for the top label or for each class.

    Raises:
        InputError: when the arrays do not fit together, or there is no such class.
        ConfigError: for an unknown ``of``.
    """
    own = Labelled.of(y_true, y_pred)
    if of == "top_label":
        if not own.exclusive:
            raise InputError(
                "of='top_label' is for records with exactly one class, and the true labels have the shape (record, "
                "class). Pass of='class' for the mean over the labels."
            )
        top = own.p.argmax(axis=1)
        rows = np.arange(len(top))
        return [(own.p[rows, top], own.y[rows, top])]
    if of == "class":
        # Of two exclusive classes, both say the same.
        first = 1 if own.exclusive and own.p.shape[1] == 2 else 0
        return [(own.p[:, k], own.y[:, k]) for k in range(first, own.p.shape[1])]
    if isinstance(of, bool) or not isinstance(of, int | np.integer):
        raise ConfigError(f"of={of!r} is not 'top_label', 'class' or the number of a class.")
    if not 0 <= of < own.p.shape[1]:
        raise InputError(f"of={of}: the predictions have the classes 0 to {own.p.shape[1] - 1}.")
    return [(own.p[:, of], own.y[:, of])]


def edges_of(p: Floats, n_bins: int, bins: Binning) -> Floats:
    """Return the limits of the bins, from 0 to 1.

    Raises:
        ConfigError: for another number of bins than 1, 2 …, or an unknown way.
    """
    if isinstance(n_bins, bool) or not isinstance(n_bins, int) or n_bins < 1:
        raise ConfigError(f"n_bins={n_bins!r} is not a whole number from 1 on.")
    if bins == "equal_width":
        # Each the float nearest to k/n, so that a probability of 0.3 lies on a limit of ten bins, and not beside it.
        return np.arange(n_bins + 1) / n_bins
    if bins != "equal_count":
        raise ConfigError(f"bins={bins!r} is neither 'equal_width' nor 'equal_count'.")
    last = np.arange(1, n_bins) * len(p) // n_bins - 1
    inner = np.unique(np.sort(p)[last[last >= 0]])
    return np.concatenate([[0.0], inner[(inner > 0) & (inner < 1)], [1.0]])


def binned(p: Floats, came_true: Floats, edges: Floats) -> Binned:
    """Return the bins that have records; a probability on a limit belongs to the bin below, as in Guo et al. (2017)."""
    place = np.searchsorted(edges[1:-1], p, side="left")
    n = len(edges) - 1
    sums: list[Floats] = [
        np.bincount(place, weights=w, minlength=n).astype(np.float64)
        for w in (np.ones_like(p), p, came_true, p * (1 - p))
    ]
    count, total, hits, variance = sums
    own: NDArray[np.bool_] = count > 0
    return Binned(count[own], total[own] / count[own], hits[own] / count[own], np.sqrt(variance[own]) / count[own])
