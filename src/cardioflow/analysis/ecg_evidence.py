"""How far a signal looks like heart beats at all."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.analysis.beats.detect import detect_beats
from cardioflow.errors import InputError

__all__ = ["ecg_evidence"]

_HALF_BEAT_S: Final = 0.1
_LEAST_BEATS: Final = 3


def ecg_evidence(signal: ArrayLike, fs: float) -> NDArray[np.float64]:
    """Return for each lead how far it looks like heart beats, from 0 to 1.

    It is the median over the beats that ``detect_beats`` finds of their confidence times the correlation of ±0.1 s with
    the lead's median beat, and 0 where fewer than three beats are found. Noise has few peaks alike, and a detector that
    weighs shape and interval gives them little confidence. It does not measure the quality of waves other than the QRS.

    Args:
        signal: millivolts of shape (lead, time) or (time,); NaN marks missing samples.
        fs: the sampling rate in Hz, at least 80.

    Raises:
        InputError: when the signal has another shape.
    """
    x = np.atleast_2d(np.asarray(signal, np.float64))
    if x.ndim != 2:
        raise InputError(f"ecg_evidence got a signal of shape {x.shape}. Pass (lead, time) or (time,).")
    return np.array([_of_lead(lead, fs) for lead in x])


def _of_lead(x: NDArray[np.float64], fs: float) -> float:
    beats = detect_beats(x, fs)
    half = max(round(_HALF_BEAT_S * fs), 1)
    inside = (beats.sample >= half) & (beats.sample + half < x.size)
    at, confidence = beats.sample[inside], beats.confidence[inside]
    if at.size < _LEAST_BEATS:
        return 0.0
    pieces = x[at[:, None] + np.arange(-half, half + 1)]
    whole = np.isfinite(pieces).all(axis=1)
    pieces, confidence = pieces[whole], confidence[whole]
    if len(pieces) < _LEAST_BEATS:
        return 0.0
    pieces = pieces - pieces.mean(axis=1, keepdims=True)
    median = np.median(pieces, axis=0)
    norms = np.linalg.norm(pieces, axis=1) * np.linalg.norm(median)
    alike = np.divide(pieces @ median, norms, out=np.zeros(len(pieces)), where=norms > 0)
    return float(np.median(np.clip(alike, 0, 1) * confidence))
