"""Put the segments of a record into one row again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from cardioflow.batch import EcgBatch
from cardioflow.batch.timeline import stack
from cardioflow.errors import InputError
from cardioflow.transforms.base import Transform

__all__ = ["StackSignals"]


@final
@dataclass(frozen=True)
class StackSignals(Transform):
    """Put the segments of each record into one row of (segment, lead, time), the reverse of ``unstack_signals``.

    Rows of one record, by ``batch.provenance``, become its segments in the order
    of their numbers, with their events and time series; static components are
    those of the first. Rows of one record in different batches stay apart.
    Records that are not cut become rows of one segment.

    Raises:
        InputError: when the segments of a record differ in shape.
    """

    def apply(self, batch: EcgBatch) -> EcgBatch:
        signal = batch.component("signal")
        if signal.ndim != 2:
            return batch
        groups: dict[str, list[int]] = {}
        for i, record in enumerate(batch.provenance.record_id):
            groups.setdefault(record, []).append(i)
        rows = [sorted(own, key=lambda i: int(batch.provenance.segment[i])) for own in groups.values()]
        for own in rows:
            shapes = {tuple(int(v) for v in signal.shapes[i]) for i in own}
            if len(shapes) > 1:
                record = batch.provenance.record_id[own[0]]
                raise InputError(
                    f"{self.action_name} cannot stack the segments of record {record!r}: their shapes differ "
                    f"({', '.join(map(str, sorted(shapes)))}). Pad or cut them to one length first.",
                    record=record,
                )
        return stack(batch, rows, tuple(groups))
