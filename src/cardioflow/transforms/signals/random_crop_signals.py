"""Cut one window at a random place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import EcgBatch
from cardioflow.batch.timeline import crop
from cardioflow.dsp.cutting import random_starts
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import uncut
from cardioflow.transforms.base import RandomTransform

__all__ = ["RandomCropSignals"]


@final
@dataclass(frozen=True)
class RandomCropSignals(RandomTransform):
    """Cut one window of ``length`` samples at a random place of each signal, which stays (lead, time).

    A signal shorter than ``length`` is padded with ``pad_value`` before it.

    Raises:
        InputError: when the signals are cut already.
    """

    length: int
    pad_value: float = 0.0

    def __post_init__(self) -> None:
        _parameters.count(self, "length")
        _parameters.number(self, "pad_value")

    def apply(self, batch: EcgBatch, keys: NDArray[np.uint64]) -> EcgBatch:
        signal = uncut(batch, self.action_name)
        starts = random_starts(keys, signal.lengths, self.length, np.ones(len(batch), np.int64))
        # The record keeps its id and its stream of random numbers: one window is not a segment among others.
        return crop(batch, starts, self.length, pad_value=self.pad_value)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(300),)
