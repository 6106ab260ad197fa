"""Hold signals between two values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self, final

import numpy as np

from cardioflow.batch import EcgBatch
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import real
from cardioflow.transforms._millivolts import millivolt_scales
from cardioflow.transforms.base import Transform

__all__ = ["ClipSignals"]


@final
@dataclass(frozen=True)
class ClipSignals(Transform):
    """Limit the signals to the range from ``low_mv`` to ``high_mv`` millivolts, as ``numpy.clip`` does.

    Leads in another unit of voltage, by ``meta["units"]``, are limited to as many millivolts; leads that are not
    voltages to the same numbers of their own unit.
    """

    former_parameters: ClassVar[Mapping[str, str]] = {"low": "low_mv", "high": "high_mv"}

    low_mv: float = -5.0
    high_mv: float = 5.0

    def __post_init__(self) -> None:
        _parameters.number(self, "low_mv", "high_mv")
        if self.low_mv >= self.high_mv:
            raise InputError(
                f"{self.action_name}(low_mv={self.low_mv}, high_mv={self.high_mv}): "
                "low_mv is not below high_mv. Swap them?"
            )

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = real(batch, self.action_name)
        data = np.clip(signal.data, np.float32(self.low_mv), np.float32(self.high_mv))
        for i, scale in enumerate(millivolt_scales(batch)):
            if scale is not None:
                own = np.clip(signal[i], self.low_mv * scale, self.high_mv * scale)
                data[signal.offsets[i] : signal.offsets[i + 1]] = own.reshape(-1)
        return batch.replace(signal=signal.with_data(data))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(-0.2, 0.3)
