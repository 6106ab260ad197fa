"""Windows cut from records in a flat buffer."""
# ruff: noqa: PLR0917 -- compiled functions take their arrays by position

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.buffers import empty
from cardioflow.core.compiled import kernel, read_only

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
    _cut(read_only(data), read_only(shapes), starts, counts, length, data.dtype.type(pad_value), out)
    return out


@kernel()
def _cut(data: Array, shapes: Ints, starts: Ints, counts: Ints, length: int, pad_value: Any, out: Array) -> None:
    begin = 0
    window = 0
    to = 0
    for r in range(shapes.shape[0]):
        leads = shapes[r, 0]
        samples = shapes[r, 1]
        for _ in range(counts[r]):
            start = starts[window]
            # The part of the window inside the record. Numba would compile min() and max() anew in every kernel.
            first = 0 if start >= 0 else -start if -start < length else length
            last = samples - start if samples - start < length else length
            n = last - first if last > first else 0
            for lead in range(leads):
                # Unsigned, so that no index can mean "from the end": with that check inside, the copy is slow.
                source, target = np.uint64(begin + lead * samples + start + first), np.uint64(to + first)
                for t in range(np.uint64(n)):
                    out[target + t] = data[source + t]
                for t in range(length - n):
                    out[to + (t if t < first else t + n)] = pad_value
                to += length
            window += 1
        begin += leads * samples


def regular_starts(lengths: Ints, length: int, steps: Ints) -> tuple[Ints, Ints]:
    """Return the starts of all whole windows, ``steps[i]`` apart, and their count per record.

    A record shorter than ``length`` gets one window that ends with it.
    """
    counts = np.maximum((lengths - length) // steps, 0) + 1
    starts = np.empty(int(counts.sum()), np.int64)
    _fill_starts(read_only(lengths), length, steps, counts, starts)
    return starts, counts


@kernel()
def _fill_starts(lengths: Ints, length: int, steps: Ints, counts: Ints, starts: Ints) -> None:
    at = 0
    for r in range(counts.size):
        first = lengths[r] - length
        for s in range(counts[r]):
            starts[at] = s * steps[r] if first >= 0 else first
            at += 1


def random_starts(keys: NDArray[np.uint64], lengths: Ints, length: int, counts: Ints) -> Ints:
    """Return ``counts[i]`` starts drawn evenly, with replacement, for each record.

    Hashes onward from the record's key as ``random_keys.uniform`` does, so that
    start ``s`` depends on the key and ``s`` alone. A record shorter than
    ``length`` gets windows that end with it.
    """
    starts = np.empty(int(counts.sum()), np.int64)
    _draw_starts(read_only(keys), read_only(lengths), length, counts, starts)
    return starts


@kernel()
def _draw_starts(keys: NDArray[np.uint64], lengths: Ints, length: int, counts: Ints, starts: Ints) -> None:
    at = 0
    for r in range(keys.size):
        choices = lengths[r] - length + 1
        for s in range(counts[r]):
            if choices < 1:
                starts[at] = choices - 1
            else:
                x = keys[r] + np.uint64(s + 1) * _GOLDEN
                x = (x ^ (x >> np.uint64(30))) * _MIX1
                x = (x ^ (x >> np.uint64(27))) * _MIX2
                x = x ^ (x >> np.uint64(31))
                starts[at] = int(float(x >> np.uint64(11)) * 2.0**-53 * choices)
            at += 1
