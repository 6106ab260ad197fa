"""Records of plain layout read in few calls for all of them: headers, then samples, then the checks of samples."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ragged import Ragged
from cardioflow.core.buffers import empty
from cardioflow.io._codecs import read_files
from cardioflow.io._codecs.read_files import AVAILABLE, MOST_BYTES, Layouts, read_and_scale
from cardioflow.io._codecs.unpack import BLOCKS
from cardioflow.io._wfdb.chosen import chosen
from cardioflow.io._wfdb.header import Header, Kind
from cardioflow.io._wfdb.known_headers import KNOWN
from cardioflow.io._wfdb.layout import Choice, SignalFile, signal_files
from cardioflow.io.base import Derive, ReadRequest

__all__ = ["Together", "read_heads", "read_together"]

_FORMATS: Final = (16, 212)
_SLOT: Final = 2048
"""Longer headers are read one by one; those of 12 leads have about 700 bytes."""
_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_LINKS: Final[int] = getattr(os, "O_NOFOLLOW", 0)
_VERDICTS: Final[dict[int, bool | None]] = {-1: None, 0: False, 1: True}
_NOT_NAMES: Final = frozenset(("", "-", "~", ".", ".."))


@dataclass(frozen=True, eq=False, slots=True)
class Together:
    """Records that were read together."""

    headers: list[Header]
    choices: list[Choice]
    signal: Ragged
    """Of shape (lead, time), in the units of the choices."""
    verdicts: list[bool | None]
    """Whether the checksums of a record agree; ``None`` where it has none."""


class _Layout(NamedTuple):
    """What is read of a record, and where it lies in its file."""

    choice: Choice
    file: SignalFile
    most_frames: int
    """With how many frames the samples of all signals take ``MOST_BYTES``."""


def read_together(paths: Sequence[str], request: ReadRequest) -> Together | None:
    """Return the whole records at ``paths``, all of them, or ``None`` where one asks for more than the common layout.

    That is: one signal file beside the header, in format 16 or 212, of up to 1 MiB, with one sample per frame and no
    skew, no lead to compute, and nothing wrong. The caller then reads one by one, which reads all that can be read and
    tells what is wrong.

    Raises:
        FormatError: when a header is damaged; the caller reads one by one then, too.
    """
    if not AVAILABLE or not paths or request.damaged == "read" or request.strict:
        return None
    if request.start_s or request.stop_s is not None:
        return None
    heads = read_heads(paths)
    if heads is None:
        return None
    headers = [KNOWN.parsed(raw, path) for path, raw in heads]
    layouts: list[_Layout] = []
    files: list[str] = []
    for (path, _), header in zip(heads, headers, strict=True):
        layout = _layout(header, request)
        if layout is None:
            return None
        layouts.append(layout)
        files.append(path[: path.rfind("/") + 1] + header.signals[0].file)
    names = _packed(files)
    return None if names is None else _decoded(headers, layouts, names)


def read_heads(paths: Sequence[str]) -> list[tuple[str, bytes]] | None:
    """Return path and content of each header; ``None`` where the first path that ``read_header`` tries is not it."""
    if not AVAILABLE or not paths:
        return None
    headers = [path if path[-4:].lower() == ".hea" else _beside(path) for path in paths]
    names = _packed(headers)
    if names is None:
        return None
    content, sizes = read_files.read_heads(names, _FLAGS, _SLOT, len(paths))
    found = sizes.tolist()
    if min(found) < 0 or max(found) >= _SLOT:
        return None
    begins = range(0, content.size, _SLOT)
    return [(path, content[at : at + n].tobytes()) for path, at, n in zip(headers, begins, found, strict=True)]


def _beside(path: str) -> str:
    """Return the path of the header beside a file, or of the record of that name."""
    dot = path.rfind(".")
    return f"{path[:dot] if dot > path.rfind('/') + 1 else path}.hea"


def _packed(paths: Sequence[str]) -> NDArray[np.uint8] | None:
    """Return the bytes of all paths, each with a zero byte at its end; ``None`` where a path has one of its own."""
    names = os.fsencode("\0".join([*paths, ""]))
    return np.frombuffer(names, np.uint8) if names.count(0) == len(paths) else None


def _layout(header: Header, request: ReadRequest) -> _Layout | None:
    signals, n = header.signals, header.n_frames
    if header.segments or not signals or n is None:
        return None
    file = signals[0].file
    if "/" in file or "\\" in file or ":" in file or file in _NOT_NAMES:
        return None
    if len(signals) > 1 and any(signal.file != file for signal in signals):
        return None
    layout = _layout_of(tuple([signal.kind for signal in signals]), request.channels, request.derive)
    return None if layout is None or n > layout.most_frames else layout


@lru_cache(maxsize=1024)
def _layout_of(kinds: tuple[Kind, ...], channels: tuple[str | int, ...] | None, derive: Derive) -> _Layout | None:
    _, choice = chosen(kinds, channels, derive)
    if choice is None or choice.rates != (1,):
        return None
    (file,) = signal_files(kinds, (0,) * len(kinds), choice.numbers)
    # A record of one file has its leads in the order that was asked for.
    in_order = file.rows == tuple(range(len(choice.numbers)))
    if file.fmt not in _FORMATS or file.skew or file.offset > MOST_BYTES or not in_order:
        return None
    per_block, block = BLOCKS[file.fmt]
    return _Layout(choice, file, MOST_BYTES // block * per_block // file.width)


def _decoded(headers: list[Header], layouts: list[_Layout], names: NDArray[np.uint8]) -> Together | None:
    number: dict[SignalFile, int] = {}
    kind_of = np.array([number.setdefault(file, len(number)) for _, file, _ in layouts], np.int64)
    table = _table(tuple(number))
    n_frames = np.array([header.n_frames for header in headers], np.int64)
    shapes = np.stack((table.kinds[kind_of, 3], n_frames), axis=1)
    out = empty(int(shapes.prod(axis=1).sum()), np.float32)
    checksums = np.array(
        [
            -1 if (known := header.signals[i].checksum) is None else known & 0xFFFF
            for header, (choice, _, _) in zip(headers, layouts, strict=True)
            for i in choice.numbers
        ],
        np.int64,
    )
    verdicts = read_and_scale(names, _FLAGS | _NO_LINKS, table, kind_of, n_frames, checksums, out)
    if verdicts is None:
        return None
    agree = [_VERDICTS[number] for number in verdicts.tolist()]
    return Together(headers, [choice for choice, _, _ in layouts], Ragged(out, shapes), agree)


@lru_cache(maxsize=256)
def _table(files: tuple[SignalFile, ...]) -> Layouts:
    kinds: list[tuple[int, ...]] = []
    first = 0
    for file in files:
        n_leads = len(file.rows)
        kinds.append((file.fmt, file.width, file.offset, n_leads, first, file.known.narrow is not None))
        first += n_leads
    return Layouts(
        np.array(kinds, np.int64),
        np.concatenate([file.places for file in files]),
        np.concatenate([file.known.baselines for file in files]),
        np.concatenate([file.known.divisors for file in files]),
    )
