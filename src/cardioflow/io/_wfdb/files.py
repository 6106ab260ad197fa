"""Opening the files that a header names, and none outside its folder."""

from __future__ import annotations

import os
from typing import Final

from cardioflow.errors import FormatError

__all__ = ["contained", "open_contained", "read_exactly", "read_header", "total_size"]

# A pipe would make open() wait for ever, a link might lead out of the folder; both flags are POSIX only.
_NO_LINKS: Final[int] = getattr(os, "O_NOFOLLOW", 0)
_FLAGS: Final[int] = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_LARGEST_HEADER: Final = 1 << 24
_FIRST_READ: Final = 1 << 16


def read_header(record: str) -> tuple[str, bytes]:
    """Return the path and the bytes of the header of ``record``, given with or without a file's ending."""
    stem, suffix = os.path.splitext(record)  # noqa: PTH122 -- a Path per record costs more than reading it
    tried = [record] if suffix.lower() == ".hea" else [f"{stem}.hea", f"{record}.hea"] if suffix else [f"{record}.hea"]
    for path in tried:
        try:
            descriptor = os.open(path, _FLAGS)
        except (OSError, ValueError):
            continue
        try:
            raw = os.read(descriptor, _FIRST_READ)
            while len(raw) >= _FIRST_READ:
                more = os.read(descriptor, 1 << 20)
                raw += more
                if not more:
                    break
                if len(raw) > _LARGEST_HEADER:
                    raise FormatError(f"{path} is larger than 16 MiB, which no WFDB header is.")
        except OSError as error:
            raise FormatError(f"{path} cannot be read: {error.strerror}.") from error
        finally:
            os.close(descriptor)
        return path, raw
    raise FormatError(
        f"There is no header {tried[0]!r} for record {record!r}. "
        "A WFDB record is a .hea file and the signal files that it names; give the path of one of them."
    )


def contained(name: str, header: str) -> str:
    """Return the path of the file ``name`` that the header at ``header`` names, if it lies in the header's folder.

    Sub-folders are allowed: PTB-XL+ names ``ge_median_beats_wfdb/00001_medians.dat``.

    Raises:
        FormatError: when the name is absolute, climbs out, or is not the name of a file.
    """
    folder = os.path.dirname(header)  # noqa: PTH120 -- as above
    plain = "/" not in name and "\\" not in name and ":" not in name
    if not plain:
        parts = name.replace("\\", "/").split("/")
        plain = ":" not in name and all(part not in {"", ".", ".."} for part in parts)
        name = "/".join(parts)
    if not plain or name in {"", "-", "~", ".", ".."} or "\0" in name:
        raise FormatError(
            f"{header} names the file {name!r}, which is not in its folder. "
            "A header may name files beside it or in folders below; this one is damaged or hostile."
        )
    return os.path.join(folder, name)  # noqa: PTH118 -- as above


def open_contained(name: str, header: str) -> tuple[int, str]:
    """Open the file ``name`` that ``header`` names, and return its descriptor and path; links may not lead out."""
    path = contained(name, header)
    if ("/" in name or "\\" in name) and not os.path.lexists(path):
        name = _beside(name, header)
        path = contained(name, header)
    try:
        if "/" in name or "\\" in name or not _NO_LINKS:
            return os.open(_resolved(path, header), _FLAGS), path
        try:
            return os.open(path, _FLAGS | _NO_LINKS), path
        except OSError:
            if not os.path.islink(path):  # noqa: PTH114 -- as above
                raise
            return os.open(_resolved(path, header), _FLAGS), path
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FormatError(f"{path}, a file of {header}, cannot be opened: {reason}. {_remedy(path)}") from error


def _remedy(path: str) -> str:
    """Return what to do about a file that cannot be opened: perhaps its name only has other capitals."""
    try:
        there = os.listdir(os.path.dirname(path) or ".")  # noqa: PTH120, PTH208 -- as above
    except OSError:
        there = []
    last = os.path.basename(path)  # noqa: PTH119 -- as above
    near = [name for name in there if name.lower() == last.lower() and name != last]
    if near:
        return f"There is {near[0]!r}: rename it to {last!r}, as the header has it."
    packed = [name for name in there if name.startswith(f"{last}.")]
    if packed:
        return f"There is {packed[0]!r}: unpack it."
    return "Put the file beside its header, or fetch the record again."


def _beside(name: str, header: str) -> str:
    """Return the name of a file that a header names from the data set's root (PTB-XL+), as it is beside the header.

    Only where the folders in the name are those that the header is in, or the file is named like the header;
    otherwise ``name``.
    """
    folders, _, last = name.replace("\\", "/").rpartition("/")
    here = os.path.abspath(os.path.dirname(header) or ".").replace(os.sep, "/")  # noqa: PTH100, PTH120 -- as above
    own = os.path.splitext(os.path.basename(header))[0]  # noqa: PTH119, PTH122 -- as above
    return last if f"{here}/".endswith(f"/{folders}/") or os.path.splitext(last)[0] == own else name  # noqa: PTH122


def _resolved(path: str, header: str) -> str:
    """Return ``path`` without links, if it stays in the header's folder or in that of the header's own target."""
    target = os.path.realpath(path)
    for folder in (os.path.dirname(header) or ".", os.path.dirname(os.path.realpath(header))):  # noqa: PTH120 -- as above
        if target.startswith(os.path.join(os.path.realpath(folder), "")):  # noqa: PTH118 -- as above
            return target
    raise FormatError(
        f"{path} is a link that leads to {target}, outside the folder of {header}. "
        "Copy the file there if it is meant to be read."
    )


def read_exactly(descriptor: int, offset: int, n: int) -> bytes:
    """Return up to ``n`` bytes from ``offset`` on; the caller has checked that the file is that long."""
    if not offset and n < _FIRST_READ:
        return os.read(descriptor, n)
    if offset:
        os.lseek(descriptor, offset, os.SEEK_SET)
    parts = []
    while n > 0:
        # Linux hands over at most 2 GiB a call.
        part = os.read(descriptor, min(n, 1 << 30))
        if not part:
            break
        parts.append(part)
        n -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def total_size(names: list[str], header: str) -> int:
    """Return the bytes of the files that ``header`` names, each counted once; those that are missing count 0."""
    size = 0
    for name in set(names) - {"~"}:
        try:
            size += os.stat(contained(name, header)).st_size  # noqa: PTH116 -- as above
        except OSError:
            continue
    return size
