"""Stretch and compress time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import EcgBatch
from cardioflow.batch.timeline import warp
from cardioflow.core.random_keys import generator
from cardioflow.dsp.warping import warp_map
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import finite
from cardioflow.transforms.base import RandomTransform

__all__ = ["RandomTimeWarp"]


@final
@dataclass(frozen=True)
class RandomTimeWarp(RandomTransform):
    """Stretch and compress time smoothly along the record, which keeps its length.

    The speed runs along a spline through ``n_knots`` random values, so that
    heart rate and widths change together. All leads are warped alike, and events
    and time series with them. A cubic spline interpolates between samples.

    Args:
        strength: the largest distance of the speed from 1: 0.2 for 0.8 to 1.2 times.
        n_knots: the number of random values of the speed.

    Raises:
        InputError: for a record with samples that are not finite.
    """

    strength: float = 0.2
    n_knots: int = 5

    def __post_init__(self) -> None:
        _parameters.above(self, "strength")
        _parameters.count(self, "n_knots", least=2)
        if self.strength >= 1:
            raise InputError(
                f"{self.action_name}(strength={self.strength}) would stop or reverse time. Pass a number below 1."
            )

    def apply(self, batch: EcgBatch, keys: NDArray[np.uint64]) -> EcgBatch:
        signal = finite(batch, self.action_name)
        maps = [self._map(key, int(n)) for key, n in zip(keys, signal.lengths, strict=True)]
        return warp(batch, maps)

    def _map(self, key: np.uint64, n: int) -> NDArray[np.float64]:
        knots = generator(key).uniform(-self.strength, self.strength, self.n_knots)
        return warp_map(1 + knots, n)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(0.5, 3)
