"""Runs of samples that share a mean, a range or a scale."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import Ragged
from cardioflow.batch.axis import Axis

__all__ = ["block_sizes", "blocks"]


def block_sizes(signal: Ragged, axis: Axis) -> NDArray[np.int64]:
    """Return the length of every run in the flat buffer: a lead for -1, a segment for (-2, -1), a record for None."""
    if axis is None:
        return np.asarray(signal.shapes.prod(axis=1))
    inner = 1 if axis == -1 else 2
    if signal.ndim == inner + 1 and (signal.shapes[:, 0] == 1).all():
        # One run per record, as in most data sets of one lead; the products below take longer than a small record.
        return np.ascontiguousarray(signal.shapes[:, 1:].prod(axis=1))
    return np.repeat(signal.shapes[:, -inner:].prod(axis=1), signal.shapes[:, :-inner].prod(axis=1))


def blocks(signal: Ragged, axis: Axis) -> Iterator[slice]:
    """Return every run of the flat buffer that is not empty."""
    start = 0
    for size in block_sizes(signal, axis).tolist():
        if size:
            yield slice(start, start + size)
        start += size
