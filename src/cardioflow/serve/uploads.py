"""The body of a request as files in a folder of its own, within limits of size and time."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from cardioflow.serve._fastapi import ClientDisconnect
from cardioflow.serve.refusal import RefusalError
from cardioflow.serve.sender import Sender

__all__ = ["refuse_long", "safe_name", "save", "unpacked"]

_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_MAX_FILES: Final = 20
_ZIP_ERRORS: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError, ValueError)


def safe_name(given: str) -> str:
    """Return ``given``, the name of a file.

    Raises:
        RefusalError: for a name with folders, or other characters than letters, digits, dots, dashes, underscores.
    """
    if _NAME.fullmatch(given) is None:
        raise RefusalError(
            400, "The file name is not valid. Use up to 100 letters, digits, dots, dashes and underscores, no folders."
        )
    return given


def refuse_long(length: str, most: float) -> None:
    """Refuse a body by the length that its header claims, before it is read.

    Raises:
        RefusalError: when it is larger than ``most`` bytes.
    """
    if length.isdigit() and int(length) > most:
        raise RefusalError(413, f"The file is larger than {most / 1e6:g} MB.")


async def save(chunks: AsyncIterator[bytes], path: Path, *, most: int, sender: Sender) -> None:
    """Write the body of a request to ``path``, chunk by chunk.

    Raises:
        RefusalError: when it is empty, larger than ``most`` bytes, or its sender closes the connection.
        TimeoutError: when the time of ``sender`` is used up.
        Dismissed: when others need the place of ``sender``.
    """
    with path.open("wb") as file:
        while (chunk := await sender.wait_for(_following(chunks))) is not None:
            sender.size += len(chunk)
            if sender.size > most:
                raise RefusalError(413, f"The file is larger than {most / 1e6:g} MB.")
            file.write(chunk)
    if not sender.size:
        raise RefusalError(400, "The request has no body. Send the content of an ECG file as the body.")


async def _following(chunks: AsyncIterator[bytes]) -> bytes | None:
    """Return the next chunk, or ``None`` after the last one."""
    try:
        return await anext(chunks, None)
    except ClientDisconnect:
        raise RefusalError(400, "The connection was closed before the whole file had arrived.") from None


def unpacked(path: Path, folder: Path, *, most: int) -> list[Path]:
    """Return the files of the archive ``path``, written to ``folder``; for any other file, itself.

    A WFDB record is several files, which are sent as one ZIP archive.

    Raises:
        RefusalError: when the archive is damaged, or holds folders, many files, or more than ``most`` bytes.
    """
    if path.suffix.lower() != ".zip":
        return [path]
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > _MAX_FILES:
                raise RefusalError(413, f"The archive holds {len(entries)} files, and at most {_MAX_FILES} are read.")
            if sum(entry.file_size for entry in entries) > most:
                raise RefusalError(413, f"The archive holds more than {most / 1e6:g} MB.")
            found = []
            for entry in entries:
                target = folder / safe_name(entry.filename)
                with archive.open(entry) as source, target.open("wb") as file:
                    # The size that the archive claims need not be true.
                    file.write(source.read(entry.file_size + 1)[: entry.file_size])
                found.append(target)
    except _ZIP_ERRORS as error:
        raise RefusalError(422, f"The archive is damaged: {error}.") from None
    if not found:
        raise RefusalError(422, "The archive is empty.")
    path.unlink()
    headers = [own for own in found if own.suffix.lower() == ".hea"]
    # The header of a WFDB record stands for its signal files.
    return headers or found
