"""Put the segments of a record together again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from cardioflow.batch import EcgBatch, Provenance, Ragged
from cardioflow.core.random_keys import record_keys
from cardioflow.errors import InputError
from cardioflow.transforms.base import Transform

__all__ = ["StackSignals"]


@final
@dataclass(frozen=True)
class StackSignals(Transform):
    """Put the segments of each record into one row of (segment, lead, time), the reverse of ``unstack_signals``.

    Rows belong together by ``batch.provenance``; they stand in the order of their
    numbers. The other components are those of the first. Rows of one record in
    different batches stay apart. Uncut records become rows of one segment.

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
        order = np.array([i for own in rows for i in own], dtype=np.intp)
        first = batch.take(np.array([own[0] for own in rows], dtype=np.intp))
        counts = np.array([len(own) for own in rows], dtype=np.int64).reshape(-1, 1)
        stacked = Ragged(signal.take(order).data, np.hstack([counts, first.component("signal").shapes]))
        marks = batch.annotation
        return first.replace(
            ids=tuple(groups),
            signal=stacked,
            annotation=None if marks is None else tuple(tuple(_flat(marks[i]) for i in own) for own in rows),
            provenance=_whole(batch.provenance, first.provenance, rows),
        )


def _flat(mark: Any) -> Any:
    return mark[0] if isinstance(mark, tuple) else mark


def _whole(provenance: Provenance, first: Provenance, rows: list[list[int]]) -> Provenance:
    return replace(
        first,
        key=record_keys(first.record_id),
        segment=np.zeros(len(rows), np.int64),
        n_segments=np.ones(len(rows), np.int64),
        segment_start_s=tuple(np.concatenate([provenance.segment_start_s[i] for i in own]) for own in rows),
    )
