"""Play records faster or slower."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import EcgBatch
from cardioflow.batch.timeline import move_events, resample
from cardioflow.core.random_keys import uniform
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import finite, rates
from cardioflow.transforms.base import RandomTransform

__all__ = ["RandomSpeed"]


@final
@dataclass(frozen=True)
class RandomSpeed(RandomTransform):
    """Play each record faster or slower by a random factor, log-uniformly distributed between ``low`` and ``high``.

    The heart rate is multiplied by the factor, and the number of samples and all widths in samples are divided by it;
    the sampling rate in ``meta`` stays. Events and time series move with the signal. ``random_time_warp`` changes the
    speed within a record and keeps its mean; ``random_resample_signals`` changes the sampling rate and keeps the heart
    rate.

    Args:
        low: the smallest factor; below 1 the heart beats more slowly.
        high: the largest factor.

    Raises:
        InputError: for a record without a sampling rate, or with samples that are not finite.
    """

    low: float = 0.8
    high: float = 1.25

    def __post_init__(self) -> None:
        _parameters.above(self, "low", "high")
        if self.low > self.high:
            raise InputError(f"{self.action_name}(low={self.low}, high={self.high}): low is above high. Swap them?")

    def apply(self, batch: EcgBatch, keys: NDArray[np.uint64]) -> EcgBatch:
        finite(batch, self.action_name)
        fs = rates(batch, self.action_name)
        factors = self.low * (self.high / self.low) ** uniform(keys, 1)[:, 0]
        changed = resample(batch, fs, fs / factors)
        # In the record's unchanged rate, what lasted a second lasts a second over the factor.
        changed = move_events(changed, lambda marks, i: replace(marks, duration_s=marks.duration_s / factors[i]))
        meta = changed.signal_and_meta[1]
        return changed.replace(meta=meta.with_columns(fs=fs))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(0.5, 0.6)
