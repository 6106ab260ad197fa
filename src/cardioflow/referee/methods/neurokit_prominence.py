"""NeuroKit2's delineator by the prominence of peaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from cardioflow.referee.neurokit_waves import NeurokitWaves

__all__ = ["NeurokitProminence"]


@final
@dataclass(frozen=True)
class NeurokitProminence(NeurokitWaves):
    """``neurokit2.ecg_delineate(method="prominence")``, the best of its methods, given the reference's R peaks."""

    algorithm: str = "prominence"
