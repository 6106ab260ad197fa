"""WFDB's xqrs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from cardioflow.referee.methods.base import BeatMethod, first_lead, peer

__all__ = ["Xqrs"]


@final
@dataclass(frozen=True)
class Xqrs(BeatMethod):
    """``wfdb.processing.xqrs_detect``, with its defaults."""

    def beats(self, signal: NDArray[np.float32], fs: float) -> NDArray[np.int64]:
        found = peer("wfdb.processing").xqrs_detect(first_lead(signal), fs, verbose=False)
        return np.sort(np.asarray(found, np.int64))
