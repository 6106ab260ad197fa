"""Replace a stretch of each record by another record's."""

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

__all__ = ["RandomCutMix"]


@final
@dataclass(frozen=True)
class RandomCutMix(PartnerTransform):
    """Replace a stretch of each record by another one's, in all leads, and mix the targets by its length.

    The share that stays is drawn from Beta(alpha, alpha), and its larger side
    goes to the record itself, which keeps its id (Yun et al. 2019, along time).
    Annotations in the stretch stay. A pipeline draws the other record from the
    whole data set and runs it through the same steps. A partner has the same
    shape, sampling rate, leads and units; a record for which a few draws find
    none does not change, so crop or pad first.

    Args:
        alpha: how much is replaced: 0.2 leaves most records almost unchanged, 1 draws the share uniformly.

    Raises:
        LabelError: when the labels are not binarized.
    """

    alpha: float = 1.0

    def __post_init__(self) -> None:
        _parameters.above(self, "alpha")

    def apply(self, batch: EcgBatch, keys: NDArray[np.uint64], partners: Partners) -> EcgBatch:
        pair = pairs(batch, keys, partners, self.action_name)
        mixed = pair.signal.data.copy()
        blend = pair.target.astype(np.float32)
        for i, j in zip(pair.rows, pair.mate, strict=True):
            n = int(pair.signal.lengths[i])
            if n == 0:
                continue
            rng = generator(keys[i])
            share = rng.beta(self.alpha, self.alpha)
            width = round(min(share, 1 - share) * n)
            start = int(rng.integers(n - width + 1))
            own = mixed[pair.signal.offsets[i] : pair.signal.offsets[i + 1]].reshape(pair.signal.shapes[i])
            own[..., start : start + width] = pair.mate_signal[int(j)][..., start : start + width]
            blend[i] = blend[i] * (1 - width / n) + pair.mate_target[j] * (width / n)
        return batch.replace(signal=pair.signal.with_data(mixed), target=blend)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(),)
