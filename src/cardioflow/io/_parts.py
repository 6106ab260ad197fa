"""The files that a record is made of, without reading its samples."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, final

__all__ = ["RecordParts"]

_MOST_HEADER_BYTES: Final = 1 << 20


@final
class RecordParts:
    """Finds the files of records: those of the same name in its folder, and those that a WFDB header lists.

    More files may be named than are read, and never fewer: a reader opens the
    record's own file, files beside it of the same name (``A01.hea``,
    ``A01.dat``, ``A01.atr``), and files of its folder that its header lists.
    """

    def __init__(self) -> None:
        self._folders: dict[str, tuple[int, dict[str, list[str]]]] = {}
        self._checked: set[str] = set()
        self._headers: dict[str, tuple[tuple[int, int], list[str]]] = {}

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Look at each folder at most once inside the block; files that are added meanwhile may be missed."""
        self._checked = set()
        yield
        self._checked = set()

    def of(self, path: str) -> list[str]:
        """Return the files of the record at ``path``.

        Raises:
            OSError: when there is no such folder or header.
        """
        folder, name = _folder_and_name(path)
        beside = self._beside(folder or ".")
        # A record of several files may be named without a suffix.
        stem = name.rpartition(".")[0] if name in beside.get(name, ()) else name
        found = beside.get(stem) or beside.get(name) or []
        files = [_inside(folder, own) for own in found]
        listed: list[str] = []
        for file in files:
            if file.lower().endswith(".hea"):
                listed += self._listed(file, folder, beside, {file})
        return sorted({*files, *listed}) or [path]

    def folder_changed(self, path: str) -> int:
        """Return when the folder of ``path`` last changed, in ns since 1970.

        Raises:
            OSError: when there is no such folder.
        """
        folder, _ = _folder_and_name(path)
        self._beside(folder or ".")
        return self._folders[folder or "."][0]

    def _beside(self, folder: str) -> dict[str, list[str]]:
        """Return the names in ``folder`` by what stands before each of their dots, and by themselves."""
        known = self._folders.get(folder)
        if known is not None and folder in self._checked:
            return known[1]
        changed = os.stat(folder).st_mtime_ns  # noqa: PTH116 -- once per batch
        self._checked.add(folder)
        if known is None or known[0] != changed:
            names: dict[str, list[str]] = {}
            for name in sorted(os.listdir(folder)):  # noqa: PTH208 -- the same
                end = name.find(".", 1)
                while end > 0:
                    names.setdefault(name[:end], []).append(name)
                    end = name.find(".", end + 1)
                names.setdefault(name, []).append(name)
            known = changed, names
            self._folders[folder] = known
        return known[1]

    def _listed(self, header: str, folder: str, beside: dict[str, list[str]], seen: set[str]) -> list[str]:
        """Return the files that a WFDB header and the headers of its segments list."""
        status = os.stat(header)  # noqa: PTH116 -- for every record
        print_ = status.st_size, status.st_mtime_ns
        known = self._headers.get(header)
        if known is None or known[0] != print_:
            known = print_, _first_words(header)
            self._headers[header] = known
        found: list[str] = []
        for word in known[1]:
            for name in (word, f"{word}.hea"):
                file = _inside(folder, name)
                if name not in beside.get(name, ()) or file in seen:
                    continue
                seen.add(file)
                found.append(file)
                if name.lower().endswith(".hea"):
                    found += self._listed(file, folder, beside, seen)
        return found


def _first_words(header: str) -> list[str]:
    with open(header, encoding="latin-1") as file:  # noqa: PTH123 -- for every record
        lines = file.read(_MOST_HEADER_BYTES).splitlines()
    return list(dict.fromkeys(line.split()[0].partition("/")[0] for line in lines if line.strip() and line[0] != "#"))


def _folder_and_name(path: str) -> tuple[str, str]:
    if os.sep != "/":
        return os.path.split(path)
    folder, slash, name = path.rpartition("/")
    # The folder of /A01.hea is the root, and not the working directory.
    return folder or slash, name


def _inside(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder not in ("", "/") else f"{folder}{name}"
