"""A mapped file whose blocks are compared with their checksums before they are used."""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cardioflow.errors import FormatError
from cardioflow.io._packed.index import BLOCK_BYTES

__all__ = ["CheckedFile", "block_checksums"]


def block_checksums(path: Path) -> str:
    """Return the CRC-32 of each block of a file as eight hex digits, one after the other."""
    # Read, not mapped: pages of a map count as this process's memory.
    with path.open("rb") as file:
        return "".join(f"{zlib.crc32(block):08x}" for block in iter(lambda: file.read(BLOCK_BYTES), b""))


@final
class CheckedFile:
    """The bytes of a file, each block of them checked once, when it is first needed."""

    def __init__(self, path: Path, checksums: tuple[int, ...]) -> None:
        """Map the file at ``path``; without ``checksums`` nothing is checked.

        Raises:
            OSError, pyarrow.ArrowException: when it cannot be mapped.
        """
        self.path = path
        self._state = _state(path)
        # Never closed while views of it live; Arrow keeps the map as long as they do.
        self.buffer: pa.Buffer = pa.memory_map(str(path)).read_buffer()
        self._content = memoryview(self.buffer)
        self._checksums = checksums
        self._is_right = np.zeros(len(checksums), np.bool_)

    @property
    def has_changed(self) -> bool:
        """Whether the file is not the one that was mapped: to read beyond the end of a shorter one ends the process."""
        return _state(self.path) != self._state

    def check(self, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> None:
        """Compare the blocks that hold the bytes of each span [start, stop).

        Raises:
            FormatError: when one does not have its checksum.
        """
        if self._is_right.all():
            return
        for start, stop in zip((starts // BLOCK_BYTES).tolist(), (-(-stops // BLOCK_BYTES)).tolist(), strict=True):
            for block in range(start, stop):
                if not self._is_right[block]:
                    self._check_block(block)

    def _check_block(self, block: int) -> None:
        first = block * BLOCK_BYTES
        content = self._content[first : first + BLOCK_BYTES]
        if zlib.crc32(content) != self._checksums[block]:
            raise FormatError(
                f"{self.path} is damaged: its bytes {first} to {first + len(content)} do not have their checksum. "
                "Copy the store again from where it came, or pack the records again."
            )
        self._is_right[block] = True


def _state(path: Path) -> tuple[int, ...]:
    """Return what tells a file from one that was written in its place; empty where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 -- for every batch
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns
