"""Drop records that are too short."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

from cardioflow.batch import EcgBatch
from cardioflow.transforms import _parameters
from cardioflow.transforms.base import Transform

__all__ = ["DropShortSignals"]


@final
@dataclass(frozen=True)
class DropShortSignals(Transform):
    """Keep the records of ``min_length`` samples or more.

    A batch may be left without records; a run skips such a batch.
    """

    min_length: int

    def __post_init__(self) -> None:
        _parameters.count(self, "min_length", least=0)

    def apply(self, batch: EcgBatch) -> EcgBatch:
        return batch.take(batch.component("signal").lengths >= self.min_length)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(200),)
