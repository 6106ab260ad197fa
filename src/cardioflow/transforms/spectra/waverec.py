"""The inverse of the discrete wavelet transform of all levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
import pywt

from cardioflow.batch import EcgBatch
from cardioflow.errors import InputError
from cardioflow.transforms._map import gathered, map_records, with_static
from cardioflow.transforms.base import Transform
from cardioflow.transforms.spectra import _wavelets

__all__ = ["Waverec"]


@final
@dataclass(frozen=True)
class Waverec(Transform):
    """Reconstruct the signal from all levels of its wavelet transform, as ``pywt.waverec`` does.

    Takes the result of ``wavedec``, all levels one after another, and their
    lengths from the component ``<src>_levels``. The signal has as many samples
    as before.

    Args:
        wavelet: the wavelet that ``wavedec`` used.
        mode: the mode that ``wavedec`` used.
        src: the component to read.
        dst: the component to write.

    Raises:
        InputError: when the batch does not hold what ``wavedec`` wrote.
    """

    wavelet: str = "db4"
    mode: str = "symmetric"
    src: str = "signal"
    dst: str = "signal"

    def __post_init__(self) -> None:
        _wavelets.check(self)

    def apply(self, batch: EcgBatch) -> EcgBatch:
        source = _wavelets.source(self, batch)
        levels = batch.columns.get(f"{self.src}_levels")
        if levels is None:
            raise InputError(
                f"{self.action_name} needs the component {self.src + '_levels'!r}, which wavedec writes. "
                "Call wavedec first."
            )
        results = map_records(batch, self.action_name, source, lambda x, i: self._joined(x, levels.values[i]))
        return with_static(batch, self.dst, gathered(results, source.ndim))

    def _joined(self, x: Any, levels: tuple[int, ...]) -> Any:
        if sum(levels[1:]) != x.shape[-1]:
            raise ValueError(f"its levels need {sum(levels[1:])} coefficients")
        parts = np.split(x, np.cumsum(levels[1:-1]), axis=-1)
        return pywt.waverec(parts, self.wavelet, self.mode, axis=-1)[..., : levels[0]]

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(),)
