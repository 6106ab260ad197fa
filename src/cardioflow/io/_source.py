"""Bytes of a file, never more than it has: every read is checked against the end first."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from cardioflow.errors import FormatError, MixedRatesError

__all__ = ["Cursor", "naming", "open_plain", "read_whole"]

MOST_BYTES = 1 << 30
"""Larger files of these formats are refused: a day of 12 leads at 1000 Hz in 16 bit is twice as much, and no device
writes that into one of them."""


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put the file's name before the message of a ``FormatError`` raised inside.

    Numbers that overflow inside do so silently: a damaged scale makes samples infinite, which ``make_record`` refuses.
    """
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            yield
    except MixedRatesError as error:
        raise MixedRatesError(f"{path}: {error}", error.rates) from error.__cause__
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from error.__cause__


def open_plain(path: Path) -> BinaryIO:
    """Open a file for reading; a pipe or a device, which might never answer, is refused.

    Raises:
        FormatError: when it is not a regular file.
        OSError: when it cannot be opened.
    """
    file = open(path, "rb", opener=_no_waiting)  # noqa: SIM115 -- Path.open takes no opener; the caller closes
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise FormatError("is not a regular file.")
    return file


def _no_waiting(path: str, flags: int) -> int:
    # Opening a pipe would wait for its other end.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def read_whole(path: Path, *, most: int = MOST_BYTES) -> bytes:
    """Return the bytes of a file.

    Raises:
        FormatError: when it cannot be opened, is empty, or is larger than ``most`` bytes.
    """
    try:
        with open_plain(path) as file:
            # The size first, because read() allocates what it is asked for; one byte more than allowed tells a file
            # that is too large, even if it grows meanwhile.
            size = os.fstat(file.fileno()).st_size
            content = file.read(min(size, most) + 1)
    except FormatError:
        raise
    except (OSError, ValueError) as error:
        raise FormatError(f"cannot be opened: {error}. Check the path and its permissions.") from error
    if len(content) > most:
        raise FormatError(f"is larger than {most} bytes, more than this format is written with.")
    if not content:
        raise FormatError("is empty; expected an ECG. Fetch it again.")
    return content


class Cursor:
    """A place in some bytes; what is read moves it, and reading past the end raises a ``FormatError``."""

    __slots__ = ("at", "content", "order", "what")

    def __init__(self, content: bytes, what: str, order: Literal["<", ">"] = "<") -> None:
        self.content = content
        self.what = what
        """What the bytes are, for messages: ``"section 3"``."""
        self.order = order
        self.at = 0

    @property
    def left(self) -> int:
        """How many bytes follow."""
        return len(self.content) - self.at

    def take(self, n: int) -> bytes:
        """Return the next ``n`` bytes."""
        if n < 0 or n > self.left:
            raise FormatError(f"{self.what} ends at byte {len(self.content)}, but {n} bytes are to follow {self.at}.")
        self.at += n
        return self.content[self.at - n : self.at]

    def u8(self) -> int:
        return self.take(1)[0]

    def u16(self) -> int:
        return int.from_bytes(self.take(2), "little" if self.order == "<" else "big")

    def i16(self) -> int:
        return int.from_bytes(self.take(2), "little" if self.order == "<" else "big", signed=True)

    def u32(self) -> int:
        return int.from_bytes(self.take(4), "little" if self.order == "<" else "big")
