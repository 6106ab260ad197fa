"""Take away the segment axis where it holds one segment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from cardioflow.batch import EcgBatch
from cardioflow.batch.timeline import squeeze
from cardioflow.errors import InputError
from cardioflow.transforms.base import Transform

__all__ = ["Squeeze"]


@final
@dataclass(frozen=True)
class Squeeze(Transform):
    """Take away the segment axis of records of one segment: (1, lead, time) becomes (lead, time).

    Uncut signals stay as they are; the lead axis stays even where it holds one
    lead, which is what models expect.

    Raises:
        InputError: for a record of several segments.
    """

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = batch.component("signal")
        if signal.ndim < 3:
            return batch
        for i, n in enumerate(signal.shapes[:, 0]):
            if n != 1:
                raise InputError(
                    f"{self.action_name} takes away the axis of one segment, but record {batch.ids[i]!r} has {n}. "
                    "Call unstack_signals, which makes rows of them.",
                    record=batch.ids[i],
                )
        return squeeze(batch)
