"""The expected calibration error without the part that chance alone makes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.calibration._bins import Binned, Binning, Of, binned, edges_of, pairs_of
from cardioflow.calibration._checks import fraction
from cardioflow.core.row_groups import rows_by_group
from cardioflow.errors import ConfigError

__all__ = ["CalibrationError", "Norm", "calibration_error"]

Floats = NDArray[np.float64]
Norm = Literal["l1", "l2"]


class CalibrationError(NamedTuple):
    """How far predicted probabilities are from observed frequencies."""

    value: float
    """The error with its bias taken off; below 0 where chance alone explains more than the raw one."""
    interval: tuple[float, float]
    """NaN where there is one record or one patient, or less than two resamples: they have no spread."""
    raw: float
    """The error as it is usually printed, which is above 0 even for right probabilities."""
    bias: float
    """What was taken off."""
    p_value: float
    """How often right probabilities would give a Spiegelhalter's Z at least as far from 0; it needs no bins."""


def calibration_error(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    of: Of | int = "top_label",
    norm: Norm = "l1",
    n_bins: int = 15,
    bins: Binning = "equal_width",
    records: Sequence[Any] | None = None,
    n: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> CalibrationError:
    """Return the expected calibration error (ECE; Naeini et al., AAAI 2015; Guo et al., ICML 2017).

    Bins are (a, b]: a probability on a limit belongs to the bin below it, as
    Guo et al. define it, and 0 to the first bin. torchmetrics and others
    have [a, b), which gives another error where many probabilities are round
    numbers. With ``norm="l1"``, |frequency - probability| averaged over the bins by
    their records; with ``norm="l2"``, the root of the mean square. Even right
    probabilities have an error, by chance. From the mean square it is taken off
    without an assumption (Kumar et al., NeurIPS 2019, section 5); the root of a
    negative square is given as a negative number. From the mean of absolute
    values it is taken off bin by bin: what the mean of a folded normal exceeds
    its centre by, with the standard deviation that right probabilities have
    (Bröcker and Smith, Weather and Forecasting 2007), and Kumar's unbiased square
    as the square of the centre. On right probabilities that is about four fifths
    of the bias; to take off all of it, as for a centre of 0, would hide a third of
    a true error of 0.2 on 400 records.

    The interval is the spread of bootstrap resamples around ``value``. Each
    resample adds chance to chance, and so the double variance is taken off it.
    In simulations, intervals at a level of 0.9 held the true error in 0.88 to
    0.97 of the cases.

    Args:
        y_true: Class indices of shape (record,), or 0 and 1 of shape (record, class).
        y_pred: Probabilities of shape (record, class), or those of the second of two classes.
        of: ``"top_label"``: the probability of the most probable class; ``"class"``: the mean over the classes, each
            against the rest; or the number of a class.
        norm: ``"l1"`` or ``"l2"``.
        n_bins: The number of bins.
        bins: ``"equal_width"``, or ``"equal_count"`` with as many records in each.
        records: The patient or the record of each row; rows of the same one are drawn together. The bias does not
            know them: it is that of independent rows.
        n: The number of resamples for the interval; 0 or 1 for none.
        level: The level of the interval.
        seed: The seed of the resamples.

    Raises:
        InputError: when the arrays do not fit together.
        ConfigError: for an unknown choice.
    """
    if norm not in ("l1", "l2"):
        raise ConfigError(f"norm={norm!r} is neither 'l1' nor 'l2'.")
    fraction("level", level)
    if isinstance(n, bool) or not isinstance(n, int) or n < 0:
        raise ConfigError(f"n={n!r} is not a number of resamples. Pass a whole number from 0 on.")
    pairs = pairs_of(y_true, y_pred, of)
    edges = [edges_of(p, n_bins, bins) for p, _ in pairs]
    raw, value = _errors(pairs, edges, norm, 1)
    rows = rows_by_group(len(pairs[0][0]), records)
    random = np.random.default_rng(seed)
    resampled = np.empty(n)
    for i in range(n):
        drawn = np.concatenate([rows[j] for j in random.integers(len(rows), size=len(rows))])
        resampled[i] = _errors([(p[drawn], y[drawn]) for p, y in pairs], edges, norm, 2)[1]
    low = high = math.nan
    if n > 1 and len(rows) > 1:
        limits = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2]) - resampled.mean() + value
        low, high = limits.tolist()
    if norm == "l2":
        # Until here, squares: only they are unbiased.
        raw, value, low, high = math.sqrt(raw), _root(value), _root(low), _root(high)
    return CalibrationError(value, (low, high), raw, raw - value, _spiegelhalter(pairs))


def _errors(pairs: list[tuple[Floats, Floats]], edges: list[Floats], norm: Norm, n_chances: int) -> tuple[float, float]:
    """Return the mean over the pairs of the error, of its square for ``"l2"``, raw and without what chance adds to it.

    Args:
        pairs: Probabilities, and whether they came true.
        edges: The limits of the bins of each pair.
        norm: ``"l1"`` or ``"l2"``.
        n_chances: How often chance has acted: twice in a resample.
    """
    each = [_error(binned(p, y, own), norm, n_chances) for (p, y), own in zip(pairs, edges, strict=True)]
    raw, value = np.mean(each, axis=0)
    return float(raw), float(value)


def _error(own: Binned, norm: Norm, n_chances: int) -> tuple[float, float]:
    weight = own.n_records / own.n_records.sum()
    distance = own.frequency - own.probability
    # What chance adds to the square of each distance; of one record, only the prediction tells.
    chance = own.frequency * (1 - own.frequency) / np.maximum(own.n_records - 1, 1)
    chance = n_chances * np.where(own.n_records > 1, chance, own.spread**2)
    if norm == "l2":
        return float(weight @ distance**2), float(weight @ (distance**2 - chance))
    centre = np.sqrt(np.maximum(distance**2 - chance, 0))
    spread = own.spread * math.sqrt(n_chances)
    excess = [_mean_absolute(m, s) - m for m, s in zip(centre.tolist(), spread.tolist(), strict=True)]
    return float(weight @ np.abs(distance)), float(weight @ (np.abs(distance) - excess))


def _root(square: float) -> float:
    return math.copysign(math.sqrt(abs(square)), square)


def _mean_absolute(mean: float, spread: float) -> float:
    """Return the mean of |x| for a normal x (Leone et al., Technometrics 3, 1961)."""
    if spread == 0:
        return abs(mean)
    ratio = mean / (spread * math.sqrt(2))
    return spread * math.sqrt(2 / math.pi) * math.exp(-(ratio**2)) + mean * math.erf(ratio)


def _spiegelhalter(pairs: list[tuple[Floats, Floats]]) -> float:
    """Return the two-sided p-value of Spiegelhalter's Z (Statistics in Medicine 5, 1986).

    Of several classes, the least one multiplied by their number (Bonferroni).
    """
    values = []
    for p, y in pairs:
        variance = float((((1 - 2 * p) ** 2) * p * (1 - p)).sum())
        excess = float(((y - p) * (1 - 2 * p)).sum())
        if variance > 0:
            values.append(math.erfc(abs(excess) / math.sqrt(2 * variance)))
        else:
            # Probabilities of 0, 1/2 and 1 alone, which say nothing or are wrong for certain.
            values.append(1.0 if excess == 0 else 0.0)
    return min(1.0, min(values) * len(values))
