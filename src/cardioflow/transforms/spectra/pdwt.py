"""One part of the discrete wavelet transform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self, final

import numpy as np
import pywt

from cardioflow.batch import EcgBatch
from cardioflow.transforms import _parameters
from cardioflow.transforms._map import gathered, map_records, with_static
from cardioflow.transforms.base import Transform
from cardioflow.transforms.spectra import _wavelets

__all__ = ["Pdwt"]


@final
@dataclass(frozen=True)
class Pdwt(Transform):
    """Replace each lead by the approximation or the details of its wavelet transform, as ``pywt.downcoef`` does.

    Args:
        part: ``"a"`` for the approximation, ``"d"`` for the details.
        wavelet: a discrete wavelet of PyWavelets.
        mode: how the signal is continued at its ends, as PyWavelets names it.
        level: the number of levels.
        src: the component to read.
        dst: the component to write.
    """

    part: Literal["a", "d"]
    wavelet: str = "db4"
    mode: str = "symmetric"
    level: int = 1
    src: str = "signal"
    dst: str = "signal"

    def __post_init__(self) -> None:
        _wavelets.check(self)
        _parameters.choice(self, "part", ("a", "d"))
        _parameters.count(self, "level")

    def apply(self, batch: EcgBatch) -> EcgBatch:
        source = _wavelets.source(self, batch)
        results = map_records(batch, self.action_name, source, lambda x, _: self._part(x))
        return with_static(batch, self.dst, gathered(results, source.ndim))

    def _part(self, x: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> object:
        for _ in range(self.level - 1):
            x = pywt.dwt(x, self.wavelet, self.mode, axis=-1)[0]
        return pywt.dwt(x, self.wavelet, self.mode, axis=-1)[self.part == "d"]

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls("a"), cls("d", "haar", level=3)
