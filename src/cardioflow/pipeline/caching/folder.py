"""Rows in the files of a folder, which several processes write and read at the same time.

A process appends to a file of its own. A frame in it holds the rows of one
batch: the magic bytes, the lengths of text and arrays, their CRC-32, the text,
and the arrays at multiples of 64 bytes. A frame whose end or checksum is not
there was not written to its end, and is not used.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import threading
import time
import uuid
import warnings
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

import numpy as np

from cardioflow.errors import CardioFlowError, WriteError
from cardioflow.pipeline.caching.chunk import decode, encode
from cardioflow.pipeline.caching.kept import Kept, RecordKey, _Limited, spans_of
from cardioflow.pipeline.caching.rows import RowPool, Span

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch

__all__ = ["KeptInFolder"]

_MAGIC: Final = b"CFROWS1\n"
_HEAD: Final = struct.Struct("<8sQQQIII")
"""Magic, the lengths of the index, the text and the arrays, and the checksums of the three."""
_ALIGNED: Final = 64
_SUFFIX: Final = ".rows"
_PAUSE_S: Final = 1.0
"""What others write is looked for at most this often, and when an epoch begins."""


@dataclass
class _Frame:
    """The rows of one batch in a file."""

    content: memoryview
    crc: int
    place: str
    batch_class: Any
    text: bytes
    first: int | None = None
    """The number of its first row in the pool, once it is read."""
    is_damaged: bool = False
    starts: list[tuple[RecordKey, int, int]] = field(default_factory=list)


@final
class KeptInFolder(Kept):
    """Rows under ``folder`` that the steps with one key have made."""

    def __init__(self, folder: Path, text: str, max_bytes: float, batch_class: type[EcgBatch]) -> None:
        self._folder = folder
        self._text = text
        self._max_bytes = max_bytes
        self._batch_class = batch_class
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._pool = RowPool()
        self._index: dict[RecordKey, tuple[_Frame, int, int]] = {}
        self._read_to: dict[str, int] = {}
        self._own: Path | None = None
        self._process = os.getpid()
        self._limit = _Limited(self._max_bytes, f"in {self._folder}")
        self._last_look = 0.0
        self._last_epoch: int | None = None
        self._n_bytes = 0

    def __getstate__(self) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in ("_folder", "_text", "_max_bytes", "_batch_class")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin()

    # -- reading --------------------------------------------------------------

    def find(self, keys: Sequence[RecordKey | None], epoch: int) -> tuple[list[Span | None], EcgBatch | None]:
        with self._lock:
            self._look(epoch)
            found = [None if key is None else self._span(key) for key in keys]
            own = [span for span in found if span is not None and span[1] > span[0]]
            return spans_of(found), self._pool.take(own) if own else None

    def _span(self, key: RecordKey) -> Span | None:
        held = self._index.get(key)
        if held is None:
            return None
        frame, start, stop = held
        if frame.first is None and not frame.is_damaged:
            self._open(frame)
        if frame.is_damaged:
            del self._index[key]
            return None
        assert frame.first is not None  # noqa: S101 -- it is open now
        return frame.first + start, frame.first + stop

    def _open(self, frame: _Frame) -> None:
        """Read the rows of a frame whose arrays have their checksum."""
        try:
            rows = _decoded(frame)
        except (CardioFlowError, KeyError, TypeError, ValueError) as error:
            frame.is_damaged = True
            warnings.warn(
                f"cache(): {frame.place} is damaged: {error}. Its records are made anew. Remove the file.", stacklevel=2
            )
            return
        frame.first = self._pool.add(rows) if len(rows) else 0
        frame.text = b""

    def _look(self, epoch: int) -> None:
        """Learn what the files hold that was written since."""
        if epoch == self._last_epoch and time.monotonic() - self._last_look < _PAUSE_S:
            return
        self._last_epoch = epoch
        try:
            entries = [entry for entry in os.scandir(self._folder) if entry.name.endswith(_SUFFIX)]
        except OSError:
            entries = []
        self._n_bytes = 0
        for entry in entries:
            size = entry.stat().st_size
            self._n_bytes += size
            if size > self._read_to.get(entry.path, 0):
                self._read(entry.path, size)
        self._last_look = time.monotonic()

    def _read(self, path: str, size: int) -> None:
        with open(path, "rb") as file:  # noqa: PTH123 -- a map needs the descriptor
            content = memoryview(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ))
        at = self._read_to.get(path, 0)
        for frame, end in _frames(content, at, path, self._batch_class):
            for key, start, stop in frame.starts:
                self._index.setdefault(key, (frame, start, stop))
            frame.starts = []
            at = end
        self._read_to[path] = at

    # -- writing --------------------------------------------------------------

    def add(self, keys: Sequence[RecordKey], counts: Sequence[int], rows: EcgBatch) -> None:
        text, arrays = encode(rows)
        index = json.dumps([[*key, n] for key, n in zip(keys, counts, strict=True)]).encode()
        blocks = [block for array in arrays for block in _padded(array.reshape(-1).view(np.uint8).data)]
        crc, length = 0, 0
        for block in blocks:
            crc, length = zlib.crc32(block, crc), length + len(block)
        head = _HEAD.pack(_MAGIC, len(index), len(text), length, zlib.crc32(index), zlib.crc32(text), crc)
        front = b"".join(_padded(head + index + text))
        with self._lock:
            size = len(front) + length
            if self._limit.has_room(self._n_bytes + size):
                self._append([front, *blocks])
                self._n_bytes += size

    def _append(self, blocks: Sequence[Any]) -> None:
        try:
            if self._own is None or self._process != os.getpid():
                self._own, self._process = self._new_file(), os.getpid()
            with self._own.open("r+b") as file:
                start = file.seek(0, os.SEEK_END)
                try:
                    for block in blocks:
                        file.write(block)
                    file.flush()
                except OSError:
                    file.truncate(start)
                    raise
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise WriteError(
                f"cache(): {str(self._folder)!r} cannot be written: {reason}. Free some space, check its permissions, "
                "or choose another folder."
            ) from error

    def _new_file(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        about = self._folder / "steps.json"
        if not about.exists():
            # For people; nothing reads it.
            about.write_text(self._text, encoding="utf-8")
        path = self._folder / f"{uuid.uuid4().hex}{_SUFFIX}"
        path.open("xb").close()
        return path


def _decoded(frame: _Frame) -> EcgBatch:
    if zlib.crc32(frame.content) != frame.crc:
        raise ValueError("its arrays do not have their checksum")
    return decode(frame.text, frame.content, frame.batch_class)


def _padded(content: Any) -> Iterator[Any]:
    yield content
    rest = -len(content) % _ALIGNED
    if rest:
        yield bytes(rest)


def _frames(content: memoryview, at: int, path: str, batch_class: type[EcgBatch]) -> Iterator[tuple[_Frame, int]]:
    """Yield the whole frames from ``at`` on, each with the place where it ends."""
    while at + _HEAD.size <= len(content):
        magic, n_index, n_text, n_arrays, crc_index, crc_text, crc = _HEAD.unpack_from(content, at)
        text_at = at + _HEAD.size + n_index
        arrays_at = at + -(-(_HEAD.size + n_index + n_text) // _ALIGNED) * _ALIGNED
        end = arrays_at + n_arrays
        if magic != _MAGIC or end > len(content):
            return
        index, text = bytes(content[at + _HEAD.size : text_at]), bytes(content[text_at : text_at + n_text])
        if zlib.crc32(index) != crc_index or zlib.crc32(text) != crc_text:
            return
        frame = _Frame(content[arrays_at:end], crc, f"byte {at} of {path}", batch_class, text)
        start = 0
        for name, digest, n in json.loads(index):
            frame.starts.append((RecordKey(name, digest), start, start + n))
            start += n
        yield frame, end
        at = end
