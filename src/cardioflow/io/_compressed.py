"""Single files that were compressed, ``a.edf.gz``: read through, within the growth that any file is allowed."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

from cardioflow.errors import FormatError
from cardioflow.io._compressed_names import inner_name
from cardioflow.io._limits import MOST_GROWTH, most_bytes
from cardioflow.io._source import MOST_BYTES, open_plain

__all__ = ["inner_head", "unpacked"]

_PIECE: Final = 1 << 20
_XZ_MEMORY: Final = 1 << 27
"""The dictionary of xz -9 takes 64 MiB."""
_BROKEN: Final = (OSError, EOFError, ValueError, RuntimeError, NotImplementedError, zlib.error, lzma.LZMAError)


def inner_head(path: Path, n: int) -> bytes | None:
    """Return the first ``n`` bytes of the file in a compressed one; ``None`` when there is none."""
    try:
        with open_plain(path) as file:
            return b"".join(_up_to(_pieces(file, path, n), n))[:n]
    except (FormatError, zipfile.BadZipFile, *_BROKEN):
        return None


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Give the file in a compressed one, under a temporary path that ends in its own name.

    Raises:
        FormatError: when it cannot be unpacked, would grow to more than 20 times its size and 4 MiB or to more than
            1 GiB, or is an archive of several files.
    """
    with tempfile.TemporaryDirectory(prefix="cardioflow-") as folder:
        inner = Path(folder) / inner_name(path).name
        try:
            with open_plain(path) as file, inner.open("wb") as out:
                for piece in _bounded(_pieces(file, path, _PIECE), min(most_bytes(path.stat().st_size), MOST_BYTES)):
                    out.write(piece)
        except FormatError as error:
            raise FormatError(f"{path}: {error}") from error.__cause__
        except (zipfile.BadZipFile, *_BROKEN) as error:
            raise FormatError(f"{path} cannot be unpacked: {error}. Fetch it again.") from error
        yield inner


def _bounded(pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > most:
            raise FormatError(
                f"would unpack to more than {most} bytes: at most {MOST_GROWTH} times its size and 4 MiB are read. "
                "Unpack it yourself if you trust it."
            )
        yield piece


def _up_to(pieces: Iterator[bytes], n: int) -> Iterator[bytes]:
    for piece in pieces:
        yield piece
        n -= len(piece)
        if n <= 0:
            return


def _pieces(file: BinaryIO, path: Path, size: int) -> Iterator[bytes]:
    """Yield what is in a compressed file, at most ``size`` bytes at a time."""
    suffix = path.suffix.lower()
    if suffix == ".xz":
        yield from _xz_pieces(file, size)
    elif suffix == ".zip":
        with zipfile.ZipFile(file) as archive, archive.open(_only_member(archive)) as stream:
            while piece := stream.read(size):
                yield piece
    else:
        with gzip.GzipFile(fileobj=file) if suffix == ".gz" else bz2.BZ2File(file) as opened:
            while piece := opened.read(size):
                yield piece


def _xz_pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    unpacker = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
    while not unpacker.eof:
        raw = file.read(_PIECE) if unpacker.needs_input else b""
        if unpacker.needs_input and not raw:
            raise EOFError("it ends too early")
        yield unpacker.decompress(raw, size)


def _only_member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = [member for member in archive.infolist() if not member.is_dir() and not _is_hidden(member.filename)]
    if len(members) != 1:
        raise FormatError(
            f"is an archive of {len(members)} files; one is read through. Unpack it, and give the folder."
        )
    return members[0]


def _is_hidden(name: str) -> bool:
    """Return whether a member is one that an operating system adds (``__MACOSX/._a.edf``)."""
    return any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts)
