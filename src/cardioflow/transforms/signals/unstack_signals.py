"""Make a row of every segment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from cardioflow.batch import EcgBatch, unstack
from cardioflow.transforms.base import Transform

__all__ = ["UnstackSignals"]


@final
@dataclass(frozen=True)
class UnstackSignals(Transform):
    """Make a row of (lead, time) of every segment.

    The rows are named ``"A00001/0"``, ``"A00001/1"`` and so on. Targets
    and metadata are repeated, annotations go to their segment, and
    ``batch.provenance`` keeps the record. Signals that are not cut stay as they are
    (CardIO made a record of each lead).
    """

    def apply(self, batch: EcgBatch) -> EcgBatch:
        return unstack(batch)
