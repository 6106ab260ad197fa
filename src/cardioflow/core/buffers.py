"""Memory for the samples of batches, reused once an earlier batch is gone.

A batch takes a few megabytes, which malloc requests from the system and returns
every time. For 50 records cut into 4 MB of windows, the page faults of fresh
memory took five times as long as the cutting. A pool therefore keeps a few freed
buffers, of at most ``LIMIT`` bytes in total. An array from ``empty`` is an ordinary
NumPy array, and its buffer is freed only when its last view is gone.
"""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from itertools import count
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["LIMIT", "empty", "make_blocks_with"]

LIMIT: Final = 48 << 20
"""The most bytes that freed buffers may take together."""

_SMALLEST: Final = 1 << 17
"""Smaller arrays are left to malloc, which itself reuses memory of this size."""
_LARGEST: Final = 1 << 23
"""Larger arrays are left to NumPy, which requests huge pages for them."""
_KEPT_PER_SIZE: Final = 4

Block = NDArray[np.uint8]


def _fresh(size: int) -> Block:
    return np.empty(size, np.uint8)


class _Pool:
    """Free blocks, at most four per size and ``LIMIT`` bytes in total; the one freed longest ago is dropped first.

    No method waits for the lock. A block is returned when its last view dies,
    which can happen inside another method of the pool, in a signal handler, or in
    a forked process whose other threads are gone. A caller that finds the pool
    locked does without it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = count()
        self._blocks: OrderedDict[int, Block] = OrderedDict()
        self._by_size: dict[int, deque[int]] = {}
        self.n_bytes = 0
        self.largest = _LARGEST
        self.make: Callable[[int], Block | None] = _fresh

    def take(self, size: int) -> Block | None:
        """Return the most recently freed block of ``size`` bytes, or ``None``."""
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
        """Keep a block for reuse, if there is room for it."""
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
    """The owner of a block lent to one array; NumPy releases it with the last view."""

    __slots__ = ("__array_interface__", "_block")

    def __init__(self, block: Block) -> None:
        self._block = block
        self.__array_interface__ = block.__array_interface__

    def __del__(self, pool: _Pool = _pool, is_exiting: Callable[[], bool] = sys.is_finalizing) -> None:
        # Both are default arguments because modules may lose their globals first when the interpreter exits; the pool
        # needs its own then, and there is nothing to keep a block for.
        if not is_exiting():
            pool.give(self._block)


def make_blocks_with(make: Callable[[int], Block | None], largest: int) -> None:
    """Let ``make`` allocate all blocks of this process from now on, also for arrays of up to ``largest`` bytes.

    Where it returns ``None``, NumPy allocates the array.
    """
    _pool.make, _pool.largest = make, largest


def _size_class(n_bytes: int) -> int:
    """Return the block size for ``n_bytes``: at most a quarter more, so that arrays of similar size share blocks."""
    step = 1 << max((n_bytes - 1).bit_length() - 3, 12)
    return -(-n_bytes // step) * step


def empty(n: int, dtype: DTypeLike) -> NDArray[Any]:
    """Return an uninitialised one-dimensional array of ``n`` elements, like ``numpy.empty``."""
    kind = np.dtype(dtype)
    n_bytes = n * kind.itemsize
    if not _SMALLEST <= n_bytes <= _pool.largest:
        return np.empty(n, kind)
    size = _size_class(n_bytes)
    block = _pool.take(size)
    if block is None:
        block = _pool.make(size)
    if block is None:
        return np.empty(n, kind)
    return np.asarray(_Lease(block))[:n_bytes].view(kind)
