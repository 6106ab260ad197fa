"""Objects on their way between processes: their arrays in shared memory, a few bytes in the message.

Pickle protocol 5 takes the contiguous arrays of an object out of its text. They
are written to a block one after the other, and the receiver's arrays are views
of that block: what is left to pickle are ids and metadata.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from cardioflow.pipeline.workers.blocks import BlockReader, BlockWriter, Span
from cardioflow.pipeline.workers.shared_arrays import Place, SharedArrays, SharedReader

__all__ = ["Parcel", "pack", "unpack"]

_INLINE = 1024
"""Bytes that go into the message itself: a pipe holds 8 KiB on some systems, and its sender is never to wait."""
_ALIGNED = 64
_LEAST_APART = 1024
"""Smaller arrays stay in the text of the pickle."""


class Parcel(NamedTuple):
    """A pickled object: in the message itself, or in a span of shared memory."""

    inline: bytes
    span: Span | None = None
    sizes: tuple[int, ...] = ()
    """The size of the text, and of each array that was copied."""
    places: tuple[Place | None, ...] = ()
    """Where each array lies that was not copied; empty where all were."""
    number: int = 0
    """What the arrays at ``places`` are freed by."""
    opened: tuple[int, ...] = ()
    """The blocks of ``places`` whose file descriptors follow."""


def pack(value: Any, writer: BlockWriter | None, shared: SharedArrays | None = None) -> Parcel:
    """Return ``value`` as a parcel; without a writer all of it is in the message.

    Arrays that were made in ``shared`` stay where they are, and are kept until the receiver frees them.

    Raises:
        Exception: what pickle raises for an object that cannot be pickled.
        WorkerError: when there is no shared memory left.
    """
    if writer is None:
        return Parcel(pickle.dumps(value, protocol=5))
    raws: list[memoryview] = []

    def keep(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < _LEAST_APART:
            return True
        raws.append(raw)
        return False

    text = pickle.dumps(value, protocol=5, buffer_callback=keep)
    if not raws and len(text) <= _INLINE:
        return Parcel(text)
    places = [None if shared is None else shared.place_of(raw) for raw in raws]
    parcel = _copied(text, [raw for raw, place in zip(raws, places, strict=True) if place is None], writer)
    lying = [place for place in places if place is not None]
    if shared is None or not lying:
        return parcel
    number, opened = shared.send(lying, raws)
    return parcel._replace(places=tuple(places), number=number, opened=opened)


def _copied(text: bytes, raws: Sequence[memoryview], writer: BlockWriter) -> Parcel:
    """Return the parcel of a text and of arrays that are copied to a block."""
    parts: list[Any] = [text, *raws]
    sizes = tuple(memoryview(part).nbytes for part in parts)
    span, memory = writer.reserve(sum(map(_padded, sizes)))
    start = 0
    for part, size in zip(parts, sizes, strict=True):
        memory[start : start + size] = np.frombuffer(part, np.uint8)
        start += _padded(size)
    return Parcel(b"", span, sizes)


def unpack(parcel: Parcel, reader: BlockReader, shared: SharedReader | None = None) -> Any:
    """Return the object of a parcel; its arrays are views of shared memory, which is freed when they are gone."""
    if parcel.span is None:
        return pickle.loads(parcel.inline)  # noqa: S301 -- from a process of our own
    memory, start = reader.read(parcel.span).data, 0
    parts: list[Any] = []
    for size in parcel.sizes:
        parts.append(memory[start : start + size])
        start += _padded(size)
    text, *arrays = parts
    if shared is not None and parcel.places:
        lent = iter(shared.read(parcel.number, [place for place in parcel.places if place is not None]))
        copied = iter(arrays)
        arrays = [next(copied if place is None else lent) for place in parcel.places]
    return pickle.loads(text, buffers=arrays)  # noqa: S301


def _padded(size: int) -> int:
    return -(-size // _ALIGNED) * _ALIGNED
