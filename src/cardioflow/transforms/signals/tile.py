"""Repeat signals end to end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

from cardioflow.batch import EcgBatch
from cardioflow.batch.timeline import tile
from cardioflow.transforms import _parameters
from cardioflow.transforms.base import Transform

__all__ = ["Tile"]


@final
@dataclass(frozen=True)
class Tile(Transform):
    """Repeat each signal ``reps`` times, end to end along time, with its annotations."""

    reps: int

    def __post_init__(self) -> None:
        _parameters.count(self, "reps")

    def apply(self, batch: EcgBatch) -> EcgBatch:
        return tile(batch, self.reps)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(2), cls(1)
