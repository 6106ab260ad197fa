"""Bring all signals to one sampling rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

import numpy as np

from cardioflow.batch import EcgBatch
from cardioflow.batch.timeline import resample
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import finite, rates
from cardioflow.transforms.base import Transform

__all__ = ["ResampleSignals"]


@final
@dataclass(frozen=True)
class ResampleSignals(Transform):
    """Bring each signal to ``fs`` Hz with a polyphase filter against aliasing.

    Equal to ``scipy.signal.resample_poly`` (Kaiser window, beta 5.0) for the
    ratio of the two rates; the result has ⌈n·fs/fs_old⌉ samples. Events move to
    the nearest sample, attached time series are resampled too (integers and
    truth values by their nearest sample), and ``meta["fs"]`` is set. CardIO
    interpolated linearly, which aliases frequencies above ``fs/2``.

    Raises:
        InputError: for a record without a sampling rate, or with samples that are not finite.
    """

    fs: float

    def __post_init__(self) -> None:
        _parameters.above(self, "fs")

    def apply(self, batch: EcgBatch) -> EcgBatch:
        finite(batch, self.action_name)
        return resample(batch, rates(batch, self.action_name), np.full(len(batch), float(self.fs)))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(100), cls(312.5)
