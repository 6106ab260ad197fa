"""Checks of limb leads in a few fast passes, for readers that check every record."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.compiled import helper, kernel, read_only

__all__ = ["law_residual", "law_residuals", "suspected_swap", "suspected_swaps"]

# Smaller than this, a limb lead is the far field between two leg electrodes; 0.1 mV is the usual limit of "low".
_FLAT_MV = 0.1
# The band of a flat lead is searched this far around its mean, in bins of a tenth of a band.
_BINS = 100
_BIN_MV = _FLAT_MV / 5
_OF_BAND = 10
# The correlation with V6 below which a lead counts as upside down.
_AGAINST = -0.5


Rows = NDArray[np.int64]


def law_residuals(
    data: NDArray[np.float32], begins: Rows, n_samples: Rows, terms: Rows, signs: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return what ``law_residual`` returns of each record of a batch, NaN of those without the leads.

    Args:
        data: The samples of all records, each (lead, time), one after another.
        begins: Where each record begins in ``data``.
        n_samples: The samples of each lead, per record.
        terms: Per record, the rows of the law's three leads, or -1.
        signs: Per record, the sign of the second.
    """
    found = np.empty(len(begins))
    _law_residuals(read_only(data), read_only(begins), read_only(n_samples), terms, signs, found)
    return found


def suspected_swaps(data: NDArray[np.float32], begins: Rows, n_samples: Rows, limbs: Rows) -> Rows:
    """Return what ``suspected_swap`` returns of each record of a batch, 0 of those without the leads.

    Args:
        data: The samples of all records, each (lead, time), one after another.
        begins: Where each record begins in ``data``.
        n_samples: The samples of each lead, per record.
        limbs: Per record, the rows of I, II and V6, or -1.
    """
    found = np.empty(len(begins), np.int64)
    _suspected_swaps(read_only(data), read_only(begins), read_only(n_samples), limbs, found)
    return found


@kernel(error_model="numpy")
def _law_residuals(  # noqa: PLR0917 -- a kernel's arguments are its data
    data: Any, begins: Any, n_samples: Any, terms: Any, signs: Any, found: Any
) -> None:
    for i in range(begins.size):
        n = n_samples[i]
        first, second, third = terms[i]
        if first < 0:
            found[i] = np.nan
            continue
        a, b, c = begins[i] + first * n, begins[i] + second * n, begins[i] + third * n
        found[i] = _law_residual(data[a : a + n], data[b : b + n], data[c : c + n], signs[i])


@kernel(error_model="numpy")
def _suspected_swaps(data: Any, begins: Any, n_samples: Any, limbs: Any, found: Any) -> None:
    for i in range(begins.size):
        n = n_samples[i]
        first, second, lateral = limbs[i]
        found[i] = 0
        if first >= 0:
            a, b, c = begins[i] + first * n, begins[i] + second * n, begins[i] + max(lateral, 0) * n
            found[i] = suspected_swap(data[a : a + n], data[b : b + n], data[c : c + n if lateral >= 0 else c])


@kernel(error_model="numpy")
def law_residual(signal: Any, first: int, second: int, third: int, sign: float) -> float:
    """Return the RMS of first + sign * second + third over the RMS of the three rows; NaN where all are flat.

    Einthoven's law is that of I, II, III with sign -1, Goldberger's that of aVR,
    aVL, aVF with sign 1. Each row's mean is taken off; samples where one of the
    three is NaN do not count.
    """
    return _law_residual(signal[first], signal[second], signal[third], sign)


@helper(error_model="numpy")
def _law_residual(a: Any, b: Any, c: Any, sign: float) -> float:
    n = 0
    total_a = total_b = total_c = square = residual = 0.0
    for t in range(a.size):
        x, y, z = np.float64(a[t]), np.float64(b[t]), np.float64(c[t])
        off = x + sign * y + z
        if np.isfinite(off):
            n += 1
            total_a += x
            total_b += y
            total_c += z
            square += x * x + y * y + z * z
            residual += off * off
    if n == 0:
        return np.nan
    means = (total_a * total_a + total_b * total_b + total_c * total_c) / n
    mean_off = total_a + sign * total_b + total_c
    power = (square - means) / 3.0
    # Rounding errors are not a signal.
    if power <= 1e-12 * square:
        return np.nan
    return float(np.sqrt(max(residual - mean_off * mean_off / n, 0.0) / power))


