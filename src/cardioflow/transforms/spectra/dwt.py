"""One level of the discrete wavelet transform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

import numpy as np
import pywt

from cardioflow.batch import EcgBatch
from cardioflow.transforms._map import gathered, map_records, with_static
from cardioflow.transforms.base import Transform
from cardioflow.transforms.spectra import _wavelets

__all__ = ["Dwt"]


@final
@dataclass(frozen=True)
class Dwt(Transform):
    """Replace each lead by one level of its wavelet transform, as ``pywt.dwt`` defines it.

    (lead, time) becomes (lead, 2, coefficient): the approximation, then the
    details.

    Args:
        wavelet: a discrete wavelet of PyWavelets.
        mode: how the signal is continued at its ends, as PyWavelets names it.
        src: the component to read.
        dst: the component to write.
    """

    wavelet: str = "db4"
    mode: str = "symmetric"
    src: str = "signal"
    dst: str = "signal"

    def __post_init__(self) -> None:
        _wavelets.check(self)

    def apply(self, batch: EcgBatch) -> EcgBatch:
        source = _wavelets.source(self, batch)
        results = map_records(
            batch,
            self.action_name,
            source,
            lambda x, _: np.stack(pywt.dwt(x, self.wavelet, self.mode, axis=-1), axis=-2),
        )
        return with_static(batch, self.dst, gathered(results, source.ndim + 1))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls("haar", "periodization", dst="coefficients")
