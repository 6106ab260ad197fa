"""One row per segment: the way from cut records to what a model takes."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.ragged import Ragged

__all__ = ["unstack"]

B = TypeVar("B", bound=EcgBatch)


def unstack(batch: B) -> B:
    """Return a batch in which every segment is a row of its own; a batch that is not cut is returned as it is.

    Targets, metadata and other components are repeated; annotations, kept per
    segment, become the rows'. ``provenance`` remembers record, segment and start.
    """
    signal = batch.component("signal")
    if signal.ndim < 3:
        return batch
    counts = signal.shapes[:, 0]
    rows = np.repeat(np.arange(len(batch)), counts)
    provenance = batch.provenance.unstacked(counts)
    spread = batch.replace(signal=None, annotation=None).take(rows)
    annotation = None
    if batch.annotation is not None:
        annotation = tuple(
            mark for marks in batch.annotation for mark in (marks if isinstance(marks, tuple) else (marks,))
        )
    return spread.replace(
        ids=tuple(
            f"{record}/{number}" for record, number in zip(provenance.record_id, provenance.segment, strict=True)
        ),
        signal=Ragged(signal.data, np.repeat(signal.shapes[:, 1:], counts, axis=0)),
        annotation=annotation,
        provenance=provenance,
    )