@kernel(error_model="numpy")
def suspected_swap(first: Any, second: Any, lateral: Any) -> int:
    """Return 0, or which limb electrodes look swapped: 1 RA/RL, 2 LA/RL, 3 RA/LL, 4 RA/LA.

    ``first``, ``second`` and ``lateral`` are I, II and V6 in millivolts, V6 of no
    samples where it was not recorded; the other limb leads follow from I and II,
    swapped or not. ``dsp.leads.suspect_swapped_electrodes`` gives the rules.
    """
    mean_1, mean_2, n = _means(first, second)
    one, two, three = (1.0, 0.0, mean_1), (0.0, 1.0, mean_2), (-1.0, 1.0, mean_2 - mean_1)
    flat_1 = _is_flat(first, second, one, n)
    flat_2 = _is_flat(first, second, two, n)
    flat_3 = _is_flat(first, second, three, n)
    if flat_1 or flat_2 or flat_3:
        return 0 if flat_1 or (flat_2 and flat_3) else 1 if flat_2 else 2
    right_arm = (-0.5, -0.5, -(mean_1 + mean_2) / 2)
    if lateral.size != first.size or _skew(first, second, right_arm) <= 0:
        return 0
    foot = (-0.5, 1.0, mean_2 - mean_1 / 2)
    if (
        _skew(first, second, two) < 0
        and _skew(first, second, three) < 0
        and _skew(first, second, foot) < 0
        and _correlation(second, lateral) < _AGAINST
    ):
        return 3
    return 4 if _skew(first, second, one) < 0 and _correlation(first, lateral) < _AGAINST else 0


@helper(error_model="numpy")
def _means(a: Any, b: Any) -> tuple[float, float, int]:
    """Return the means of two rows over the samples present in both, and their number."""
    total_a = total_b = 0.0
    n = 0
    for t in range(a.size):
        x, y = np.float64(a[t]), np.float64(b[t])
        if np.isfinite(x + y):
            total_a += x
            total_b += y
            n += 1
    return total_a / max(n, 1), total_b / max(n, 1), n


# The functions below take a lead as (a, b, mean), which stands for a * I + b * II - mean.


@helper(error_model="numpy")
def _is_flat(first: Any, second: Any, lead: tuple[float, float, float], n: int) -> bool:
    """Return whether some band of 0.2 mV holds 99 % of the lead's ``n`` samples."""
    a, b, mean = lead
    counts = np.zeros(2 * _BINS, np.int64)
    outside, most = 0, n // 100
    for t in range(first.size):
        x = a * np.float64(first[t]) + b * np.float64(second[t]) - mean
        if np.isfinite(x):
            place = x / _BIN_MV + _BINS
            if 0 <= place < 2 * _BINS:
                counts[int(place)] += 1
            else:
                outside += 1
                if outside > most:
                    return False
    inside = 0
    for i in range(2 * _BINS):
        inside += counts[i]
        if i >= _OF_BAND:
            inside -= counts[i - _OF_BAND]
        if inside >= n - most:
            return True
    return False


@helper(error_model="numpy")
def _skew(first: Any, second: Any, lead: tuple[float, float, float]) -> float:
    """Return the sum of the lead's cubes, which is above 0 where upward waves are larger than downward ones."""
    a, b, mean = lead
    third = 0.0
    for t in range(first.size):
        x = a * np.float64(first[t]) + b * np.float64(second[t]) - mean
        if np.isfinite(x):
            third += x * x * x
    return third


@helper(error_model="numpy")
def _correlation(a: Any, b: Any) -> float:
    """Return Pearson's correlation of two rows, 0 where one of them is flat; samples missing in either do not count."""
    mean_a, mean_b, n = _means(a, b)
    ab = aa = bb = 0.0
    for t in range(a.size):
        x, y = np.float64(a[t]) - mean_a, np.float64(b[t]) - mean_b
        if np.isfinite(x * y):
            ab += x * y
            aa += x * x
            bb += y * y
    scale = np.sqrt(aa * bb)
    return float(ab / scale) if scale > 1e-12 * n else 0.0
