"""Repeat signals end to end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

import numpy as np

from cardioflow.batch import EcgBatch
from cardioflow.transforms import _parameters
from cardioflow.transforms._map import gathered
from cardioflow.transforms._marks import moved
from cardioflow.transforms.base import Transform
from cardioflow.transforms.signals._repeat import repeated

__all__ = ["Tile"]


@final
@dataclass(frozen=True)
class Tile(Transform):
    """Repeat each signal ``reps`` times, end to end along time, with its annotations."""

    reps: int

    def __post_init__(self) -> None:
        _parameters.count(self, "reps")

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = batch.component("signal")
        arrays = [np.tile(x, self.reps) for x in signal]
        annotation = moved(batch, lambda marks, i: repeated(marks, self.reps, int(signal.lengths[i])))
        return batch.replace(signal=gathered(arrays, signal.ndim), annotation=annotation)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(2), cls(1)
