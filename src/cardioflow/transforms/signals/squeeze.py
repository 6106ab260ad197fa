"""Remove the segment axis of records of one segment."""

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

    Signals that are not cut stay as they are. The lead axis stays even where
    there is one lead, as models expect.

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
                    f"{self.action_name} removes the axis of one segment, but record {batch.ids[i]!r} has {n}. "
                    "Call unstack_signals to make a row of each.",
                    record=batch.ids[i],
                )
        return squeeze(batch)
