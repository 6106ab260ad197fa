"""Add white noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import EcgBatch
from cardioflow.transforms import _parameters
from cardioflow.transforms.augment._draw import between, disturbed
from cardioflow.transforms.base import RandomTransform

__all__ = ["RandomGaussianNoise"]


@final
@dataclass(frozen=True)
class RandomGaussianNoise(RandomTransform):
    """Add white noise to each lead, with a standard deviation drawn once per record.

    Args:
        std_mv: the standard deviation in millivolts, or the pair of bounds to draw it from.
    """

    std_mv: float | tuple[float, float] = (0.0, 0.05)

    def __post_init__(self) -> None:
        _parameters.span(self, "std_mv", least=0)

    def apply(self, batch: EcgBatch, keys: NDArray[np.uint64]) -> EcgBatch:
        return disturbed(batch, keys, self.action_name, self._noisy)

    def _noisy(self, x: NDArray[Any], rng: np.random.Generator, _: int) -> NDArray[Any]:
        std = np.float32(between(rng, self.std_mv))
        return np.asarray(x + std * rng.standard_normal(x.shape, dtype=np.float32))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(0.02)
