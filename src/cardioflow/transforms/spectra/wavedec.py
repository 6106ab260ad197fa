"""All levels of the discrete wavelet transform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
import pywt

from cardioflow.batch import EcgBatch
from cardioflow.transforms import _parameters
from cardioflow.transforms._map import gathered, map_records, with_static
from cardioflow.transforms.base import Transform
from cardioflow.transforms.spectra import _wavelets

__all__ = ["Wavedec"]


@final
@dataclass(frozen=True)
class Wavedec(Transform):
    """Replace each lead by all levels of its wavelet transform, as ``pywt.wavedec`` defines them.

    The levels, the approximation first and then the details from coarse to
    fine, follow one another along time. The component ``<dst>_levels``
    holds the number of samples of each record and then the number of
    coefficients of each level, for ``waverec``.

    Args:
        wavelet: a discrete wavelet of PyWavelets.
        mode: how the signal is continued at its ends, as PyWavelets names it.
        level: the number of levels; by default as many as the samples allow.
        src: the component to read.
        dst: the component to write.
    """

    wavelet: str = "db4"
    mode: str = "symmetric"
    level: int | None = None
    src: str = "signal"
    dst: str = "signal"

    def __post_init__(self) -> None:
        _wavelets.check(self)
        if self.level is not None:
            _parameters.count(self, "level")

    def apply(self, batch: EcgBatch) -> EcgBatch:
        source = _wavelets.source(self, batch)
        parts = map_records(batch, self.action_name, source, lambda x, _: self._parts(x))
        joined = gathered([np.concatenate(own, axis=-1) for own in parts], source.ndim)
        levels = tuple((int(n), *(int(p.shape[-1]) for p in own)) for n, own in zip(source.lengths, parts, strict=True))
        return with_static(batch, self.dst, joined).with_component(f"{self.dst}_levels", levels)

    def _parts(self, x: Any) -> list[Any]:
        most = pywt.dwt_max_level(x.shape[-1], self.wavelet)
        level = most if self.level is None else self.level
        if level > most:
            raise ValueError(f"{x.shape[-1]} samples allow {most} levels of {self.wavelet}, not {level}")
        return list(pywt.wavedec(x, self.wavelet, self.mode, level, axis=-1))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls("haar", level=3, dst="levels_of")
