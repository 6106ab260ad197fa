"""Scale signals to a range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

import numpy as np

from cardioflow.batch import EcgBatch
from cardioflow.batch.axis import AXES, Axis
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters
from cardioflow.transforms._blocks import blocks
from cardioflow.transforms._inputs import finite
from cardioflow.transforms.base import Transform

__all__ = ["MinMaxScale"]

_SMALL, _LARGE = 1e-30, 1e30


@final
@dataclass(frozen=True)
class MinMaxScale(Transform):
    """Scale each signal to the range from ``low`` to ``high``; a flat signal becomes ``low``.

    Args:
        low: the new smallest value.
        high: the new largest value.
        axis: the axes of one range: ``-1`` time, so that each lead has its own; ``(-2, -1)`` leads and time;
            ``None`` the whole record.

    Raises:
        InputError: for a record with samples that are not finite.
    """

    low: float = 0.0
    high: float = 1.0
    axis: Axis = -1

    def __post_init__(self) -> None:
        _parameters.number(self, "low", "high")
        if self.low >= self.high:
            raise InputError(f"{self.action_name}(low={self.low}, high={self.high}): low is not below high. Swap them?")
        _parameters.set_fields(self, axis=_parameters.frozen(self.axis))
        _parameters.choice(self, "axis", AXES)

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = finite(batch, self.action_name)
        data = np.empty(signal.data.size, np.float32)
        for run in blocks(signal, self.axis):
            x = signal.data[run]
            least, span = float(x.min()), float(x.max()) - float(x.min())
            if not _SMALL < span < _LARGE:
                # The factor or the differences would not fit into float32.
                x = x.astype(np.float64)
            data[run] = self.low + (x - least) * ((self.high - self.low) / span if span else 0.0)
        return batch.replace(signal=signal.with_data(data))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(-1, 1, None)
