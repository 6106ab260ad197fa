"""Recognising the format of a file: every format looks at its first bytes."""

from __future__ import annotations

from pathlib import Path

from cardioflow.errors import FormatError
from cardioflow.io._source import open_plain
from cardioflow.io.base import Format
from cardioflow.registry import formats

__all__ = ["recognise"]

_HEAD = 4096


def recognise(path: Path) -> str:
    """Return the name of the format that a file's first 4096 bytes are of.

    Where several formats claim them the suffix decides. A WFDB record may also be given by its name, or by a signal
    file, neither of which says anything: the header beside it does.

    Raises:
        FormatError: when no format claims the file, or several do and the suffix does not tell them apart.
    """
    if str(path).startswith("simulated:"):
        return "simulated"
    readers: dict[str, type[Format]] = {name: formats.get(name) for name in formats.names()}
    head = _head(path)
    if head is None:
        if _has_header(path, readers):
            return "wfdb"
        raise FormatError(f"{path} does not exist or cannot be opened. Check the path and its permissions.")
    claims = [name for name, reader in readers.items() if reader.recognises(head)]
    if len(claims) > 1:
        claims = [name for name in claims if path.suffix.lower() in readers[name].suffixes] or claims
    if len(claims) == 1:
        return claims[0]
    if not claims and path.suffix.lower() in readers["wfdb"].suffixes and _has_header(path.with_suffix(""), readers):
        return "wfdb"
    known = ", ".join(readers)
    if not claims:
        raise FormatError(f"{path} is not recognised as one of the known formats: {known}. Pass fmt= if it is.")
    raise FormatError(f"{path} could be {' or '.join(claims)}, and its suffix is neither's. Pass one as fmt=.")


def _head(path: Path) -> bytes | None:
    try:
        with open_plain(path) as file:
            return file.read(_HEAD)
    except (OSError, ValueError, FormatError):
        return None


def _has_header(record: Path, readers: dict[str, type[Format]]) -> bool:
    head = _head(record.with_name(f"{record.name}.hea")) if record.name else None
    return head is not None and readers["wfdb"].recognises(head)
