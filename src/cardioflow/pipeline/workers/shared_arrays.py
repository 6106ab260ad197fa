"""Arrays that a worker makes in memory of which its parent sees every page, so that sending them copies nothing.

A worker lets the pool of ``core.buffers`` take its blocks from here. When such an array is sent, the message says where
it lies; the first time that a block is meant, its file descriptor follows the message through the same socket. The
blocks never have a name (``memfd_create``), so that nothing can stay behind, however the processes end. That is Linux
alone; elsewhere arrays are copied into blocks with names.
"""

from __future__ import annotations

import os
import weakref
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from mmap import mmap
from typing import Any, Final, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.buffers import empty

__all__ = ["Place", "SharedArrays", "SharedReader"]

Bytes = NDArray[np.uint8]

_MOST_BLOCKS: Final = 24
"""Blocks that a worker has at a time: each takes file descriptors, and a step may keep the arrays of all records."""


class Place(NamedTuple):
    """Where an array lies that is not copied."""

    block: int
    start: int
    size: int


class _Block(NamedTuple):
    number: int
    address: int
    size: int
    alive: weakref.ref[Bytes]


@final
class SharedArrays:
    """The blocks that a worker makes its arrays in. An array that was sent stays as it is until the parent frees it."""

    def __init__(self) -> None:
        self._blocks: dict[int, _Block] = {}
        # The same ones by their addresses, in order.
        self._addresses: list[int] = []
        self._numbers: list[int] = []
        # Of blocks that the parent has not opened yet; a mapping keeps a descriptor of its own.
        self._descriptors: dict[int, int] = {}
        self._sent: dict[int, Sequence[Any]] = {}
        self._n_made = self._n_sent = 0
        # Filled by blocks that die, in the middle of anything: an append is all that may be done there.
        self._dead: deque[int] = deque()
        self._to_close: list[int] = []

    @staticmethod
    def are_available() -> bool:
        """Return whether the system has memory without a name."""
        return hasattr(os, "memfd_create")

    def block(self, size: int) -> Bytes | None:
        """Return new memory of ``size`` bytes; ``None`` where there are many blocks already, or the system has none."""
        if len(self._blocks) >= _MOST_BLOCKS:
            self._bury()
            if len(self._blocks) >= _MOST_BLOCKS:
                return None
        try:
            descriptor = os.memfd_create("cardioflow", os.MFD_CLOEXEC)
        except OSError:
            return None
        try:
            os.ftruncate(descriptor, size)
            memory: Bytes = np.frombuffer(mmap(descriptor, size), np.uint8)
        except (OSError, ValueError):
            os.close(descriptor)
            return None
        # Before the new one is noted: it may lie where a dead one lay.
        self._bury()
        number, self._n_made = self._n_made, self._n_made + 1
        dead = self._dead
        alive = weakref.ref(memory, lambda _: dead.append(number))
        address: int = memory.__array_interface__["data"][0]
        self._blocks[number] = _Block(number, address, size, alive)
        self._descriptors[number] = descriptor
        at = bisect_right(self._addresses, address)
        self._addresses.insert(at, address)
        self._numbers.insert(at, number)
        return memory

    def place_of(self, raw: memoryview) -> Place | None:
        """Return where the bytes ``raw`` lie; ``None`` where that is memory of the worker alone."""
        self._bury()
        address: int = np.frombuffer(raw, np.uint8).__array_interface__["data"][0]
        at = bisect_right(self._addresses, address) - 1
        if at < 0:
            return None
        block = self._blocks[self._numbers[at]]
        start = address - block.address
        return Place(block.number, start, raw.nbytes) if start + raw.nbytes <= block.size else None

    def send(self, places: Sequence[Place], arrays: Sequence[Any]) -> tuple[int, tuple[int, ...]]:
        """Keep ``arrays``, which lie at ``places``; return a number to free them by, and the blocks that are new."""
        number, self._n_sent = self._n_sent, self._n_sent + 1
        self._sent[number] = arrays
        new = tuple(dict.fromkeys(place.block for place in places if place.block in self._descriptors))
        return number, new

    def descriptors(self, numbers: Sequence[int]) -> list[int]:
        """Return the file descriptors of blocks that the parent is to open now; the caller closes them."""
        return [self._descriptors.pop(number) for number in numbers]

    def free(self, numbers: Sequence[int]) -> None:
        """Let go of what was sent under ``numbers``, which the parent no longer uses."""
        for number in numbers:
            del self._sent[number]

    def closed(self) -> tuple[int, ...]:
        """Return the blocks that are gone since the last call, and that the parent has open."""
        self._bury()
        closed, self._to_close = tuple(self._to_close), []
        return closed

    def _bury(self) -> None:
        with suppress(IndexError):
            while True:
                block = self._blocks.pop(self._dead.popleft())
                at = self._numbers.index(block.number)
                del self._numbers[at], self._addresses[at]
                if block.number in self._descriptors:
                    os.close(self._descriptors.pop(block.number))
                else:
                    self._to_close.append(block.number)


@final
class SharedReader:
    """The blocks of one worker as its parent has them, lent to arrays.

    Args:
        most_lent: How many batches may hold memory of the worker; those beyond that are copied.
    """

    def __init__(self, most_lent: int) -> None:
        self._most_lent = most_lent
        self._blocks: dict[int, tuple[mmap, Bytes]] = {}
        self._n_lent = 0
        # Filled by arrays that die, in any thread.
        self._returned: deque[int] = deque()
        self._copied: list[int] = []

    def open(self, numbers: Sequence[int], receive: Callable[[], int]) -> None:
        """Open new blocks, whose file descriptors ``receive`` returns one by one."""
        for number in numbers:
            descriptor = receive()
            try:
                memory = mmap(descriptor, os.fstat(descriptor).st_size)
            finally:
                os.close(descriptor)
            self._blocks[number] = memory, np.frombuffer(memory, np.uint8)

    def read(self, number: int, places: Sequence[Place]) -> list[Bytes]:
        """Return the arrays at ``places``, sent under ``number``; they stay as they are while one of them lives."""
        views = [self._blocks[place.block][1][place.start : place.start + place.size] for place in places]
        if self._n_lent < self._most_lent:
            self._n_lent += 1
            lease = _Lease(number, self._returned)
            return [np.asarray(_Lent(view, lease)) for view in views]
        copies = [empty(view.size, np.uint8) for view in views]
        for copy, view in zip(copies, views, strict=True):
            copy[:] = view
        self._copied.append(number)
        return copies

    def freed(self) -> tuple[int, ...]:
        """Return the numbers whose arrays are no longer used, each once."""
        found, self._copied = self._copied, []
        with suppress(IndexError):
            while True:
                found.append(self._returned.popleft())
                self._n_lent -= 1
        return tuple(found)

    def close(self, numbers: Sequence[int]) -> None:
        """Close blocks that the worker gave up."""
        for number in numbers:
            del self._blocks[number]


class _Lease:
    """What all arrays of one batch hold; it dies with the last of them."""

    __slots__ = ("_number", "_returned")

    def __init__(self, number: int, returned: deque[int]) -> None:
        self._number = number
        self._returned = returned

    def __del__(self) -> None:
        self._returned.append(self._number)


class _Lent:
    """The owner of the memory of one array."""

    __slots__ = ("__array_interface__", "_lease", "_view")

    def __init__(self, view: Bytes, lease: _Lease) -> None:
        self._view = view
        self._lease = lease
        self.__array_interface__ = view.__array_interface__
