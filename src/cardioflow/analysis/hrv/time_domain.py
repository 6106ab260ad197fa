"""Measures of heart rate variability in the time domain (Task Force 1996, table 1)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.hrv.normal import Intervals
from cardioflow.analysis.hrv.settings import HrvSettings

__all__ = ["time_domain"]

_BIN_MS: Final = 1000 / 128
_SEGMENT_S: Final = 300.0


def time_domain(found: Intervals, settings: HrvSettings) -> dict[str, float]:
    """Return the measures in ms, per cent and beats per minute; NaN where there are too few intervals."""
    nn, differences = found.nn, found.differences
    nn50 = int((np.abs(differences) > 50).sum())
    of = nn.size if settings.pnn50_of == "intervals" else differences.size
    sdann, sdnn_index = _segments(found)
    triangular, tinn = _triangle(nn)
    return {
        "mean_nn": float(nn.mean()) if nn.size else np.nan,
        "mean_hr": 60000 / float(nn.mean()) if nn.size else np.nan,
        "sdnn": _deviation(nn),
        "sdann": sdann,
        "sdnn_index": sdnn_index,
        "rmssd": float(np.sqrt(np.mean(differences**2))) if differences.size else np.nan,
        "sdsd": _deviation(differences),
        "nn50": float(nn50) if differences.size else np.nan,
        "pnn50": 100 * nn50 / of if of and differences.size else np.nan,
        "triangular_index": triangular,
        "tinn": tinn,
    }


def _deviation(values: NDArray[np.float64]) -> float:
    return float(values.std(ddof=1)) if values.size > 1 else np.nan


def _segments(found: Intervals) -> tuple[float, float]:
    """Return the SD of the 5-minute means and the mean of the 5-minute SDs, over whole segments with 10 intervals."""
    if not found.end_s.size:
        return np.nan, np.nan
    # From the first beat on, so that ten minutes are two segments. The beat at the edge ends the earlier one, and the
    # rounding of a sum of intervals does not move it.
    since = (found.end_s - found.end_s[0] + found.ms[0] / 1000) / _SEGMENT_S
    number = np.ceil(since - 1e-9).astype(int) - 1
    whole = int(np.floor(since[-1] + 1e-9))
    parts = [found.ms[(number == k) & found.kept] for k in range(whole)]
    parts = [part for part in parts if part.size >= 10]
    if len(parts) < 2:
        return np.nan, np.nan
    return _deviation(np.array([p.mean() for p in parts])), float(np.mean([_deviation(p) for p in parts]))


def _triangle(nn: NDArray[np.float64]) -> tuple[float, float]:
    """Return the triangular index and TINN, the base of the triangle that fits the histogram best, in ms.

    Bins are 1/128 s wide. The triangle's top is the mode; its ends are where the squared difference
    to the histogram is least.
    """
    if nn.size < 20:
        return np.nan, np.nan
    first = int(nn.min() // _BIN_MS)
    counts = np.bincount((nn // _BIN_MS).astype(int) - first).astype(float)
    counts = np.pad(counts, 1)
    top = int(counts.argmax())
    centres = np.arange(counts.size)

    def best(ends: range, side: NDArray[np.intp]) -> int:
        costs = []
        for end in ends:
            line = counts[top] * np.clip((side - end) / (top - end), 0, None)
            costs.append(float(((counts[side] - line) ** 2).sum()))
        return ends[int(np.argmin(costs))]

    left = best(range(top), centres[: top + 1])
    right = best(range(top + 1, counts.size), centres[top:])
    return nn.size / float(counts[top]), (right - left) * _BIN_MS
