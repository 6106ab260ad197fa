"""NeuroKit2's delineators."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.referee.boundaries import Point, Points
from cardioflow.referee.methods.base import first_lead, peer
from cardioflow.referee.wave_methods import FoundWaves, WaveMethod

__all__ = ["NeurokitWaves"]

Floats = NDArray[np.float64]

_NAMES: Final[Mapping[Point, str]] = {
    "P on": "ECG_P_Onsets", "P peak": "ECG_P_Peaks", "P end": "ECG_P_Offsets",
    "QRS on": "ECG_R_Onsets", "QRS end": "ECG_R_Offsets",
    "T on": "ECG_T_Onsets", "T peak": "ECG_T_Peaks", "T end": "ECG_T_Offsets",
}  # fmt: skip


@dataclass(frozen=True)
class NeurokitWaves(WaveMethod):
    """``neurokit2.ecg_clean`` and ``ecg_delineate`` of each lead; a lead on which it fails has no waves.

    It gets the reference's R peaks, which is an advantage: a beat that it would have missed or invented is neither.
    """

    algorithm: str = "dwt"

    def waves(self, signal: NDArray[np.float32], fs: float, r: Floats) -> FoundWaves:
        return FoundWaves(tuple(self._lead(lead[None], fs, r) for lead in signal))

    def _lead(self, lead: NDArray[np.float32], fs: float, r: Floats) -> Points:
        package = peer("neurokit2")
        peaks = np.rint(r * fs).astype(np.int64)
        found: dict[str, Any] = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                clean = package.ecg_clean(first_lead(lead), sampling_rate=round(fs))
                _, found = package.ecg_delineate(clean, peaks, sampling_rate=round(fs), method=self.algorithm)
            except (ValueError, IndexError, ZeroDivisionError, TypeError, KeyError):
                # It raises on leads and beats that it cannot take; those are missed.
                found = {}
        points: dict[Point, Floats] = {"QRS peak": r}
        for point, name in _NAMES.items():
            times = np.asarray(found.get(name, ()), np.float64) / fs
            points[point] = np.sort(times[np.isfinite(times)])
        return points
