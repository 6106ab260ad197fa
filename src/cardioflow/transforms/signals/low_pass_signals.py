"""Keep low frequencies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

from cardioflow.batch import EcgBatch
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import finite
from cardioflow.transforms.base import Transform
from cardioflow.transforms.signals._filter import filter_rows

__all__ = ["LowPassSignals"]


@final
@dataclass(frozen=True)
class LowPassSignals(Transform):
    """Keep the frequencies below ``high`` Hz, with no phase shift.

    The filter is that of ``band_pass_signals``: Butterworth, forward and
    backward.

    Raises:
        InputError: when ``high`` is not below half the sampling rate of a
            record, or a record has samples that are not finite.
    """

    high: float = 40.0
    order: int = 4

    def __post_init__(self) -> None:
        _parameters.count(self, "order")
        _parameters.above(self, "high")

    def apply(self, batch: EcgBatch) -> EcgBatch:
        finite(batch, self.action_name)
        return filter_rows(batch, self.action_name, low=None, high=self.high, order=self.order)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(25, order=1)
