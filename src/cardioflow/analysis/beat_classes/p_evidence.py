"""How probable a P wave is before each beat, by the network that delineates waves."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.waves.network import probabilities
from cardioflow.analysis.waves.prepare import FS, centre, prepare
from cardioflow.analysis.waves.sequence import P

__all__ = ["p_evidence"]

_BEFORE: Final = np.round(np.arange(-0.32, -0.03, 1 / FS) * FS).astype(np.int64)
"""Where a P wave lies, in samples at 250 Hz from the QRS' main deflection."""
_REFRACTORY_S: Final = 0.18
"""No P wave is looked for so soon after the beat before."""
_PIECE_S: Final = 1280
_MARGIN_S: Final = 64


def p_evidence(signal: NDArray[Any], fs: float, beats: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the largest probability of P before each beat, in any lead; 0 where a lead has no samples.

    Args:
        signal: millivolts, of shape (lead, time).
        fs: the sampling rate in Hz.
        beats: samples, in order.
    """
    found = np.zeros(len(beats))
    rr = np.diff(beats / fs, prepend=beats[0] / fs - 1.0)
    centres = [centre(x) for x in signal]
    for start in range(0, int(beats[-1] / fs) + 1, _PIECE_S):
        own = np.flatnonzero((beats >= start * fs) & (beats < (start + _PIECE_S) * fs))
        if not len(own):
            continue
        first = max(round((start - _MARGIN_S) * fs), 0)
        made = prepare(signal[:, first : round((start + _PIECE_S + _MARGIN_S) * fs)], fs, centres)
        p = np.where(made.missing, 0.0, probabilities(made.x)[:, :, P])
        at = np.rint((beats[own] - first) * (FS / fs)).astype(np.int64)[:, None] + _BEFORE
        allowed = (at >= 0) & (at < p.shape[1]) & (_BEFORE / FS + (rr[own] - _REFRACTORY_S)[:, None] > 0)
        values = p[:, np.clip(at, 0, p.shape[1] - 1)].max(axis=0)
        found[own] = np.where(allowed, values, 0.0).max(axis=1)
    return found
