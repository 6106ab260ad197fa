"""One row per segment: from cut records to the rows that a model takes."""

from __future__ import annotations

from typing import TypeVar

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.timeline import change_rows

__all__ = ["unstack"]

B = TypeVar("B", bound=EcgBatch)


def unstack(batch: B) -> B:
    """Return a batch in which every segment is a row of its own; a batch that is not cut is returned as it is.

    Targets, metadata and other static components are repeated; annotations and
    time series go to their segments. ``provenance`` keeps record, segment and start.
    """
    signal = batch.component("signal")
    if signal.ndim < 3:
        return batch
    counts = signal.shapes[:, 0]
    provenance = batch.provenance.unstacked(counts)
    ids = tuple(f"{record}/{n}" for record, n in zip(provenance.record_id, provenance.segment, strict=True))
    return change_rows(batch, lambda column: column.unstack(counts), ids=ids, provenance=provenance)
