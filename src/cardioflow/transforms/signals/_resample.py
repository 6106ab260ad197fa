"""Rows brought to new sampling rates, with annotations and metadata."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import EcgBatch, Ragged
from cardioflow.dsp.resampling import resampled
from cardioflow.transforms._inputs import series
from cardioflow.transforms._marks import moved

__all__ = ["resample_rows"]


def resample_rows(batch: EcgBatch, old: NDArray[np.float64], new: NDArray[np.float64]) -> EcgBatch:
    """Return the batch with row ``i`` brought from ``old[i]`` to ``new[i]`` Hz."""
    signal, meta = batch.signal_and_meta
    if np.array_equal(old, new):
        return batch
    starts, lengths, row = series(signal)
    data, n_samples = resampled(signal.data, starts, lengths, old[row], new[row])
    shapes = signal.shapes.copy()
    first = np.searchsorted(row, np.arange(len(batch)))
    has = signal.shapes[:, :-1].prod(axis=1) > 0
    shapes[has, -1] = n_samples[first[has]]
    # A record without a segment has no samples to count, but its segments would have so many.
    shapes[~has, -1] = np.ceil(signal.lengths[~has] * new[~has] / old[~has])
    annotation = moved(batch, lambda marks, i: marks.resampled(float(new[i] / old[i]), int(shapes[i, -1])))
    return batch.replace(signal=Ragged(data, shapes), annotation=annotation, meta=meta.with_columns(fs=new))
