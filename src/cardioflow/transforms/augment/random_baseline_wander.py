"""Add baseline wander."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import EcgBatch
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import rates
from cardioflow.transforms.augment._draw import between, disturbed
from cardioflow.transforms.base import RandomTransform

__all__ = ["RandomBaselineWander"]


@final
@dataclass(frozen=True)
class RandomBaselineWander(RandomTransform):
    """Add baseline wander as breathing causes it: three slow sine waves, mixed differently in each lead.

    Args:
        amplitude_mv: the amplitude of their sum in millivolts, or the pair of bounds to draw it from.
        frequency: the frequency of each in Hz, or the pair of bounds to draw it from.
    """

    former_parameters: ClassVar[Mapping[str, str]] = {"frequency_hz": "frequency"}

    amplitude_mv: float | tuple[float, float] = (0.0, 0.3)
    frequency: float | tuple[float, float] = (0.05, 0.5)

    def __post_init__(self) -> None:
        _parameters.span(self, "amplitude_mv", least=0)
        _parameters.span(self, "frequency", least=0)

    def apply(self, batch: EcgBatch, keys: NDArray[np.uint64]) -> EcgBatch:
        fs = rates(batch, self.action_name)
        return disturbed(batch, keys, self.action_name, lambda x, rng, i: self._wandering(x, rng, float(fs[i])))

    def _wandering(self, x: NDArray[Any], rng: np.random.Generator, fs: float) -> NDArray[Any]:
        amplitude = between(rng, self.amplitude_mv)
        frequency = between(rng, self.frequency, 3)
        phase = rng.uniform(0, 2 * np.pi, 3)
        share = rng.dirichlet(np.ones(3), x.shape[:-1]) * rng.choice([-1.0, 1.0], (*x.shape[:-1], 1))
        time = np.arange(x.shape[-1]) / fs
        waves = np.sin(2 * np.pi * frequency[:, None] * time + phase[:, None])
        return np.asarray(x + amplitude * np.matmul(share, waves))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(0.2, (0.1, 0.2))
