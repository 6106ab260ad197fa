"""Memory for a batch's samples, used again when the batch before it is gone.

A batch is a few megabytes, which malloc takes from the system and gives back
every time: for a batch of 50 records cut into 4 MB of windows, the page faults
of fresh memory took five times as long as the cutting. A few freed buffers are
kept instead. NumPy sees nothing of it: an array of ``empty`` is like any other,
and its buffer is free only when no view of it lives.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["empty"]

_SMALLEST = 1 << 17
"""Below it, malloc keeps memory itself."""
_LARGEST = 1 << 23
"""Above it, what is kept would weigh more than what is saved."""
_KEPT_PER_SIZE = 4

_free: defaultdict[int, deque[NDArray[np.uint8]]] = defaultdict(lambda: deque(maxlen=_KEPT_PER_SIZE))


class _Lease:
    """Lends a block to one array; NumPy lets go of it with the last view."""

    __slots__ = ("__array_interface__", "_block")

    def __init__(self, block: NDArray[np.uint8]) -> None:
        self._block = block
        self.__array_interface__ = block.__array_interface__

    def __del__(self, free: defaultdict[int, deque[NDArray[np.uint8]]] = _free) -> None:
        # Appending to a deque is atomic, so that threads need no lock; a full one drops its oldest block. The pool is
        # an argument because at the interpreter's end a module may lose its names first.
        free[self._block.size].append(self._block)


def _size_class(n_bytes: int) -> int:
    """Return the size of the block for ``n_bytes``: at most a quarter more, so that like sizes share one."""
    step = 1 << max((n_bytes - 1).bit_length() - 3, 12)
    return -(-n_bytes // step) * step


def empty(n: int, dtype: DTypeLike) -> NDArray[Any]:
    """Return a one-dimensional array of ``n`` elements, not initialised, as ``numpy.empty`` does."""
    kind = np.dtype(dtype)
    n_bytes = n * kind.itemsize
    if not _SMALLEST <= n_bytes <= _LARGEST:
        return np.empty(n, kind)
    size = _size_class(n_bytes)
    try:
        block = _free[size].pop()
    except IndexError:
        block = np.empty(size, np.uint8)
    return np.asarray(_Lease(block))[:n_bytes].view(kind)
