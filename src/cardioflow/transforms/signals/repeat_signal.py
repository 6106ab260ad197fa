"""Make segments of copies of a signal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

import numpy as np

from cardioflow.batch import EcgBatch, Ragged
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import uncut
from cardioflow.transforms.base import Transform

__all__ = ["RepeatSignal"]


@final
@dataclass(frozen=True)
class RepeatSignal(Transform):
    """Make ``reps`` segments of each signal, all equal: (lead, time) becomes (segment, lead, time).

    With random actions after it, each segment is disturbed in its own way.

    Raises:
        InputError: when the signals are cut already.
    """

    reps: int

    def __post_init__(self) -> None:
        _parameters.count(self, "reps")

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = uncut(batch, self.action_name)
        rows = np.repeat(np.arange(len(batch)), self.reps)
        shapes = np.column_stack([np.full(len(batch), self.reps), signal.shapes])
        annotation = None if batch.annotation is None else tuple((m,) * self.reps for m in batch.annotation)
        provenance = batch.provenance.cut([np.zeros(self.reps)] * len(batch))
        return batch.replace(
            signal=Ragged(signal.take(rows).data, shapes), annotation=annotation, provenance=provenance
        )

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(3),)
