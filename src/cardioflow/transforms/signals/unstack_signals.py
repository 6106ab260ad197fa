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

    The ids of the rows are ``"A00001/0"``, ``"A00001/1"`` and so on. Targets,
    metadata and other static components are repeated, events and time series go
    to their segment, and ``batch.provenance`` keeps the record. Signals that are
    not cut stay as they are (CardIO made a record of each lead).

    Raises:
        InputError: when annotations are not cut as the signal is, or the segments of segments cannot be numbered.
    """

    def apply(self, batch: EcgBatch) -> EcgBatch:
        return unstack(batch)
