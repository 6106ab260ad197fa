"""The beats of a lead, cut out and compared with their median."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["AFTER_S", "BEFORE_S", "BeatWindows", "correlations", "cut_beats"]

Floats = NDArray[np.float32]

BEFORE_S: Final = 0.32
AFTER_S: Final = 0.44
_QRS_S: Final = 0.06


class BeatWindows(NamedTuple):
    """Beats that lie in the record as a whole."""

    pieces: Floats
    """(beat, time), from ``BEFORE_S`` before the beat to ``AFTER_S`` after it."""
    median: Floats
    """Their median, (time,)."""
    at: int
    """The sample of the beat in each piece."""
    rows: NDArray[np.intp]
    """Which of the beats they are."""
    qrs: slice
    """60 ms to either side of the beat."""


def cut_beats(x: Floats, beats: NDArray[np.int64], fs: float) -> BeatWindows:
    """Return the windows of ``x``, (time,), around ``beats``."""
    before, after = round(BEFORE_S * fs), round(AFTER_S * fs)
    rows = np.flatnonzero((beats >= before) & (beats + after < x.size))
    half = round(_QRS_S * fs)
    qrs = slice(before - half, before + half + 1)
    if not rows.size:
        none = np.empty((0, before + after + 1), np.float32)
        return BeatWindows(none, np.full(before + after + 1, np.nan, np.float32), before, rows, qrs)
    pieces = x[beats[rows][:, None] + np.arange(-before, after + 1)]
    return BeatWindows(pieces, np.median(pieces, axis=0), before, rows, qrs)


def correlations(pieces: NDArray[Any], template: NDArray[Any]) -> NDArray[np.float64]:
    """Return the correlation of each piece with the template, NaN where one of them is constant."""
    own = pieces - pieces.mean(axis=1, keepdims=True)
    other = template - template.mean()
    norms = np.sqrt(np.einsum("ij,ij->i", own, own) * (other @ other)).astype(np.float64)
    return np.where(norms > 1e-9, (own @ other) / np.where(norms > 1e-9, norms, 1.0), np.nan)
