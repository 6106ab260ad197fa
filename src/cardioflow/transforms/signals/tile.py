"""Repeat signals end to end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self, final

from cardioflow.batch import EcgBatch
from cardioflow.batch.timeline import tile
from cardioflow.transforms import _parameters
from cardioflow.transforms.base import Transform

__all__ = ["Tile"]


@final
@dataclass(frozen=True)
class Tile(Transform):
    """Repeat each signal ``n_repeats`` times, end to end along time, with its annotations."""

    former_parameters: ClassVar[Mapping[str, str]] = {"reps": "n_repeats"}

    n_repeats: int

    def __post_init__(self) -> None:
        _parameters.count(self, "n_repeats")

    def apply(self, batch: EcgBatch) -> EcgBatch:
        return tile(batch, self.n_repeats)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(2), cls(1)
