"""WFDB's gqrs (G. B. Moody)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from cardioflow.referee.methods.base import BeatMethod, first_lead, peer

__all__ = ["Gqrs"]


@final
@dataclass(frozen=True)
class Gqrs(BeatMethod):
    """``wfdb.processing.gqrs_detect`` on samples of 5 µV, as in MITDB.

    The numbers in MITDB's files, with their zero of 1024, give the same beats. Given millivolts, ``gqrs_detect`` makes
    samples of 24 bits, which is less good: in 105, 108, 113, 203 and 207 it misses 31 instead of 58 of 9 214 beats,
    but finds 466 instead of 244 that are none.
    """

    def beats(self, signal: NDArray[np.float32], fs: float) -> NDArray[np.int64]:
        digital = np.rint(first_lead(signal) * 200).astype(np.int64)
        found = peer("wfdb.processing").gqrs_detect(d_sig=digital, fs=fs, adc_gain=200, adc_zero=0)
        return np.sort(np.asarray(found, np.int64))
