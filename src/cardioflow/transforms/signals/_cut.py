"""Records cut into windows, with their annotations and where each window came from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import Annotation, EcgBatch, Ragged
from cardioflow.dsp.cutting import cut

__all__ = ["cut_windows"]


def cut_windows(
    batch: EcgBatch, starts: NDArray[np.int64], counts: NDArray[np.int64], *, length: int, pad_value: float
) -> EcgBatch:
    """Return the batch cut into windows of (lead, length), each row (segment, lead, time)."""
    signal = batch.component("signal")
    data = cut(signal.data, signal.shapes, starts, counts, length=length, pad_value=pad_value)
    shapes = np.column_stack([counts, signal.shapes[:, 0], np.full(len(batch), length)])
    ends = np.cumsum(counts)
    spans = list(zip((ends - counts).tolist(), ends.tolist(), strict=True))
    annotation = None
    if batch.annotation is not None:
        annotation = tuple(
            tuple(mark.window(s, s + length) for s in starts[a:b].tolist())
            for mark, (a, b) in zip(batch.annotation, spans, strict=True)
            if isinstance(mark, Annotation)
        )
    meta = batch.meta
    known = meta is not None and "fs" in meta.columns
    # Without a rate the seconds are unknown; samples over 1 Hz keep at least the order.
    fs = batch.fs if known else np.ones(len(batch))
    seconds = starts / np.repeat(fs, counts)
    provenance = batch.provenance.cut([seconds[a:b] for a, b in spans])
    return batch.replace(signal=Ragged(data, shapes), annotation=annotation, provenance=provenance)
