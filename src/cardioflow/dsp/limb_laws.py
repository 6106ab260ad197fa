"""The laws of the limb leads as one fast pass, for readers that check every record."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["law_residual"]


@njit(nogil=True, cache=True, error_model="numpy")
def law_residual(signal: Any, first: int, second: int, third: int, sign: float) -> float:
    """Return the RMS of first + sign * second + third over the RMS of the three rows; NaN where all are flat.

    What ``dsp.leads.check_limb_leads`` computes, twenty times as fast: Einthoven's
    law is that of I, II, III with sign -1, Goldberger's that of aVR, aVL, aVF with
    sign 1. Each row's mean is taken off; samples where one of the three is NaN do
    not count.
    """
    a, b, c = signal[first], signal[second], signal[third]
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
    # What is left of rounding is no signal.
    if power <= 1e-12 * square:
        return np.nan
    return float(np.sqrt(max(residual - mean_off * mean_off / n, 0.0) / power))
