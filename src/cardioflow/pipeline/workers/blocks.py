"""Blocks of shared memory: one process writes into its own, another one reads them and says when they are free.

A block has a name for as long as its reader has not opened it, and no longer:
what is left of one after that vanishes with the last process that has it open,
however the processes end. For the moment in between, the names can be told in
advance, so that the reader can remove what a killed writer left.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from contextlib import suppress
from multiprocessing.shared_memory import SharedMemory
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.buffers import empty
from cardioflow.errors import WorkerError

__all__ = ["BlockReader", "BlockWriter", "Span"]

Bytes = NDArray[np.uint8]

_SMALLEST = 1 << 16


class Span(NamedTuple):
    """Bytes in a block: what a message says of them."""

    block: int
    size: int
    is_new: bool
    """Whether the reader has not opened the block yet."""


def _name(prefix: str, number: int) -> str:
    return f"{prefix}{number}"


@final
class BlockWriter:
    """The blocks that one process writes; they are reused when the reader has freed them."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._blocks: dict[int, SharedMemory] = {}
        self._free: list[int] = []
        self._dropped: list[int] = []
        self._n_made = 0

    def reserve(self, size: int) -> tuple[Span, Bytes]:
        """Return a span of ``size`` bytes and the memory to write them to.

        Raises:
            WorkerError: when the system has no shared memory left.
        """
        fitting = [number for number in self._free if self._blocks[number].size >= size]
        if fitting:
            number = min(fitting, key=lambda k: self._blocks[k].size)
            self._free.remove(number)
            return Span(number, size, is_new=False), self._bytes(number, size)
        if self._free:
            # Too small for what comes now: batches have grown.
            self._dropped.append(self._free.pop(0))
            self._blocks.pop(self._dropped[-1]).close()
        number, self._n_made = self._n_made, self._n_made + 1
        self._blocks[number] = _make(_name(self._prefix, number), _size_class(size))
        return Span(number, size, is_new=True), self._bytes(number, size)

    def free(self, numbers: tuple[int, ...]) -> None:
        """Take back blocks that the reader no longer uses."""
        self._free += numbers

    def dropped(self) -> tuple[int, ...]:
        """Return the blocks that were given up since the last call, for the reader to close."""
        dropped, self._dropped = tuple(self._dropped), []
        return dropped

    def close(self) -> None:
        """Release all blocks and their names; what a reader has opened stays until it is done."""
        for block in self._blocks.values():
            block.close()
            # A reader that opened it has removed the name.
            with suppress(FileNotFoundError):
                block.unlink()
        self._blocks, self._free = {}, []

    def _bytes(self, number: int, size: int) -> Bytes:
        return np.ndarray(size, np.uint8, buffer=self._blocks[number].buf)


@final
class BlockReader:
    """The blocks of one writer as the reader has them: their memory is lent to arrays, and freed with the last of them.

    Args:
        prefix: What the writer's names begin with.
        most_lent: How many blocks may be lent at once; what is read beyond that is copied.
        is_only: Whether no other process reads the blocks, so that their names are not needed once they are open.
    """

    def __init__(self, prefix: str, most_lent: int, *, is_only: bool = True) -> None:
        self._prefix = prefix
        self._most_lent = most_lent
        self._is_only = is_only
        self._blocks: dict[int, SharedMemory] = {}
        self._n_seen = 0
        self._n_lent = 0
        # Filled by arrays that die, in any thread: an append needs no lock.
        self._returned: deque[int] = deque()

    def read(self, span: Span) -> Bytes:
        """Return the bytes of ``span``, which stay as they are for as long as an array over them lives."""
        block = self._opened(span)
        view = np.ndarray(span.size, np.uint8, buffer=block.buf)
        if self._n_lent < self._most_lent:
            self._n_lent += 1
            return np.asarray(_Lent(view, block, span.block, self._returned))
        copy: Bytes = empty(span.size, np.uint8)
        copy[:] = view
        self._returned.append(-1 - span.block)
        return copy

    def freed(self) -> tuple[int, ...]:
        """Return the blocks that were read and are no longer used, each once."""
        found = []
        with suppress(IndexError):
            while True:
                number = self._returned.popleft()
                if number >= 0:
                    self._n_lent -= 1
                found.append(number if number >= 0 else -1 - number)
        return tuple(found)

    def drop(self, numbers: tuple[int, ...]) -> None:
        """Close blocks that the writer gave up."""
        for number in numbers:
            del self._blocks[number]

    def close(self) -> None:
        """Remove the names of blocks that the writer made and the reader did not open; lent memory stays."""
        self._blocks = {}
        while _remove(_name(self._prefix, self._n_seen)):
            self._n_seen += 1

    def _opened(self, span: Span) -> SharedMemory:
        if span.is_new:
            block = SharedMemory(_name(self._prefix, span.block))
            if self._is_only:
                block.unlink()
            self._blocks[span.block] = block
            self._n_seen = span.block + 1
        return self._blocks[span.block]


class _Lent:
    """The owner of the memory of an array that was read; NumPy releases it with the last view."""

    __slots__ = ("__array_interface__", "_block", "_number", "_returned")

    def __init__(self, view: Bytes, block: SharedMemory, number: int, returned: deque[int]) -> None:
        self._block = block
        self._number = number
        self._returned = returned
        self.__array_interface__ = view.__array_interface__

    def __del__(self) -> None:
        self._returned.append(self._number)


def _size_class(size: int) -> int:
    """Return the size of a block for ``size`` bytes: up to a quarter more, so that batches of like size share it."""
    size = max(size + size // 8, _SMALLEST)
    step = 1 << max(size.bit_length() - 3, 12)
    return -(-size // step) * step


def _make(name: str, size: int) -> SharedMemory:
    try:
        block = SharedMemory(name, create=True, size=size)
        if sys.platform == "linux":
            # Memory that is not there would otherwise end the process when it is written to.
            os.posix_fallocate(vars(block)["_fd"], 0, size)
    except OSError as error:
        with suppress(Exception):
            block.close()
            block.unlink()
        raise WorkerError(
            f"A worker process got no {size / 2**20:.0f} MiB of shared memory: {error.strerror}. Pass a smaller "
            "batch_size or fewer processes, or threads=… instead. In a container, make /dev/shm larger, as with "
            "docker run --shm-size=1g."
        ) from error
    return block


def _remove(name: str) -> bool:
    """Remove the block ``name`` and return whether there was one."""
    try:
        block = SharedMemory(name)
    except (FileNotFoundError, ValueError):
        return False
    block.close()
    with suppress(FileNotFoundError):
        block.unlink()
    return True
