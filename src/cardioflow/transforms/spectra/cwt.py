"""The continuous wavelet transform."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, final

import numpy as np
import pywt

from cardioflow.batch import EcgBatch
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import rates
from cardioflow.transforms._map import gathered, map_records, with_static
from cardioflow.transforms.base import Transform
from cardioflow.transforms.spectra import _wavelets

__all__ = ["Cwt"]


@final
@dataclass(frozen=True)
class Cwt(Transform):
    """Replace each lead by its continuous wavelet transform, as ``pywt.cwt`` defines it.

    (lead, time) becomes (lead, scale, time), complex for a complex wavelet. The
    component ``<dst>_frequencies`` holds the frequency of each scale in Hz.

    Args:
        scales: the widths of the wavelet, in samples.
        wavelet: a continuous wavelet of PyWavelets.
        method: how it is computed: ``"conv"``, or ``"fft"``, faster for large scales.
        src: the component to read.
        dst: the component to write.
    """

    scales: Sequence[float]
    wavelet: str = "morl"
    method: Literal["conv", "fft"] = "fft"
    src: str = "signal"
    dst: str = "signal"

    def __post_init__(self) -> None:
        _wavelets.check(self, kind="continuous")
        _parameters.choice(self, "method", ("conv", "fft"))
        try:
            scales = np.atleast_1d(np.asarray(self.scales, dtype=np.float64))
        except (TypeError, ValueError):
            scales = np.empty(0)
        if scales.ndim != 1 or not scales.size or not ((scales > 0) & np.isfinite(scales)).all():
            raise InputError(f"{self.action_name}(scales={self.scales!r}) is not a list of numbers above zero.")
        _parameters.set_fields(self, scales=tuple(scales.tolist()))

    def apply(self, batch: EcgBatch) -> EcgBatch:
        source = _wavelets.source(self, batch)
        results = map_records(batch, self.action_name, source, lambda x, _: self._coefficients(x))
        relative = pywt.scale2frequency(self.wavelet, np.array(self.scales))
        frequencies = [relative * fs for fs in rates(batch, self.action_name)]
        return with_static(batch, self.dst, gathered(results, source.ndim + 1)).with_component(
            f"{self.dst}_frequencies", gathered(frequencies, 1)
        )

    def _coefficients(self, x: Any) -> Any:
        found, _ = pywt.cwt(x, self.scales, self.wavelet, method=self.method, axis=-1)
        return np.moveaxis(found, 0, -2)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls([2, 4, 8]), cls([5.5], "cmor1.5-1.0", "conv", dst="scales_of")
