"""Recognising the format of a file: every format looks at its first bytes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from cardioflow.errors import FormatError
from cardioflow.io._compressed_names import inner_name, is_compressed
from cardioflow.io._source import open_plain
from cardioflow.io.base import Format
from cardioflow.registry import formats

__all__ = ["recognise"]

_HEAD = 4096
_LONG_HEAD = 1 << 20
_MOST_COMPARED = 1000
_DICOM_STARTS = (b"DICM", b"\x02\0\0\0", b"\x08\0\0\0", b"\x08\0\x05\0", b"\x08\0\x08\0", b"\x08\0\x16\0")


def recognise(path: Path) -> str:
    """Return the name of the format that a file's first 4096 bytes are of.

    Where several formats claim them the suffix decides. Of a single file that is compressed, it is the format of what
    is in it. A WFDB record may also be given by its name, or by a signal
    file, neither of which says anything: the header beside it does.

    Raises:
        FormatError: when no format claims the file, or several do and the suffix does not tell them apart.
    """
    if str(path).startswith("simulated:"):
        return "simulated"
    head = _head(path)
    # No other format has headers of that name, and importing all readers takes half a second.
    alone = head is not None and path.suffix.lower() == ".hea" and formats.get("wfdb").recognises(head)
    names = ("wfdb",) if alone else formats.names()
    readers: dict[str, type[Format]] = {name: formats.get(name) for name in names}
    if head is None:
        if _has_header(path, readers):
            return "wfdb"
        raise FormatError(f"{path} does not exist or cannot be opened. {_beside(path)}")
    own = _owner(head, path, readers)
    if own is not None:
        return own
    claims = _claims(head, path, readers)
    if claims == ["mat"] and not head.startswith(b"MATLAB") and _has_header(path.with_suffix(""), readers):
        # A signal file of CinC is a matrix of MATLAB's level 4 too; its header says more.
        return "wfdb"
    if len(claims) == 1:
        return claims[0]
    if not claims:
        return _by_more(path, head, readers)
    raise FormatError(f"{path} could be {' or '.join(claims)}, and its suffix is neither's. Pass one as fmt=.")


def _owner(head: bytes, path: Path, readers: Mapping[str, type[Format]]) -> str | None:
    """Return the only format of the suffix of ``path`` that claims a file: whatever others say, the suffix decides.

    ``None`` where a look at the other formats, or at other files, is needed.
    """
    suffix = path.suffix.lower()
    names = [name for name, reader in readers.items() if suffix in reader.suffixes and reader.recognises(head)]
    return names[0] if len(names) == 1 and (names == ["wfdb"]) == (suffix == ".hea") and names != ["mat"] else None


def _claims(head: bytes, path: Path, readers: Mapping[str, type[Format]]) -> list[str]:
    claims = [name for name, reader in readers.items() if reader.recognises(head)]
    if "wfdb" in claims and path.suffix.lower() != ".hea":
        # A header is read under its own suffix alone.
        claims.remove("wfdb")
    if len(claims) > 1:
        claims = [name for name in claims if path.suffix.lower() in readers[name].suffixes] or claims
    return claims


def _by_more(path: Path, head: bytes, readers: dict[str, type[Format]]) -> str:
    """Return the format of a file whose first 4096 bytes no format claims.

    Raises:
        FormatError: when nothing else about it tells either.
    """
    suffix = path.suffix.lower()
    if suffix in readers["wfdb"].suffixes and _has_header(path.with_suffix(""), readers):
        return "wfdb"
    if not head:
        raise FormatError(f"{path} is empty: it has 0 bytes. Copy it from its source again.")
    if suffix == ".hea" and _is_header(path):
        return "wfdb"
    if suffix in readers["dicom"].suffixes[:2] and head.startswith(_DICOM_STARTS):
        # Without its preamble; the reader says so.
        return "dicom"
    if len(head) == _HEAD and head.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")[:1] == b"<":
        # The root of an XML file may stand behind a long comment.
        claims = _claims(_head(path, _LONG_HEAD) or b"", path, readers)
        if len(claims) == 1:
            return claims[0]
    inside = _inside(path) if is_compressed(path) else None
    if inside is not None:
        claims = [name for name in _claims(inside, inner_name(path), readers) if name != "wfdb"]
        if len(claims) == 1:
            return claims[0]
    raise FormatError(f"{path} is not recognised as one of the known formats: {', '.join(readers)}. {_hint(path)}")


def _inside(path: Path) -> bytes | None:
    from cardioflow.io._compressed import inner_head  # it imports all kinds of compression

    return inner_head(path, _HEAD)


def _hint(path: Path) -> str:
    """Return what may help with a file that is not recognised."""
    suffix = path.suffix.lower()
    if suffix == ".dat":
        return f"A WFDB signal file needs its header, {path.stem}.hea, beside it: fetch it, or pass fmt=."
    if is_compressed(path):
        if inner_name(path).suffix.lower() == ".hea":
            return "The header of a WFDB record names other files: unpack the record."
        return "A compressed file is read where one ECG is in it: unpack it, or pass fmt= if it is."
    return "Pass fmt= if it is."


def _is_header(path: Path) -> bool:
    """Return whether the WFDB reader understands a header, however it looks."""
    from cardioflow.io._wfdb.header import parse  # among the last things tried

    raw = _head(path, _LONG_HEAD)
    try:
        header = parse(raw or b"", str(path))
    except FormatError:
        return False
    return bool(header.signals or header.segments)


def _head(path: Path, n: int = _HEAD) -> bytes | None:
    try:
        with open_plain(path) as file:
            return file.read(n)
    except (OSError, ValueError, FormatError):
        return None


def _has_header(record: Path, readers: dict[str, type[Format]]) -> bool:
    head = _head(record.with_name(f"{record.name}.hea")) if record.name else None
    return head is not None and readers["wfdb"].recognises(head)


def _beside(path: Path) -> str:
    """Return what to do about a path that cannot be opened: the names that are meant, if any is near."""
    try:
        with os.scandir(path.parent) as entries:
            there = [] if os.path.lexists(path) else [entry.name for entry in islice(entries, _MOST_COMPARED)]
    except (OSError, ValueError):
        there = []
    folded = {name.casefold(): name for name in there}
    asked = path.name.casefold().strip()
    close = [folded[name] for name in ([asked] if asked in folded else get_close_matches(asked, folded, 3, 0.75))]
    if not close:
        return "Check the path and its permissions."
    return f"Did you mean {' or '.join(repr(name) for name in sorted(close))}, which lies beside it?"
