"""SleepECG's detector in C (Brunner and Hofer)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from cardioflow.referee.methods.base import BeatMethod, first_lead, peer

__all__ = ["Sleepecg"]


@final
@dataclass(frozen=True)
class Sleepecg(BeatMethod):
    """``sleepecg.detect_heartbeats``, Pan and Tompkins 1985 with the authors' changes, in C."""

    def beats(self, signal: NDArray[np.float32], fs: float) -> NDArray[np.int64]:
        found = peer("sleepecg").detect_heartbeats(first_lead(signal), fs)
        return np.asarray(found, np.int64)
