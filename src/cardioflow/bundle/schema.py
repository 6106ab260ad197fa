"""Entries of a bundle's description: read from JSON with their types, and refused by name."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any

from cardioflow.errors import DumpError, nearest

__all__ = ["check", "entries", "is_count", "is_name", "is_number", "is_share", "is_text", "is_texts", "optional"]

Rule = tuple[Callable[[Any], bool], str]
"""Whether a value is right, and what was expected."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_MAX_TEXT = 20_000
_MAX_TEXTS = 1000


def entries(cls: Any, raw: Any, where: str, makers: Mapping[str, Callable[[Any, str], Any]] | None = None) -> Any:
    """Return ``cls(**raw)``, with lists as tuples, and nested entries made by ``makers``.

    Args:
        cls: A dataclass with keyword-only fields.
        raw: The value that the JSON text has at ``where``.
        where: The place in the text, such as ``"members[0]"``; empty for the whole.
        makers: For fields that are objects themselves, what makes them of their value and their place.

    Raises:
        DumpError: when ``raw`` is not an object, lacks an entry, or has one that is not known.
    """
    if not isinstance(raw, dict):
        raise DumpError(f"Entry {where!r} is {_short(raw)}; expected an object.")
    known = {f.name: f for f in fields(cls)}
    for name in raw:
        if name not in known:
            raise DumpError(f"Entry {_place(where, name)!r} is not known. {nearest(name, known)}")
    for name, field in known.items():
        if name not in raw and field.default is MISSING and field.default_factory is MISSING:
            raise DumpError(f"Entry {_place(where, name)!r} is missing.")
    given = {}
    for name, value in raw.items():
        maker = (makers or {}).get(name)
        given[name] = _as_tuples(value) if maker is None or value is None else maker(value, _place(where, name))
    try:
        return cls(**given)
    except DumpError as error:
        text = str(error)
        raise DumpError(text.replace("Entry '", f"Entry '{where}.", 1) if where else text) from None


def check(owner: Any, rules: Mapping[str, Rule]) -> None:
    """Check the fields of ``owner``.

    Raises:
        DumpError: naming the first entry that is not as expected.
    """
    for name, (is_right, expected) in rules.items():
        value = getattr(owner, name)
        if not is_right(value):
            raise DumpError(f"Entry {name!r} is {_short(value)}; expected {expected}.")


def is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _MAX_TEXT


def is_name(value: Any) -> bool:
    """Return whether ``value`` is a name of letters, digits, dots, dashes and underscores."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def is_texts(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) <= _MAX_TEXTS and all(map(is_text, value))


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def is_share(value: Any) -> bool:
    return is_number(value) and 0 <= value <= 1


def is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def optional(rule: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Return a rule that takes ``None`` as well."""
    return lambda value: value is None or rule(value)


def _place(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _as_tuples(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(_as_tuples, value))
    if isinstance(value, dict):
        return {name: _as_tuples(own) for name, own in value.items()}
    return value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"a {type(value).__name__} of {len(text)} characters"
