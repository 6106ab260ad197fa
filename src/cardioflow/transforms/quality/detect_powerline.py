"""Detect powerline interference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self, final

import numpy as np

from cardioflow.batch import EcgBatch
from cardioflow.dsp.spectrum import periodogram
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import finite, rates
from cardioflow.transforms._map import map_records
from cardioflow.transforms._measured import check_dst, with_value
from cardioflow.transforms.base import Transform

__all__ = ["DetectPowerline"]

_MAINS: Final = (50.0, 60.0)


@final
@dataclass(frozen=True)
class DetectPowerline(Transform):
    """Detect powerline interference, and write its frequency to ``dst``: 50 or 60 Hz, or 0 for none.

    A record has interference where the power density within 0.5 Hz of the mains
    frequency is ``threshold_db`` above the median of the 5 Hz around it, in any
    lead; the stronger of both frequencies counts. Records that are too short
    (under 2 s), or sampled too slowly, get 0.

    Args:
        threshold_db: the least height of the peak in dB.
        dst: the component to write; ``"meta"`` adds the value to the metadata as ``powerline``.

    Raises:
        InputError: for a record with samples that are not finite.
    """

    threshold_db: float = 15.0
    dst: str = "powerline"

    def __post_init__(self) -> None:
        _parameters.above(self, "threshold_db")
        check_dst(self)

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = finite(batch, self.action_name)
        fs = rates(batch, self.action_name)
        found = map_records(batch, self.action_name, signal, lambda x, i: self._found(x, float(fs[i])))
        return with_value(batch, self.dst, "powerline", np.array(found, dtype=np.float64))

    def _found(self, x: Any, fs: float) -> float:
        if x.shape[-1] < 2 * fs or not x.size:
            return 0.0
        frequency, power = periodogram(x.reshape(-1, x.shape[-1]), fs)
        best, hum = self.threshold_db, 0.0
        for mains in _MAINS:
            peak = np.abs(frequency - mains) <= 0.5
            around = (np.abs(frequency - mains) <= 5) & (np.abs(frequency - mains) > 1)
            if mains + 0.5 >= fs / 2 or not around.any():
                continue
            level = np.median(power[:, around], axis=-1)
            ratio = power[:, peak].max(axis=-1)[level > 0] / level[level > 0]
            height = 10 * np.log10(ratio.max()) if ratio.size and ratio.max() > 0 else -np.inf
            if height > best:
                best, hum = float(height), mains
        return hum

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(20, "hum")
