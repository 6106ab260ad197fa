"""Mix records with each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import EcgBatch
from cardioflow.batch.partners import Partners
from cardioflow.core.random_keys import generator
from cardioflow.transforms import _parameters
from cardioflow.transforms.augment._mix import pairs
from cardioflow.transforms.base import PartnerTransform

__all__ = ["RandomMixUp"]


@final
@dataclass(frozen=True)
class RandomMixUp(PartnerTransform):
    """Mix each record with another one: λ of itself and 1 − λ of the other, signal and target alike.

    λ is drawn from Beta(alpha, alpha). Its larger side goes to the record
    itself, which keeps its id and annotations; Zhang et al. (2018) leave that
    open. A pipeline draws the other record from the whole data set and runs it
    through the same steps. A partner has the same shape, sampling
    rate, leads and units; a record for which a
    few draws find none does not change, so crop or pad first.

    Args:
        alpha: how much is mixed: 0.2 leaves most records almost unchanged, 1 draws λ uniformly.

    Raises:
        LabelError: when the labels are not binarized.
    """

    alpha: float = 0.2

    def __post_init__(self) -> None:
        _parameters.above(self, "alpha")

    def apply(self, batch: EcgBatch, keys: NDArray[np.uint64], partners: Partners) -> EcgBatch:
        pair = pairs(batch, keys, partners, self.action_name)
        mixed = pair.signal.data.copy()
        blend = pair.target.astype(np.float32)
        for i, j in zip(pair.rows, pair.mate, strict=True):
            share = np.float32(generator(keys[i]).beta(self.alpha, self.alpha))
            share = max(share, 1 - share)
            own = mixed[pair.signal.offsets[i] : pair.signal.offsets[i + 1]]
            own *= share
            own += (1 - share) * pair.mate_signal[int(j)].reshape(-1)
            blend[i] = share * blend[i] + (1 - share) * pair.mate_target[j]
        return batch.replace(signal=pair.signal.with_data(mixed), target=blend)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(1.0),)
