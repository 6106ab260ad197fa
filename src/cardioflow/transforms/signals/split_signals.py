"""Cut signals into windows at a regular distance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, final

from cardioflow.batch import EcgBatch
from cardioflow.batch.columns import Windows
from cardioflow.batch.timeline import cut
from cardioflow.dsp.cutting import regular_starts
from cardioflow.transforms import _parameters, _targets
from cardioflow.transforms._inputs import uncut
from cardioflow.transforms.base import Transform
from cardioflow.transforms.signals._counts import check_counts

__all__ = ["SplitSignals"]


@final
@dataclass(frozen=True)
class SplitSignals(Transform):
    """Cut each signal into windows of ``length`` samples, ``step`` samples apart.

    The result is (segment, lead, length); samples left over at the end are
    dropped. A signal shorter than ``length`` becomes one segment that ends with
    it, with ``pad_value`` before it. Events and time series are cut alike, and
    ``batch.provenance`` keeps the start of each segment.

    Args:
        length: samples of a segment.
        step: samples from one start to the next, for all records or by label; ``length`` when not given.
        pad_value: the value before a signal that is too short, in the unit of the signal.

    Raises:
        InputError: when the signals are cut already.
        LabelError: when ``step`` is by label and lacks one.
    """

    length: int
    step: int | Mapping[str, int] | None = None
    pad_value: float = 0.0

    def __post_init__(self) -> None:
        _parameters.count(self, "length")
        _parameters.number(self, "pad_value")
        if self.step is not None:
            check_counts(self, "step")

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = uncut(batch, self.action_name)
        steps = _targets.by_label(batch, self.action_name, "step", self.length if self.step is None else self.step)
        starts, counts = regular_starts(signal.lengths, self.length, steps)
        return cut(batch, Windows(starts, counts, self.length), pad_value=self.pad_value)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(256), cls(200, 50, pad_value=-1.0)
