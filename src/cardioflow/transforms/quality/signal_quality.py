"""Measure the quality of each lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from cardioflow.batch import EcgBatch
from cardioflow.dsp.spectrum import band_power, periodogram
from cardioflow.transforms._inputs import finite, rates
from cardioflow.transforms._map import gathered, map_records
from cardioflow.transforms._measured import check_dst, with_value
from cardioflow.transforms.base import Transform

__all__ = ["SignalQuality"]


@final
@dataclass(frozen=True)
class SignalQuality(Transform):
    """Measure the quality of each lead by three indices, and write them as (lead, index) to ``dst``.

    In this order (Li, Mark and Clifford 2008; Clifford et al. 2012):

    - kSQI, the kurtosis: above 5 for a clean ECG, about 3 for noise;
    - pSQI, the power of 5–15 Hz over that of 5–40 Hz: 0.5 to 0.8 for QRS complexes, less under muscle noise;
    - basSQI, 1 minus the power of 0–1 Hz over that of 0–40 Hz: near 1 without baseline wander.

    Powers are those of a Hann-windowed periodogram of the demeaned lead. A flat
    lead has 0 in all three.

    Args:
        dst: the component to write; ``"meta"`` adds the value to the metadata as ``quality``.

    Raises:
        InputError: for a record with samples that are not finite.
    """

    dst: str = "quality"

    def __post_init__(self) -> None:
        check_dst(self)

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = finite(batch, self.action_name)
        fs = rates(batch, self.action_name)
        found = map_records(batch, self.action_name, signal, lambda x, i: _indices(x, float(fs[i])))
        return with_value(batch, self.dst, "quality", gathered(found, signal.ndim))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls("sqi")


def _indices(x: Any, fs: float) -> Any:
    centred = x - x.mean(axis=-1, keepdims=True, dtype=np.float64)
    variance = (centred**2).mean(axis=-1)
    live = np.ptp(x, axis=-1) > 0
    kurtosis = (centred**4).mean(axis=-1) / np.where(live, variance, 1.0) ** 2
    frequency, power = periodogram(x, fs)
    total, beats = band_power(frequency, power, 0, 40), band_power(frequency, power, 5, 40)
    qrs = band_power(frequency, power, 5, 15) / np.where(beats > 0, beats, 1.0)
    base = 1 - band_power(frequency, power, 0, 1) / np.where(total > 0, total, 1.0)
    return np.where(live[..., None], np.stack([kurtosis, qrs, base], axis=-1), 0.0)
