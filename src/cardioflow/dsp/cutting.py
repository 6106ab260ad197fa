"""Windows cut from a batch's flat buffer."""
# ruff: noqa: PLR0917 -- compiled functions take their arrays by position

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from cardioflow.core.buffers import empty

__all__ = ["cut", "random_starts", "regular_starts"]

Ints = NDArray[np.int64]
Array = NDArray[Any]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)


def cut(data: NDArray[Any], shapes: Ints, starts: Ints, counts: Ints, *, length: int, pad_value: float) -> NDArray[Any]:
    """Return ``counts[i]`` windows of each record, flat in the order (record, segment, lead, time).

    Args:
        data: the samples of all records, (lead, time) each.
        shapes: leads and samples of each record, (n, 2).
        starts: the first sample of every window, all records' one after another;
            where a window reaches outside the record it holds ``pad_value``.
        counts: the windows of each record.
        length: the samples of every window.
        pad_value: what stands before the first and after the last sample.
    """
    out = empty(int((counts * shapes[:, 0]).sum()) * length, data.dtype)
    _cut(data, shapes, starts, counts, length, data.dtype.type(pad_value), out)
    return out


@njit(nogil=True, cache=True)
def _cut(data: Array, shapes: Ints, starts: Ints, counts: Ints, length: int, pad_value: Any, out: Array) -> None:
    begin = 0
    window = 0
    to = 0
    for r in range(shapes.shape[0]):
        leads = shapes[r, 0]
        samples = shapes[r, 1]
        for s in range(window, window + counts[r]):
            first = max(starts[s], 0)
            last = max(min(starts[s] + length, samples), first)
            before = min(first - starts[s], length)
            for lead in range(leads):
                source = begin + lead * samples
                for t in range(before):
                    out[to + t] = pad_value
                _copy(data[source + first : source + last], out[to + before : to + before + last - first])
                for t in range(before + last - first, length):
                    out[to + t] = pad_value
                to += length
        window += counts[r]
        begin += leads * samples


@njit(nogil=True, cache=True)
def _copy(data: Array, out: Array) -> None:
    for t in range(out.size):
        out[t] = data[t]


@njit(nogil=True, cache=True)
def regular_starts(lengths: Ints, length: int, steps: Ints) -> tuple[Ints, Ints]:
    """Return the starts of all whole windows, ``steps[i]`` apart, and their count per record.

    A record shorter than ``length`` gets one window that ends with it.
    """
    counts = np.empty(lengths.size, np.int64)
    for r in range(lengths.size):
        counts[r] = (lengths[r] - length) // steps[r] + 1 if lengths[r] >= length else 1
    starts = np.empty(counts.sum(), np.int64)
    at = 0
    for r in range(lengths.size):
        for s in range(counts[r]):
            starts[at] = s * steps[r] if lengths[r] >= length else lengths[r] - length
            at += 1
    return starts, counts


@njit(nogil=True, cache=True)
def random_starts(keys: NDArray[np.uint64], lengths: Ints, length: int, counts: Ints) -> Ints:
    """Return ``counts[i]`` starts drawn evenly, with replacement, for each record.

    Hashes onward from the record's key as ``streams.uniform`` does, so that
    start ``s`` depends on the key and ``s`` alone. A record shorter than
    ``length`` gets windows that end with it.
    """
    starts = np.empty(counts.sum(), np.int64)
    at = 0
    for r in range(keys.size):
        choices = lengths[r] - length + 1
        for s in range(counts[r]):
            if choices < 1:
                starts[at] = lengths[r] - length
            else:
                x = keys[r] + np.uint64(s + 1) * _GOLDEN
                x = (x ^ (x >> np.uint64(30))) * _MIX1
                x = (x ^ (x >> np.uint64(27))) * _MIX2
                x = x ^ (x >> np.uint64(31))
                starts[at] = int(float(x >> np.uint64(11)) * 2.0**-53 * choices)
            at += 1
    return starts
