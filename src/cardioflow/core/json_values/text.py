"""JSON text with limits."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, final

from cardioflow.core.limited_json import parse_limited
from cardioflow.errors import FormatError

__all__ = ["Limits", "is_deeper", "parse"]


@final
@dataclass(frozen=True)
class Limits:
    """What a text may hold at most; checked before anything is built from it."""

    characters: int = 1 << 26
    values: int = 20_000_000
    levels: int = 100
    """Lists and objects inside one another."""


def parse(text: str | bytes, limits: Limits) -> Any:
    """Return what the JSON ``text`` holds, its tags not decoded.

    Raises:
        FormatError: when it exceeds ``limits``, or is not JSON.
    """
    if not isinstance(text, str | bytes):
        raise FormatError(f"Expected JSON text, and a value of type {type(text).__name__} was given.")
    if isinstance(text, str):
        if _is_small(text, limits):
            # Not scanned: half the time of reading the many short texts of a packed store.
            return _loaded(text)
        # Half of a surrogate pair may stand in a text.
        text = text.encode("utf-8", "surrogatepass")
    return parse_limited(text, max_bytes=limits.characters, max_values=limits.values, max_depth=limits.levels)


def _is_small(text: str, limits: Limits) -> bool:
    """Return whether a text is too short to exceed a limit, whatever it holds."""
    return (
        len(text) <= min(limits.values, limits.characters // 4) and text.count("[") + text.count("{") <= limits.levels
    )


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise FormatError(f"The text is not JSON: {error}.") from None


def is_deeper(parsed: Any, levels: int) -> bool:
    """Return whether lists and dicts are nested in more than ``levels`` levels; never recurses."""
    nested = [parsed]
    for _ in range(levels + 1):
        nested = [v for v in nested if isinstance(v, list | dict)]
        if not nested:
            return False
        nested = [inner for v in nested for inner in (v if isinstance(v, list) else v.values())]
    return True
