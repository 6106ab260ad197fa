"""The inverse of one level of the discrete wavelet transform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

import pywt

from cardioflow.batch import EcgBatch
from cardioflow.errors import InputError
from cardioflow.transforms._map import gathered, map_records, with_static
from cardioflow.transforms.base import Transform
from cardioflow.transforms.spectra import _wavelets

__all__ = ["Idwt"]


@final
@dataclass(frozen=True)
class Idwt(Transform):
    """Reconstruct the signal from one level of its wavelet transform, as ``pywt.idwt`` does.

    (lead, 2, coefficient), as ``dwt`` returns it, becomes (lead, time). A signal
    with an odd number of samples gets one more.

    Args:
        wavelet: the wavelet that ``dwt`` used.
        mode: the mode that ``dwt`` used.
        src: the component to read.
        dst: the component to write.

    Raises:
        InputError: when ``src`` does not hold pairs of approximation and details.
    """

    wavelet: str = "db4"
    mode: str = "symmetric"
    src: str = "signal"
    dst: str = "signal"

    def __post_init__(self) -> None:
        _wavelets.check(self)

    def apply(self, batch: EcgBatch) -> EcgBatch:
        source = _wavelets.source(self, batch)
        if source.ndim < 3 or (source.shapes[:, -2] != 2).any():
            raise InputError(f"{self.action_name} needs (lead, 2, coefficient), as dwt gives it, but got {source!r}.")
        results = map_records(
            batch,
            self.action_name,
            source,
            lambda x, _: pywt.idwt(x[..., 0, :], x[..., 1, :], self.wavelet, self.mode, axis=-1),
        )
        return with_static(batch, self.dst, gathered(results, source.ndim - 1))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(),)
