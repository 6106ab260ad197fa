"""NeuroKit2's delineator by discrete wavelets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from cardioflow.referee.neurokit_waves import NeurokitWaves

__all__ = ["NeurokitDwt"]


@final
@dataclass(frozen=True)
class NeurokitDwt(NeurokitWaves):
    """``neurokit2.ecg_delineate(method="dwt")``, the method that it uses by default, given the reference's R peaks."""

    algorithm: str = "dwt"
