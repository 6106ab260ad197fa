"""Mix records with each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import EcgBatch
from cardioflow.core.random_keys import generator
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import real
from cardioflow.transforms.augment._mix import check_binarized, partners
from cardioflow.transforms.base import RandomTransform

__all__ = ["RandomMixUp"]


@final
@dataclass(frozen=True)
class RandomMixUp(RandomTransform):
    """Mix each record with another of the batch: λ of itself and 1 − λ of the other, signal and target alike.

    λ is drawn from Beta(alpha, alpha), and its larger side goes to the record
    itself (Zhang et al. 2018, who leave that open), which keeps its id and
    annotations. Partners are of the same shape; a record without one stays.
    Who meets whom depends on the records of the batch, not on their order.

    Args:
        alpha: how much is mixed: 0.2 leaves most records nearly alone, 1 draws λ evenly.

    Raises:
        LabelError: when the labels are not binarized.
    """

    alpha: float = 0.2

    def __post_init__(self) -> None:
        _parameters.above(self, "alpha")

    def apply(self, batch: EcgBatch, keys: NDArray[np.uint64]) -> EcgBatch:
        signal, target = real(batch, self.action_name), check_binarized(batch, self.action_name)
        partner = partners(batch, keys)
        share = np.array([generator(key).beta(self.alpha, self.alpha) for key in keys], dtype=np.float32)
        share = np.maximum(share, 1 - share)
        share[partner == np.arange(len(batch))] = 1
        weight = np.repeat(share, np.diff(signal.offsets))
        mixed = weight * signal.data + (1 - weight) * signal.take(partner).data
        own = share.reshape(-1, *[1] * (target.ndim - 1))
        blend = (own * target + (1 - own) * target[partner]).astype(np.float32)
        return batch.replace(signal=signal.with_data(mixed), target=blend)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(1.0),)
