"""Keep a band of frequencies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

from cardioflow.batch import EcgBatch
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import finite
from cardioflow.transforms.base import Transform
from cardioflow.transforms.signals._filter import filter_rows

__all__ = ["BandPassSignals"]


@final
@dataclass(frozen=True)
class BandPassSignals(Transform):
    """Keep the frequencies between ``low`` and ``high`` Hz, with no phase shift.

    A Butterworth filter of order ``order`` is applied forward and backward, with
    the edges of ``scipy.signal.sosfiltfilt`` (odd extension; by at most one
    sample less than the signal has). Because of the two passes, a quarter of
    the power remains at ``low`` and ``high``. Without
    ``low`` it is a low-pass, without ``high`` a high-pass. CardIO's band-pass
    cut the spectrum off like a brick wall, which rings around every QRS.

    Raises:
        InputError: when ``low`` or ``high`` is not below half the sampling rate
            of a record, or a record has samples that are not finite.
    """

    low: float | None = None
    high: float | None = None
    order: int = 4

    def __post_init__(self) -> None:
        _parameters.count(self, "order")
        given = [name for name in ("low", "high") if getattr(self, name) is not None]
        _parameters.above(self, *given)
        if not given:
            raise InputError(f"{self.action_name}() keeps all frequencies. Pass low, high or both, in Hz.")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise InputError(f"{self.action_name}(low={self.low}, high={self.high}): low is not below high. Swap them?")

    def apply(self, batch: EcgBatch) -> EcgBatch:
        finite(batch, self.action_name)
        return filter_rows(batch, self.action_name, low=self.low, high=self.high, order=self.order)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(0.5, 40), cls(low=1), cls(high=30, order=2)
