"""Remove slow drifts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self, final

from cardioflow.batch import EcgBatch
from cardioflow.dsp.baseline import median_baseline, spline_baseline
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import finite, rates
from cardioflow.transforms._map import gathered, map_records
from cardioflow.transforms.base import Transform
from cardioflow.transforms.beats._beats import beats_of
from cardioflow.transforms.signals._filter import filter_rows

__all__ = ["RemoveBaseline"]


@final
@dataclass(frozen=True)
class RemoveBaseline(Transform):
    """Remove baseline wander, which breathing and electrodes cause.

    Args:
        method: ``"median"`` subtracts a median over 0.2 s and then 0.6 s (de Chazal, O'Dwyer and Reilly 2004), which
            removes the QRS and then the T waves; ``"high_pass"`` is a second-order zero-phase Butterworth filter at
            0.5 Hz; ``"spline"`` subtracts a cubic spline through the PR segments before annotated beats (Meyer and
            Keiser 1977), 0.1 to 0.06 s before the beat.

    Raises:
        InputError: for a record with samples that are not finite, and for ``"spline"`` with fewer than 4 beats.
    """

    method: Literal["median", "high_pass", "spline"] = "median"

    def __post_init__(self) -> None:
        _parameters.choice(self, "method", ("median", "high_pass", "spline"))

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = finite(batch, self.action_name)
        fs = rates(batch, self.action_name)
        if self.method == "high_pass":
            return filter_rows(batch, self.action_name, low=0.5, high=None, order=2)
        if self.method == "median":
            results = map_records(batch, self.action_name, signal, lambda x, i: x - median_baseline(x, float(fs[i])))
            return batch.replace(signal=gathered(results, signal.ndim))
        if signal.ndim > 2:
            raise InputError(f"{self} needs signals of (lead, time). Call it before cutting, or unstack_signals first.")
        samples = [own.sample for own in beats_of(batch, self.action_name, None)]
        results = map_records(
            batch, self.action_name, signal, lambda x, i: x - spline_baseline(x, float(fs[i]), samples[i])
        )
        return batch.replace(signal=gathered(results, signal.ndim))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls("high_pass")
