"""The median of the beats that have one shape."""
# ruff: noqa: PLR0917 -- compiled functions take their arrays by position

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.compiled import helper, kernel, read_only

__all__ = ["Aligned", "align"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

_ALIKE: Final = 0.90
"""The least correlation of a beat with the median beat, over QRS and T, for it to be of the common shape."""
_CLEAR: Final = 0.8
"""The least median correlation of a lead's beats with their median, for the lead to be used in comparing beats."""
_SHIFT_S: Final = 0.02
"""How far alignment may move a beat."""
_EARLY: Final = 0.85
"""A beat that comes earlier than this part of the median RR is premature, whatever its shape."""
_BEFORE_S: Final = 0.45
_AFTER_S: Final = 0.70
_ROUNDS: Final = 2
_COMMON: Final = 0.3
"""The least share of the beats that are of the common shape."""
_QRS_S: Final = 0.06
"""Seconds on either side of the R peak, in which a beat is aligned."""


class Aligned(NamedTuple):
    """Beats of one shape, aligned."""

    signal: Floats
    """The median beat, (lead, time)."""
    at: int
    """The sample of it to which ``places`` are aligned."""
    places: Ints
    """The sample of the record at which each beat is aligned, for all beats."""
    used: NDArray[np.bool_]
    """Which beats the median is of."""


def align(signal: NDArray[Any], fs: float, r: Ints) -> Aligned:
    """Return the median beat of ``signal``, (lead, time), whose QRS lie at ``r``.

    Beats are moved by up to 20 ms to where they correlate best with the median of all; those that correlate by less
    than 0.90, or come early, are left out. A beat that reaches outside the record, or has samples that are not finite
    in every lead, is left out too.
    """
    before, after = round(_BEFORE_S * fs), round(_AFTER_S * fs)
    rr = np.diff(r)
    if rr.size:
        # Beats of a fast heart do not reach into one another.
        before = min(before, int(0.5 * np.median(rr)))
        after = min(after, int(np.median(rr)) - before)
    n = signal.shape[1]
    margin = round(_SHIFT_S * fs)
    inside = (r - before - margin >= 0) & (r + after + margin <= n)
    used = inside & ~_early(r)
    used &= np.array([bool(np.isfinite(signal[:, max(k - before, 0) : k + after]).all(axis=1).any()) for k in r], bool)
    empty = np.empty((signal.shape[0], 0), np.float32)
    if not used.any():
        return Aligned(empty, before, r, used)
    clear = _clear_leads(signal, r[used], before, after)
    # The first median may hold beats of several shapes; the second is of those that are like it.
    places, fits = r.copy(), np.ones(r.size)
    for _ in range(_ROUNDS):
        alike = used & (fits >= _ALIKE)
        # Where most beats differ from their own median, as in noise, there is no common shape.
        if alike.sum() < max(1.0, _COMMON * used.sum()):
            return Aligned(empty, before, r, np.zeros(r.size, np.bool_))
        median = _median(signal, places[alike], before, after)
        places, fits = _aligned(signal[clear], median[clear], r, used, (before, margin, round(_QRS_S * fs)))
    return Aligned(median, before, places, alike)


def _early(r: Ints) -> NDArray[np.bool_]:
    early = np.zeros(r.size, np.bool_)
    rr = np.diff(r)
    # In an irregular rhythm no beat is premature.
    if rr.size >= 4 and np.median(np.abs(rr - np.median(rr))) < 0.08 * np.median(rr):
        early[1:] = rr < _EARLY * np.median(rr)
    return early


def _median(signal: NDArray[Any], places: Ints, before: int, after: int) -> Floats:
    import warnings

    stack = np.stack([signal[:, k - before : k + after] for k in places])
    # A step of the baseline between two beats is not part of their shape.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a lead without a sample stays NaN
        stack = stack - np.nanmedian(stack, axis=2, keepdims=True)
        result: Floats = np.nanmedian(stack, axis=0).astype(np.float32)
    return result


def _clear_leads(signal: NDArray[Any], r: Ints, before: int, after: int) -> NDArray[np.bool_]:
    """Return the leads whose beats are like their median, by which beats are aligned; noise says nothing of a beat."""
    stack = np.stack([signal[:, k - before : k + after] for k in r[:: max(r.size // 100, 1)]])
    there = np.isfinite(stack)
    n_there = np.maximum(there.sum(axis=2, keepdims=True), 1)
    # Less its own level, a gap is 0: from an electrode's offset it would be a step.
    level = np.where(there, stack, 0.0).sum(axis=2, keepdims=True) / n_there
    stack = np.where(there, stack - level, 0.0)
    model = np.median(stack, axis=0)
    size = np.sqrt((stack**2).sum(axis=2) * (model**2).sum(axis=1))
    fits = np.median((stack * model).sum(axis=2) / np.maximum(size, 1e-12), axis=0)
    return np.asarray(fits >= min(_CLEAR, float(fits.max())))


def _aligned(
    signal: NDArray[Any], median: Floats, r: Ints, used: NDArray[np.bool_], sizes: tuple[int, int, int]
) -> tuple[Ints, NDArray[np.float64]]:
    """Return where each beat fits ``median`` best, and its correlation with it there."""
    leads = np.isfinite(median).all(axis=1)
    data = np.asarray(signal[leads], np.float32)
    places, fits = r.copy(), np.full(r.size, -1.0)
    _align(read_only(data), read_only(median[leads]), read_only(np.flatnonzero(used)), places, fits, *sizes)
    return places, fits


@helper()
def _correlation(x: Any, median: Any, start: int, first: int, last: int) -> float:
    """Return the correlation of samples ``first`` to ``last`` of the median with the record, over its leads there."""
    both, own, model = 0.0, 0.0, 0.0
    n = last - first
    for lead in range(median.shape[0]):
        mean_x, mean_m = 0.0, 0.0
        for t in range(first, last):
            mean_x += x[lead, start + t]
            mean_m += median[lead, t]
        if np.isnan(mean_x):
            continue  # samples are missing: the other leads tell what the beat is like
        mean_x /= n
        mean_m /= n
        for t in range(first, last):
            a, b = x[lead, start + t] - mean_x, median[lead, t] - mean_m
            both += a * b
            own += a * a
            model += b * b
    return float(both / max((own * model) ** 0.5, 1e-12))


@kernel()
def _align(x: Any, median: Any, rows: Any, places: Any, fits: Any, before: int, margin: int, half: int) -> None:
    length = median.shape[1]
    first, last = max(before - half, 0), min(before + half, length)
    for k in rows:
        r = places[k]
        best, at = -2.0, r
        # The QRS alone decides the place; the whole beat decides whether it is of the common shape.
        for shift in range(-margin, margin + 1):
            fit = _correlation(x, median, r + shift - before, first, last)
            if fit > best:
                best, at = fit, r + shift
        places[k] = at
        fits[k] = _correlation(x, median, at - before, 0, length)
