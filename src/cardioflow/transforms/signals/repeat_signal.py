"""Copy each signal into several segments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self, final

import numpy as np

from cardioflow.batch import EcgBatch
from cardioflow.batch.columns import Windows
from cardioflow.batch.timeline import cut
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import uncut
from cardioflow.transforms.base import Transform

__all__ = ["RepeatSignal"]


@final
@dataclass(frozen=True)
class RepeatSignal(Transform):
    """Make ``n_repeats`` segments of each signal, all equal: (lead, time) becomes (segment, lead, time).

    Random actions after it change each segment in its own way.

    Raises:
        InputError: when the signals are cut already.
    """

    former_parameters: ClassVar[Mapping[str, str]] = {"reps": "n_repeats"}

    n_repeats: int

    def __post_init__(self) -> None:
        _parameters.count(self, "n_repeats")

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = uncut(batch, self.action_name)
        counts = np.full(len(batch), self.n_repeats)
        return cut(batch, Windows(np.zeros(counts.sum(), np.int64), counts, signal.lengths), pad_value=0.0)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(3),)
