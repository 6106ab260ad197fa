"""Beats of a whole signal."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from cardioflow.analysis.beats.beats import Beats
from cardioflow.analysis.beats.stream import BeatStream
from cardioflow.errors import InputError

__all__ = ["detect_beats"]

_PIECE_S: Final = 1200.0
"""Seconds that are pushed at a time, so that the memory needed does not grow with the signal."""


def detect_beats(signal: ArrayLike, fs: float, *, threshold: float = -0.3, least_mv: float = 0.02) -> Beats:
    """Return the beats of ``signal``, at the main deflection of the QRS and without the delay of a filter.

    Candidates are the maxima of the slope's envelope between 3.5 and 25 Hz, as in Pan and
    Tompkins 1985. Two small networks score each: the first compares it with the
    candidates around it, in height, width, sharpness and shape, the second with the beats that the first
    found, in intervals and shape, which replaces their rules for T waves, search-back and noise. Scores
    of several leads are added, each weighted by how decided the lead is at that time. The networks were trained
    on DS1 of MITDB, the first halves of NSTDB, and LUDB's training part.

    Args:
        signal: millivolts of shape (lead, time), or (time,) for one lead. NaN marks missing samples.
        fs: the sampling rate in Hz, at least 80.
        threshold: the evidence that a beat needs, as log-odds; a lower one gives more beats, and more false ones.
        least_mv: the least height of a QRS between 3.5 and 25 Hz, in mV.

    Raises:
        InputError: when the signal has another shape, or the rate is too low.

    >>> detect_beats(np.zeros((2, 5000)), fs=500)
    Beats(0 beats, fs=500)
    """
    x = np.asarray(signal)
    if x.ndim not in (1, 2) or np.iscomplexobj(x):
        raise InputError(
            f"detect_beats got a signal of shape {x.shape} and type {x.dtype}. "
            "Pass real millivolts of shape (lead, time) or (time,)."
        )
    x = np.atleast_2d(x)
    if not len(x):
        return Beats.none(float(fs))
    stream = BeatStream(fs, len(x), threshold=threshold, least_mv=least_mv)
    piece = max(round(_PIECE_S * fs), 1)
    parts = [stream.push(x[:, begin : begin + piece]) for begin in range(0, x.shape[1], piece)]
    return Beats.joined([*parts, stream.finish()], float(fs))
