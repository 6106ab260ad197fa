"""The package's own detector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from numpy.typing import ArrayLike

from cardioflow.analysis.beats._scoring import trained_on
from cardioflow.analysis.beats.beats import Beats
from cardioflow.analysis.beats.detect import detect_beats
from cardioflow.analysis.detectors.base import Detector

__all__ = ["TwoPass"]


@final
@dataclass(frozen=True)
class TwoPass(Detector):
    """Candidates of the slope's envelope, scored in two passes; see ``cardioflow.analysis.beats.detect_beats``."""

    threshold: float = -0.3
    least_mv: float = 0.02

    @property
    def trained_on(self) -> tuple[str, ...]:
        return trained_on()

    def __call__(self, signal: ArrayLike, fs: float) -> Beats:
        return detect_beats(signal, fs, threshold=self.threshold, least_mv=self.least_mv)
