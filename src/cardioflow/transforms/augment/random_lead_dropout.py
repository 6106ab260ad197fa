"""Set leads to zeros."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import EcgBatch
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters
from cardioflow.transforms.augment._draw import disturbed
from cardioflow.transforms.base import RandomTransform

__all__ = ["RandomLeadDropout"]


@final
@dataclass(frozen=True)
class RandomLeadDropout(RandomTransform):
    """Set each lead to zeros with probability ``p``, but keep at least ``n_keep`` leads.

    Args:
        p: the probability for each lead.
        n_keep: the least number of leads to keep; a record with no more leads than that does not change.
    """

    former_parameters: ClassVar[Mapping[str, str]] = {"keep": "n_keep"}

    p: float = 0.2
    n_keep: int = 1

    def __post_init__(self) -> None:
        _parameters.above(self, "p", equal=True)
        _parameters.count(self, "n_keep", least=0)
        if self.p > 1:
            raise InputError(f"{self.action_name}(p={self.p}) is not a probability: it is above 1.")

    def apply(self, batch: EcgBatch, keys: NDArray[np.uint64]) -> EcgBatch:
        return disturbed(batch, keys, self.action_name, self._lost)

    def _lost(self, x: NDArray[Any], rng: np.random.Generator, _: int) -> NDArray[Any]:
        draw = rng.random(x.shape[:-1])
        # The leads with the largest draws stay, whatever p is.
        safe = np.argsort(np.argsort(-draw, axis=-1), axis=-1) < self.n_keep
        # Not a product: what a lead lacks would stay NaN, and -0.0 is not 0.
        return np.where(((draw >= self.p) | safe)[..., None], x, np.float32(0))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(0.9, n_keep=3)
