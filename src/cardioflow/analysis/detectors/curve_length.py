"""A second, simpler detector, to compare others with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.analysis.beats._design import design
from cardioflow.analysis.beats.beats import Beats
from cardioflow.analysis.detectors.base import Detector
from cardioflow.core.compiled import kernel, read_only
from cardioflow.errors import InputError

__all__ = ["CurveLength"]

_WINDOW_S: Final = 0.13
_EYE_CLOSING_S: Final = 0.25
_EXPECT_S: Final = 2.5


@final
@dataclass(frozen=True)
class CurveLength(Detector):
    """The length of the curve within 0.13 s against an adaptive threshold, in the first lead.

    This is the method of Zong, Moody and Jiang 2003. A rising length above a third of the
    usual one begins a beat; after 0.25 s the next may follow, and after 2.5 s without one the threshold
    falls. Differences from the paper: the signal is averaged to 100–200 Hz instead of low-pass
    filtered, and the beat is placed at the largest deflection from the median of its surroundings
    instead of at its onset. The method gives no confidence, so that ``confidence`` is NaN.
    """

    def __call__(self, signal: ArrayLike, fs: float) -> Beats:
        x = np.atleast_2d(np.asarray(signal, np.float64))
        if x.ndim != 2:
            raise InputError(f"curve_length got a signal of shape {x.shape}. Pass (lead, time) in mV.")
        plan = design(float(fs))
        n = x.shape[1] // plan.step
        if not len(x) or n < plan.rate:
            return Beats.none(float(fs))
        y = _held(x[0, : n * plan.step].reshape(n, plan.step).mean(axis=1))
        curve = np.zeros(n)
        curve[1:] = np.hypot(np.diff(y), _flat(y))
        total = np.concatenate([[0.0], np.cumsum(curve)])
        window = round(_WINDOW_S * plan.rate)
        length = np.zeros(n)
        length[window:] = total[window + 1 :] - total[1:-window]
        onsets = np.empty(n, np.int64)
        start = np.median([piece.max() for piece in np.array_split(length, max(int(n / plan.rate / 2), 1))])
        count = _cross(read_only(length - window * _flat(y)), float(start), plan.rate, onsets)
        peaks = np.array([_peak(y, int(k), plan.rate) for k in onsets[:count]], np.int64)
        sample = np.unique(peaks) * plan.step + (plan.step - 1) // 2
        m = len(sample)
        return Beats(sample, np.full(m, np.nan), np.zeros(m, np.int64), y[np.unique(peaks)], float(fs))


def _held(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``y`` with missing values replaced by the one before."""
    last = np.maximum.accumulate(np.where(np.isfinite(y), np.arange(y.size), -1))
    return np.where(last >= 0, y[np.maximum(last, 0)], 0.0)


def _flat(y: NDArray[np.float64]) -> float:
    """Return the step per sample below which the curve counts as flat."""
    return float(np.median(np.abs(np.diff(y)))) + 1e-6


def _peak(y: NDArray[np.float64], onset: int, rate: float) -> int:
    begin, end = max(onset - round(0.16 * rate), 0), onset + round(0.06 * rate) + 1
    piece = y[begin:end]
    return begin + int(np.argmax(np.abs(piece - np.median(y[max(begin - round(0.2 * rate), 0) : end]))))


@kernel()
def _cross(length: NDArray[np.float64], usual: float, rate: float, onsets: NDArray[np.int64]) -> int:
    """Write where the length rises above a third of the usual one, and return how often it does."""
    count = 0
    least = 0.05 * usual
    last = 0.0
    quiet = int(_EYE_CLOSING_S * rate)
    reach = int(0.125 * rate)
    t = 1
    while t < length.size:
        if length[t] > usual / 3.0:
            highest, lowest = length[t], length[t]
            for k in range(t, min(t + reach, length.size)):
                highest = max(highest, length[k])
            for k in range(max(t - reach, 0), t):
                lowest = min(lowest, length[k])
            if highest > lowest + usual / 10.0:
                onsets[count] = t
                count += 1
                usual += (highest - usual) / 10.0
                last = t
                t += quiet
                continue
        if t - last > _EXPECT_S * rate and usual > least:
            usual *= 0.999
        t += 1
    return count
