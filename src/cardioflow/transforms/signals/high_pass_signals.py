"""Keep high frequencies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

from cardioflow.batch import EcgBatch
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import finite
from cardioflow.transforms.base import Transform
from cardioflow.transforms.signals._filter import filter_rows

__all__ = ["HighPassSignals"]


@final
@dataclass(frozen=True)
class HighPassSignals(Transform):
    """Keep the frequencies above ``low`` Hz, with no phase shift.

    The filter is that of ``band_pass_signals``: Butterworth, forward and
    backward. The default of 0.67 Hz is the AHA's limit for zero-phase filters
    (Kligfield et al. 2007, section on low-frequency filtering), up to which the
    ST segment keeps its level.

    Raises:
        InputError: when ``low`` is not below half the sampling rate of a
            record, or a record has samples that are not finite.
    """

    low: float = 0.67
    order: int = 2

    def __post_init__(self) -> None:
        _parameters.count(self, "order")
        _parameters.above(self, "low")

    def apply(self, batch: EcgBatch) -> EcgBatch:
        finite(batch, self.action_name)
        return filter_rows(batch, self.action_name, low=self.low, high=None, order=self.order)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(5, order=3)
