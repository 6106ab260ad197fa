"""Scale amplitudes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import EcgBatch
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters
from cardioflow.transforms.augment._draw import disturbed
from cardioflow.transforms.base import RandomTransform

__all__ = ["RandomAmplitudeScale"]


@final
@dataclass(frozen=True)
class RandomAmplitudeScale(RandomTransform):
    """Multiply each record by a random factor between ``low`` and ``high``, log-uniformly distributed.

    Args:
        low: the smallest factor.
        high: the largest factor.
        per_lead: whether each lead has a factor of its own, which breaks Einthoven's law between limb leads.
    """

    low: float = 0.8
    high: float = 1.25
    per_lead: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        _parameters.above(self, "low", "high")
        if self.low > self.high:
            raise InputError(f"{self.action_name}(low={self.low}, high={self.high}): low is above high. Swap them?")

    def apply(self, batch: EcgBatch, keys: NDArray[np.uint64]) -> EcgBatch:
        return disturbed(batch, keys, self.action_name, self._scaled)

    def _scaled(self, x: NDArray[Any], rng: np.random.Generator, _: int) -> NDArray[Any]:
        leads = x.shape[-2] if self.per_lead else 1
        factor = np.exp(rng.uniform(np.log(self.low), np.log(self.high), (*x.shape[:-2], leads, 1)))
        return np.asarray(x * factor)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(0.5, 2.0, per_lead=True)
