"""Non-linear measures of heart rate variability: Poincaré plot, sample entropy, detrended fluctuations."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.hrv.normal import Intervals
from cardioflow.analysis.hrv.settings import HrvSettings
from cardioflow.core.compiled import kernel, read_only

__all__ = ["NAMES", "nonlinear"]

Doubles = NDArray[np.float64]

NAMES: Final = ("sd1", "sd2", "sd1_sd2", "ellipse_area", "sample_entropy", "dfa_alpha1", "dfa_alpha2")

_MOST: Final = 20_000
"""Intervals for sample entropy, which compares each with each."""
_LEAST_ENTROPY: Final = 100
_SHORT: Final = (4, 16)
_LONG: Final = (16, 64)


def nonlinear(found: Intervals, settings: HrvSettings) -> tuple[dict[str, float], dict[str, str]]:
    """Return the measures, in ms where they have a unit, and why a value is missing."""
    nn, differences = found.nn, found.differences
    values, reasons = dict.fromkeys(NAMES, np.nan), {}
    if differences.size > 1:
        spread = float(differences.var(ddof=1))
        values["sd1"] = float(np.sqrt(spread / 2))
        values["sd2"] = float(np.sqrt(max(2 * nn.var(ddof=1) - spread / 2, 0.0)))
        values["sd1_sd2"] = values["sd1"] / values["sd2"] if values["sd2"] > 0 else np.nan
        values["ellipse_area"] = float(np.pi * values["sd1"] * values["sd2"])
    if _LEAST_ENTROPY <= nn.size <= _MOST:
        values["sample_entropy"] = _sample_entropy(nn, settings.entropy_m, settings.entropy_r * float(nn.std(ddof=1)))
    else:
        reasons["sample_entropy"] = f"{nn.size} intervals are not between {_LEAST_ENTROPY} and {_MOST}"
    for name, (shortest, longest) in (("dfa_alpha1", _SHORT), ("dfa_alpha2", _LONG)):
        if nn.size >= 4 * longest:
            values[name] = _fluctuations(nn, shortest, longest)
        else:
            reasons[name] = f"{nn.size} intervals are fewer than {4 * longest}"
    for name in NAMES:
        if np.isnan(values[name]):
            reasons.setdefault(name, "there are too few normal intervals, or they are all equal")
    return values, reasons


def _sample_entropy(nn: Doubles, m: int, tolerance: float) -> float:
    """Return -ln(A / B): of the pairs alike over ``m`` intervals, the share alike over one more.

    Richman and Moorman 2000; a pair of a window with itself does not count.
    """
    counts = np.zeros(2, np.int64)
    _count_alike(read_only(nn), m, tolerance, counts)
    return float(-np.log(counts[1] / counts[0])) if counts.all() else np.nan


@kernel()
def _count_alike(nn: Doubles, m: int, tolerance: float, counts: NDArray[np.int64]) -> None:
    for i in range(nn.size - m):
        for j in range(i + 1, nn.size - m):
            k = 0
            while k < m and abs(nn[i + k] - nn[j + k]) <= tolerance:
                k += 1
            if k == m:
                counts[0] += 1
                if abs(nn[i + m] - nn[j + m]) <= tolerance:
                    counts[1] += 1


def _fluctuations(nn: Doubles, shortest: int, longest: int) -> float:
    """Return the slope of the fluctuation over the window's length, both as logarithms (Peng et al. 1995)."""
    profile = np.cumsum(nn - nn.mean())
    lengths = np.arange(shortest, longest + 1)
    sizes = []
    for n in lengths:
        windows = profile[: profile.size // n * n].reshape(-1, n)
        x = np.arange(n) - (n - 1) / 2
        slope = windows @ x / (x @ x)
        rest = windows - windows.mean(axis=1, keepdims=True) - slope[:, None] * x
        sizes.append(np.sqrt(np.mean(rest**2)))
    if not np.all(np.array(sizes) > 0):
        return np.nan
    return float(np.polyfit(np.log(lengths), np.log(sizes), 1)[0])
