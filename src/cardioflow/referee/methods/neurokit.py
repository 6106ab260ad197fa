"""NeuroKit2's default detector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from cardioflow.referee.methods.base import BeatMethod, first_lead, peer

__all__ = ["Neurokit"]


@final
@dataclass(frozen=True)
class Neurokit(BeatMethod):
    """``neurokit2.ecg_clean`` and ``ecg_peaks``, with their defaults."""

    def beats(self, signal: NDArray[np.float32], fs: float) -> NDArray[np.int64]:
        package = peer("neurokit2")
        clean = package.ecg_clean(first_lead(signal), sampling_rate=fs)
        _, found = package.ecg_peaks(clean, sampling_rate=fs)
        return np.asarray(found["ECG_R_Peaks"], np.int64)
