"""The sources and options of converted files, so that a resumed conversion skips only files that it wrote itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from cardioflow.errors import WriteError

__all__ = ["Conversions"]

_FILE: Final = ".cardioflow-convert.jsonl"
_MOST_BYTES: Final = 1 << 28


class Conversions:
    """The log of a folder: for each result, its source and the options with which it was made.

    The file has a line of JSON per result, ``[name, key]``. The last line of a
    result counts, and a truncated line is ignored. The key is a hash of the source's
    path and all options, so the file reveals neither.
    """

    def __init__(self, folder: Path, how: Mapping[str, Any]) -> None:
        self._path = folder / _FILE
        self._how = json.dumps(how, sort_keys=True, default=str)
        self._keys = _read(self._path)

    def made(self, name: str, source: Path) -> bool:
        """Return whether the result ``name`` was made from ``source`` with the same options."""
        return self._keys.get(name) == self._key(source)

    def begin(self, results: Mapping[str, Path], *, there: Iterable[str]) -> None:
        """Log the results that are about to be written; existing ones (``there``) are marked as unknown until then.

        A new result can be logged before it is written, because it appears complete or not at all.

        Raises:
            WriteError: if the log cannot be written.
        """
        replaced = set(there)
        self._add({name: "" if name in replaced else self._key(source) for name, source in results.items()})

    def end(self, results: Mapping[str, Path]) -> None:
        """Log the results that have been written.

        Raises:
            WriteError: if the log cannot be written.
        """
        keys = {name: self._key(source) for name, source in results.items()}
        self._add({name: key for name, key in keys.items() if self._keys.get(name) != key})

    def _key(self, source: Path) -> str:
        text = f"{source.resolve()}\0{self._how}"
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()

    def _add(self, keys: Mapping[str, str]) -> None:
        if not keys:
            return
        self._keys.update(keys)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="ascii") as file:
                # A truncated line must not swallow the next one.
                file.write("\n" + "".join(f"{json.dumps([name, key])}\n" for name, key in keys.items()))
        except OSError as error:
            raise WriteError(
                f"{self._path} cannot be written: {error.strerror}. Check the permissions of the folder, or choose "
                "another one."
            ) from error


def _read(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    try:
        if path.stat().st_size > _MOST_BYTES:
            return found
        lines = path.read_bytes().splitlines()
    except OSError:
        return found
    for line in lines:
        try:
            name, key = json.loads(line)
        except (ValueError, TypeError, RecursionError):
            continue
        if isinstance(name, str) and isinstance(key, str):
            found[name] = key
    return found
