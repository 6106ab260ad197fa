"""The texts of the report, all from one file."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, final

from cardioflow.errors import InputError

__all__ = ["Texts"]


@final
class Texts:
    """The texts of a language: ``texts("page.title", name="A00001")``."""

    def __init__(self, tables: Mapping[str, Mapping[str, str]]) -> None:
        self._tables = tables

    @classmethod
    def english(cls) -> Texts:
        """Return the English texts."""
        return _english()

    @classmethod
    def read(cls, path: Path) -> Texts:
        """Return the texts of a translated file.

        Raises:
            InputError: when it cannot be read, lacks a text or has one too many, or a text has other braces.
        """
        try:
            tables = tomllib.loads(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise InputError(f"The texts {str(path)!r} cannot be read: {_reason(error)}.") from error
        _check(str(path), tables, _english()._tables)
        return cls(tables)

    def __call__(self, key: str, **values: Any) -> str:
        table, _, name = key.partition(".")
        text = self._tables[table][name]
        return text.format(**values) if values else text

    def reason(self, text: str) -> str:
        """Return a reason of the analysis in this language, or as it is."""
        return self._tables["reasons"].get(text, text)

    def names(self) -> Mapping[str, str]:
        """Return the names of the measurements."""
        return self._tables["names"]


@lru_cache(maxsize=1)
def _english() -> Texts:
    return Texts(tomllib.loads((files("cardioflow.report.page") / "en.toml").read_text("utf-8")))


def _check(path: str, given: Mapping[str, Any], wanted: Mapping[str, Mapping[str, str]]) -> None:
    for table, texts in wanted.items():
        own = given.get(table)
        if not isinstance(own, Mapping):
            raise InputError(f"The texts {path!r} have no table [{table}]. Copy en.toml and translate its values.")
        missing = [name for name in texts if not isinstance(own.get(name), str)]
        if missing:
            raise InputError(f"The texts {path!r} lack {table}.{missing[0]}. Copy en.toml and translate its values.")
        for name, text in own.items():
            if table != "reasons" and name not in texts:
                raise InputError(f"The texts {path!r} have {table}.{name}, which the report does not use. Remove it.")
            if table != "reasons" and not _fields(path, name, text) <= _fields(path, name, texts[name]):
                raise InputError(f"The texts {path!r} have other braces in {table}.{name} than {texts[name]!r}.")


def _fields(path: str, name: str, text: str) -> set[str]:
    try:
        found = {field: spec or "" for _, field, spec, _ in string.Formatter().parse(text) if field is not None}
    except ValueError as error:
        raise InputError(f"The texts {path!r} have braces in {name} that do not match: {error}") from error
    for field, spec in found.items():
        if not _fits(spec):
            raise InputError(f"The texts {path!r} have the format {spec!r} of {field!r} in {name}, which no value has.")
    return set(found)


def _fits(spec: str) -> bool:
    """Return whether a text or a number can be written by ``spec``; one that cannot would stop a report midway."""
    for value in ("", 0.0, 0):
        try:
            format(value, spec)
        except ValueError:
            continue
        return True
    return False


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
