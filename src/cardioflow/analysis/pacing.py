"""Spikes of a pacemaker, and the beats that follow them."""

from __future__ import annotations

from typing import Final

import numpy as np
import scipy.ndimage
from numpy.typing import ArrayLike, NDArray

from cardioflow.errors import InputError

__all__ = ["LEAST_FS", "paced_beats", "pacing_spikes"]

LEAST_FS: Final = 500.0
"""Hz. Among fewer samples, a spike of 2 ms or less is as high and wide as the top of a narrow QRS: MITDB's are."""

_FLANK_S: Final = 0.002
_APART_S: Final = 0.02
_NOISE: Final = 2.5
_BLOCK_S: Final = 0.5
_BEFORE_S: Final = 0.2
_AFTER_S: Final = 0.03


def pacing_spikes(signal: ArrayLike, fs: float, least_mv: float = 0.2) -> NDArray[np.int64]:
    """Return the samples of deflections that rise and fall by ``least_mv`` within 2 ms on either side.

    A QRS is too round: an R wave of 2 mV and 60 ms falls by 0.02 mV within 2 ms of its top. A spike must also be
    2.5 times as high as nine of ten such changes in the half second around, and be seen in three leads, or in all of
    fewer. IEC 60601-2-25 asks that pulses of 0.1 to 2 ms be shown; spikes that a device has filtered
    out or drawn in as marks are not in the signal.

    Args:
        signal: millivolts of shape (lead, time) or (time,); NaN marks missing samples.
        fs: the sampling rate in Hz, at least 500.
        least_mv: the least height.

    Raises:
        InputError: when the rate is lower, or the signal has another shape.
    """
    x = np.atleast_2d(np.asarray(signal, np.float64))
    if x.ndim != 2:
        raise InputError(f"pacing_spikes got a signal of shape {x.shape}. Pass (lead, time) or (time,).")
    if not fs >= LEAST_FS:
        raise InputError(
            f"pacing_spikes needs at least {LEAST_FS:g} Hz, but got fs={fs!r}: a spike lasts 2 ms or less. "
            "Resampling does not bring it back."
        )
    # A lead without samples shows nothing, and not that there are no spikes.
    x = x[np.isfinite(x).any(axis=1)]
    flank = max(round(_FLANK_S * fs), 1)
    if not len(x) or x.shape[1] <= 2 * flank:
        return np.empty(0, np.int64)
    before, after = x[:, flank:-flank] - x[:, : -2 * flank], x[:, flank:-flank] - x[:, 2 * flank :]
    height = np.where(before * after > 0, np.minimum(np.abs(before), np.abs(after)), 0.0)
    shared = np.sort(np.nan_to_num(height), axis=0)[-min(3, len(x))]
    block = round(_BLOCK_S * fs)
    padded = np.pad(shared, (0, -shared.size % block), mode="edge").reshape(-1, block)
    usual = np.repeat(np.percentile(padded, 90, axis=1), block)[: shared.size]
    highest = scipy.ndimage.maximum_filter1d(shared, 2 * round(_APART_S * fs) + 1)
    found = (shared == highest) & (shared >= least_mv) & (shared >= _NOISE * usual)
    return np.flatnonzero(found) + flank


def paced_beats(beats: ArrayLike, spikes: ArrayLike, fs: float) -> NDArray[np.bool_]:
    """Return which beats have a spike from 0.2 s before their fiducial point to 0.03 s after it."""
    at, found = np.asarray(beats, np.int64), np.asarray(spikes, np.int64)
    first = np.searchsorted(found, at - round(_BEFORE_S * fs), "left")
    last = np.searchsorted(found, at + round(_AFTER_S * fs), "right")
    return np.asarray(last > first)
