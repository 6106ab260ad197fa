"""Freed memory that stays with the process.

PyTorch on the CPU allocates every intermediate result anew. glibc returns blocks of
megabytes to the system when they are freed, and the system clears each page again
when the next batch touches it: 20 000 to 57 000 page faults per batch of 64 signals
of 3 000 samples, and up to a third of the time of a training step.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from typing import Any, Final

__all__ = ["give_back_freed_memory", "keep_freed_memory"]

# From malloc.h.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_TRIM_THRESHOLD: Final = 2**31 - 1
_MMAP_THRESHOLDS: Final = (2**30, 32 * 2**20)
"""The second is the most that glibc took before 2.35."""


@cache
def keep_freed_memory() -> bool:
    """Let the allocator keep what is freed, up to 2 GiB, and return whether it does.

    It holds for the whole process, from the first call. It is done with glibc alone,
    and not where the environment says ``CARDIOFLOW_KEEP_MEMORY=0`` or sets one of
    glibc's own thresholds (``MALLOC_TRIM_THRESHOLD_``, ``MALLOC_MMAP_THRESHOLD_``,
    ``GLIBC_TUNABLES``).
    """
    if os.environ.get("CARDIOFLOW_KEEP_MEMORY") == "0" or _is_tuned():
        return False
    libc = _glibc()
    if libc is None or not libc.mallopt(_M_TRIM_THRESHOLD, _TRIM_THRESHOLD):
        return False
    return any(libc.mallopt(_M_MMAP_THRESHOLD, size) for size in _MMAP_THRESHOLDS)


def give_back_freed_memory() -> None:
    """Return to the system what was kept. Without ``keep_freed_memory`` before, nothing is done."""
    if keep_freed_memory.cache_info().currsize and keep_freed_memory():
        libc = _glibc()
        if libc is not None:
            libc.malloc_trim(0)


def _is_tuned() -> bool:
    names = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_")
    return any(name in os.environ for name in names) or "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", "")


def _glibc() -> Any:
    """Return the C library if it is glibc, otherwise ``None``."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    # Only glibc has both; musl has neither.
    return libc if hasattr(libc, "gnu_get_libc_version") and hasattr(libc, "mallopt") else None
