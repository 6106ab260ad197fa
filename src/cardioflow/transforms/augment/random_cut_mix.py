"""Put a stretch of another record into each."""

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

__all__ = ["RandomCutMix"]


@final
@dataclass(frozen=True)
class RandomCutMix(RandomTransform):
    """Put a stretch of another record of the batch into each, in all leads, and mix the targets by its length.

    The share that stays is drawn from Beta(alpha, alpha), its larger side for
    the record itself, which keeps its id; annotations of what was replaced stay
    (Yun et al. 2019, in time). Partners are of the same shape; a record without
    one stays. Who meets whom depends on the records of the batch, not on their
    order.

    Args:
        alpha: how much is replaced: 0.2 leaves most records nearly alone, 1 draws the share evenly.

    Raises:
        LabelError: when the labels are not binarized.
    """

    alpha: float = 1.0

    def __post_init__(self) -> None:
        _parameters.above(self, "alpha")

    def apply(self, batch: EcgBatch, keys: NDArray[np.uint64]) -> EcgBatch:
        signal, target = real(batch, self.action_name), check_binarized(batch, self.action_name)
        partner = partners(batch, keys)
        mixed = signal.data.copy()
        blend = target.astype(np.float32)
        for i, j in enumerate(partner):
            n = int(signal.lengths[i])
            if i == j or n == 0:
                continue
            chance = generator(keys[i])
            share = chance.beta(self.alpha, self.alpha)
            width = round(min(share, 1 - share) * n)
            start = int(chance.integers(n - width + 1))
            own = mixed[signal.offsets[i] : signal.offsets[i + 1]].reshape(signal.shapes[i])
            own[..., start : start + width] = signal[j][..., start : start + width]
            blend[i] = target[i] * (1 - width / n) + target[j] * (width / n)
        return batch.replace(signal=signal.with_data(mixed), target=blend)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(),)
