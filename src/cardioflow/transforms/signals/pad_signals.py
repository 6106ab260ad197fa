"""Pad short signals to a length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self, final

import numpy as np

from cardioflow.batch import EcgBatch
from cardioflow.batch.timeline import pad
from cardioflow.transforms import _parameters
from cardioflow.transforms.base import Transform

__all__ = ["PadSignals"]


@final
@dataclass(frozen=True)
class PadSignals(Transform):
    """Bring signals shorter than ``length`` samples to that length; longer ones stay.

    Events keep their place in the signal. Attached time series get NaN beside
    the signal, integers 0 and truth values False.

    Args:
        length: the least number of samples of a signal.
        pad_value: the value of the samples that are added, in the unit of the signal.
        side: where they are added: ``"right"`` is after the signal, ``"left"`` before it, ``"both"`` on both sides,
            with one more after it where their number is odd.
    """

    length: int
    pad_value: float = 0.0
    side: Literal["right", "left", "both"] = "right"

    def __post_init__(self) -> None:
        _parameters.count(self, "length")
        _parameters.number(self, "pad_value")
        _parameters.choice(self, "side", ("right", "left", "both"))

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = batch.component("signal")
        missing = np.maximum(self.length - signal.lengths, 0)
        before = {"right": 0 * missing, "left": missing, "both": missing // 2}[self.side]
        return pad(batch, before, missing - before, pad_value=self.pad_value)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(1300), cls(1200, -0.5, "left"), cls(1001, side="both")
