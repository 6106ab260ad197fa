"""The files of a bundle: a folder or one zip file, whose contents are held against checksums before they are used."""

from __future__ import annotations

import hashlib
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cardioflow.core.atomic import whole_file, whole_folder
from cardioflow.errors import DumpError, WriteError

__all__ = ["CHECKSUMS", "DESCRIPTION", "is_package", "read_package", "write_package"]

DESCRIPTION: Final = "bundle.json"
CHECKSUMS: Final = "SHA256SUMS"
"""In the form of ``sha256sum``, so that ``sha256sum --check SHA256SUMS`` works in the folder."""

_MAX_FILES: Final = 200
_MAX_BYTES: Final = 2**30
_LINE: Final = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9][A-Za-z0-9_.-]{0,63})")
_ZIP_ERRORS: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError, ValueError)
_REMEDY: Final = "Copy the bundle again from where it came."


def is_package(path: Path) -> bool:
    """Return whether ``path`` is a folder or a zip file with the description of a bundle."""
    if path.is_dir():
        return (path / DESCRIPTION).is_file()
    try:
        with zipfile.ZipFile(path) as archive:
            return DESCRIPTION in archive.namelist()
    except _ZIP_ERRORS:
        return False


def read_package(path: Path) -> dict[str, bytes]:
    """Return the files of the bundle at ``path`` by name, after a check of each against its checksum.

    Raises:
        DumpError: when a file is missing, was altered, or is not listed.
    """
    found = _read_folder(path) if path.is_dir() else _read_zip(path)
    if CHECKSUMS not in found:
        raise DumpError(f"The bundle {str(path)!r} is incomplete: it has no {CHECKSUMS}. {_REMEDY}")
    listed = _listed(path, found.pop(CHECKSUMS))
    for name, digest in listed.items():
        if name not in found:
            raise DumpError(f"The bundle {str(path)!r} is incomplete: its file {name!r} is missing. {_REMEDY}")
        if hashlib.sha256(found[name]).hexdigest() != digest:
            raise DumpError(
                f"The bundle {str(path)!r} was altered: its file {name!r} does not have the checksum in {CHECKSUMS}. "
                f"{_REMEDY}"
            )
    extra = sorted(found.keys() - listed.keys())
    if extra:
        raise DumpError(
            f"The bundle {str(path)!r} was altered: {CHECKSUMS} does not list its file {extra[0]!r}. "
            "Remove the file, or copy the bundle again from where it came."
        )
    return found


def write_package(path: Path, files: Mapping[str, bytes]) -> None:
    """Write ``files`` and their checksums to ``path``, completely or not at all.

    A path that ends in ``.zip`` or ``.cardioflow`` becomes one file, any other a folder. The same files give the same
    bytes.

    Raises:
        DumpError: for a name that a bundle's file cannot have.
        WriteError: when ``path`` cannot be written, or is a folder that is not empty.
    """
    for name in files:
        if _LINE.fullmatch(f"{'0' * 64}  {name}") is None or name == CHECKSUMS:
            raise DumpError(
                f"{name!r} is not a name for a bundle's file. Use letters, digits, dots, dashes and underscores, and "
                "no folders."
            )
    whole = {**files, CHECKSUMS: checksums(files)}
    if path.suffix in (".zip", ".cardioflow"):
        with whole_file(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
            for name in sorted(whole):
                archive.writestr(zipfile.ZipInfo(name), whole[name])
        return
    if path.is_dir() and any(path.iterdir()):
        raise WriteError(
            f"The bundle cannot be written to {str(path)!r}: the folder is not empty. Remove it, or choose another one."
        )
    with whole_folder(path) as folder:
        for name, content in whole.items():
            (folder / name).write_bytes(content)


def checksums(files: Mapping[str, bytes]) -> bytes:
    """Return the text of ``SHA256SUMS``."""
    lines = (f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return "".join(lines).encode("ascii")


def _listed(path: Path, text: bytes) -> dict[str, str]:
    """Return the checksum of each file by name."""
    lines = [_LINE.fullmatch(line) for line in text.decode("ascii", "replace").split("\n")[:-1]]
    names = [line[2] for line in lines if line is not None]
    if not text.endswith(b"\n") or len(names) < len(lines) or DESCRIPTION not in names or names != sorted(set(names)):
        raise DumpError(f"The bundle {str(path)!r} was altered: its {CHECKSUMS} is not as it was written. {_REMEDY}")
    return {line[2]: line[1] for line in lines if line is not None}


def _read_folder(path: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    size = 0
    for own in sorted(path.iterdir()):
        if own.name.startswith("."):
            continue  # what file managers and editors leave behind
        if own.is_symlink() or not own.is_file():
            raise DumpError(
                f"The bundle {str(path)!r} has {own.name!r}, which is a folder or a link; a bundle has plain files. "
                "Remove it, or copy the bundle again from where it came."
            )
        size += own.stat().st_size
        _refuse_large(path, len(found) + 1, size)
        try:
            found[own.name] = own.read_bytes()
        except OSError as error:
            raise DumpError(f"The file {own.name!r} of the bundle {str(path)!r} cannot be read: {error}.") from error
    return found


def _read_zip(path: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            claimed, size = sum(info.file_size for info in infos), path.stat().st_size
            # Bundles are stored, not compressed: content larger than the file is a trap.
            if claimed > size:
                raise DumpError(f"{str(path)!r} claims {claimed} bytes of content in a file of {size}. {_REMEDY}")
            _refuse_large(path, len(infos), claimed)
            names = [info.filename for info in infos]
            if len(set(names)) < len(names):
                raise DumpError(f"The bundle {str(path)!r} has two files of one name. {_REMEDY}")
            return {name: archive.read(name) for name in names}
    except _ZIP_ERRORS as error:
        raise DumpError(f"The bundle {str(path)!r} is damaged: {error}. {_REMEDY}") from error


def _refuse_large(path: Path, n_files: int, size: int) -> None:
    if n_files > _MAX_FILES or size > _MAX_BYTES:
        raise DumpError(
            f"The bundle {str(path)!r} has {n_files} files of {size} bytes together; at most {_MAX_FILES} files and "
            f"{_MAX_BYTES} bytes are read."
        )
