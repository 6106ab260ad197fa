"""F1, sensitivity, PPV and AUROC of classes, with intervals of the bootstrap over records or patients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.row_groups import rows_by_group

__all__ = ["ClassScores", "Figure", "class_scores", "weighted_auroc"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Figure(NamedTuple):
    """A value and its 95 % interval; NaN where it is not defined."""

    value: float
    low: float
    high: float


class ClassScores(NamedTuple):
    """What a model scores; values per class are in the order of the classes."""

    f1: tuple[Figure, ...]
    auroc: tuple[Figure, ...]
    sensitivity: tuple[Figure, ...]
    ppv: tuple[Figure, ...]
    mean_f1: Figure
    mean_auroc: Figure


def class_scores(
    truth: Bools,
    answer: Bools,
    probability: Floats,
    groups: Sequence[str] | None = None,
    *,
    counted: Bools | None = None,
    n: int = 1000,
    seed: int = 0,
) -> ClassScores:
    """Score labels and probabilities, all of shape (record, class).

    Args:
        truth: which labels each record has.
        answer: which labels it was given; none where it could not be judged.
        probability: NaN where there is none; such a record has no part in the AUROC.
        groups: the patient of each record; the records of one are drawn together.
        counted: the classes that the means are over; by default all.
        n: the number of resamples.
        seed: the seed of the resamples.
    """
    weights = np.concatenate([np.ones((1, len(truth))), _resamples(rows_by_group(len(truth), groups), n, seed)])
    hit, told = weights @ (truth & answer), weights @ answer.astype(float)
    there = weights @ truth.astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        se, ppv, f1 = hit / there, hit / told, 2 * hit / (there + told)
    known = np.isfinite(probability)
    area = np.stack(
        [weighted_auroc(truth[k, c], probability[k, c], weights[:, k]) for c, k in enumerate(known.T)], axis=1
    )
    means = np.ones(truth.shape[1], np.bool_) if counted is None else counted
    each = (_figures(f1), _figures(area), _figures(se), _figures(ppv))
    return ClassScores(*each, _mean(f1[:, means]), _mean(area[:, means]))


def weighted_auroc(truth: Bools, score: Floats, weights: Floats) -> Floats:
    """Return the area under the ROC curve for each row of ``weights``, (resample, record); NaN without both kinds.

    It is the chance that a record with the label scores higher than one without it, a tie counting one half.
    """
    order = np.argsort(score, kind="stable")
    w, positive, ranked = weights[:, order], truth[order], score[order]
    negative = w * ~positive
    below = np.concatenate([np.zeros((len(w), 1)), np.cumsum(negative, axis=1)], axis=1)
    first = np.searchsorted(ranked, ranked, side="left")
    last = np.searchsorted(ranked, ranked, side="right")
    wins = (below[:, first] + below[:, last]) / 2
    total = (w * positive).sum(axis=1) * negative.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(total > 0, (w * positive * wins).sum(axis=1) / total, np.nan))


def _resamples(groups: Sequence[NDArray[np.intp]], n: int, seed: int) -> Floats:
    """Return how often each resample holds each record."""
    size = sum(map(len, groups))
    if len(groups) < 2:
        return np.empty((0, size))
    drawn = np.random.default_rng(seed).multinomial(len(groups), np.full(len(groups), 1 / len(groups)), size=n)
    weights = np.empty((n, size))
    for rows, times in zip(groups, drawn.T, strict=True):
        weights[:, rows] = times[:, None]
    return weights


def _figure(values: Floats) -> Figure:
    """Return the first of the values, with the interval of the others."""
    drawn = values[1:][np.isfinite(values[1:])]
    # Where half of the resamples lack the class, the rest says little.
    if len(drawn) < max(len(values) / 2, 1):
        return Figure(float(values[0]), np.nan, np.nan)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Figure(float(values[0]), float(low), float(high))


def _figures(values: Floats) -> tuple[Figure, ...]:
    return tuple(_figure(own) for own in values.T)


def _mean(values: Floats) -> Figure:
    known = np.isfinite(values).any(axis=1)
    means = np.full(len(values), np.nan)
    means[known] = np.nanmean(values[known], axis=1)
    return _figure(means)
