"""What a folder of converted files was made of, so that a conversion that goes on takes only its own files for done."""

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
    """The record of a folder: for each result, of which source and how it was made.

    A line of JSON per result, ``[name, key]``; of several lines the last counts,
    and a line that was cut off is passed over. The key is a hash of the source's
    path and of all options, so nothing of either stands in the file.
    """

    def __init__(self, folder: Path, how: Mapping[str, Any]) -> None:
        self._path = folder / _FILE
        self._how = json.dumps(how, sort_keys=True, default=str)
        self._keys = _read(self._path)

    def made(self, name: str, source: Path) -> bool:
        """Return whether the result ``name`` was made of ``source`` with the same options."""
        return self._keys.get(name) == self._key(source)

    def begin(self, results: Mapping[str, Path], *, there: Iterable[str]) -> None:
        """Note what is going to be written; of results that are ``there``, first that it is not known how.

        A new result is noted before it is written, because it appears whole or not at all.

        Raises:
            WriteError: when the note cannot be written.
        """
        replaced = set(there)
        self._add({name: "" if name in replaced else self._key(source) for name, source in results.items()})

    def end(self, results: Mapping[str, Path]) -> None:
        """Note what has been written.

        Raises:
            WriteError: when the note cannot be written.
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
                # A line that was cut off must not swallow the next one.
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
