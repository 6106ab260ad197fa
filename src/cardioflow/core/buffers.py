"""Memory for a batch's samples, reused when the batch before it is gone.

A batch is a few megabytes, which malloc takes from the system and gives back
every time: for a batch of 50 records cut into 4 MB of windows, the page faults
of fresh memory took five times as long as the cutting. So a pool keeps a few
freed buffers, of ``LIMIT`` bytes in all. NumPy does not notice: an array from
``empty`` is like any other, and its buffer is free only when its last view is gone.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from itertools import count
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["LIMIT", "empty"]

LIMIT: Final = 48 << 20
"""Bytes that freed buffers may take together."""

_SMALLEST: Final = 1 << 17
"""Smaller arrays are left to malloc, which keeps such memory itself."""
_LARGEST: Final = 1 << 23
"""Larger arrays are left to NumPy, which asks for huge pages."""
_KEPT_PER_SIZE: Final = 4

Block = NDArray[np.uint8]


class _Pool:
    """Free blocks, at most four of a size and ``LIMIT`` bytes in all; the one freed longest ago makes room.

    No method waits for the lock. A block comes back whenever its last view dies,
    which may be inside another method of the pool, in a signal handler or in a
    forked process whose other threads are gone. Whoever finds the pool locked does
    without it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = count()
        self._blocks: OrderedDict[int, Block] = OrderedDict()
        self._by_size: dict[int, deque[int]] = {}
        self.n_bytes = 0

    def take(self, size: int) -> Block | None:
        """Return the block of ``size`` bytes that was freed last, or ``None``."""
        if not self._lock.acquire(blocking=False):
            return None
        try:
            numbers = self._by_size.get(size)
            if not numbers:
                return None
            self.n_bytes -= size
            return self._blocks.pop(numbers.pop())
        finally:
            self._lock.release()

    def give(self, block: Block) -> None:
        """Keep a block for its next user, if there is room for it."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            size = block.size
            numbers = self._by_size.get(size)
            if numbers is None:
                numbers = self._by_size[size] = deque()
            number = next(self._numbers)
            self._blocks[number] = block
            numbers.append(number)
            self.n_bytes += size
            if len(numbers) > _KEPT_PER_SIZE:
                self._drop(numbers[0])
            while self.n_bytes > LIMIT:
                self._drop(next(iter(self._blocks)))
        finally:
            self._lock.release()

    def _drop(self, number: int) -> None:
        size = self._blocks.pop(number).size
        self._by_size[size].popleft()
        self.n_bytes -= size


_pool = _Pool()


class _Lease:
    """Lends a block to one array; NumPy releases it with the last view."""

    __slots__ = ("__array_interface__", "_block")

    def __init__(self, block: Block) -> None:
        self._block = block
        self.__array_interface__ = block.__array_interface__

    def __del__(self, pool: _Pool = _pool) -> None:
        # The pool is an argument because at the interpreter's exit a module may lose its names first.
        pool.give(self._block)


def _size_class(n_bytes: int) -> int:
    """Return the size of the block for ``n_bytes``: at most a quarter more, so that similar sizes share one."""
    step = 1 << max((n_bytes - 1).bit_length() - 3, 12)
    return -(-n_bytes // step) * step


def empty(n: int, dtype: DTypeLike) -> NDArray[Any]:
    """Return a one-dimensional array of ``n`` elements, not initialised, as ``numpy.empty`` does."""
    kind = np.dtype(dtype)
    n_bytes = n * kind.itemsize
    if not _SMALLEST <= n_bytes <= _LARGEST:
        return np.empty(n, kind)
    size = _size_class(n_bytes)
    block = _pool.take(size)
    if block is None:
        block = np.empty(size, np.uint8)
    return np.asarray(_Lease(block))[:n_bytes].view(kind)
