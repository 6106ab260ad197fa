"""Hold signals between two values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

import numpy as np

from cardioflow.batch import EcgBatch
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import real
from cardioflow.transforms.base import Transform

__all__ = ["ClipSignals"]


@final
@dataclass(frozen=True)
class ClipSignals(Transform):
    """Hold the signals between ``low`` and ``high`` millivolts; what lies outside gets the nearer of the two."""

    low: float = -5.0
    high: float = 5.0

    def __post_init__(self) -> None:
        _parameters.number(self, "low", "high")
        if self.low >= self.high:
            raise InputError(f"{self.action_name}(low={self.low}, high={self.high}): low is not below high. Swap them?")

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = real(batch, self.action_name)
        return batch.replace(signal=signal.with_data(np.clip(signal.data, np.float32(self.low), np.float32(self.high))))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(-0.2, 0.3)
