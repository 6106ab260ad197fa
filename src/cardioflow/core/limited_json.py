"""JSON from untrusted files: size, depth and number of values are checked before parsing."""

from __future__ import annotations

import json
import re
from typing import Any

from cardioflow.errors import FormatError

__all__ = ["parse_limited"]

_STRINGS_OR_MARKS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{},]', re.DOTALL)
"""Possessive, and the closing quote is optional: it never backtracks, so it takes linear time."""


def parse_limited(data: bytes, *, max_bytes: int, max_values: int, max_depth: int) -> Any:
    """Return the value of the JSON text ``data``.

    A parser allocates up to forty bytes for each byte of a text such as ``[[],[],…``,
    and its recursion is limited only by the interpreter's stack.

    Raises:
        FormatError: if a limit is exceeded, or the text is not JSON.
    """
    if len(data) > max_bytes:
        raise FormatError(f"The text has {len(data)} bytes, and at most {max_bytes} are read.")
    depth = deepest = values = 0
    for found in _STRINGS_OR_MARKS.finditer(data):
        mark = found.group()
        if mark in (b"[", b"{"):
            depth += 1
            deepest = max(deepest, depth)
            values += 1
        elif mark in (b"]", b"}"):
            depth -= 1
        elif mark == b",":
            values += 1
        if deepest > max_depth:
            raise FormatError(f"The text nests values more than {max_depth} levels deep.")
        if values > max_values:
            raise FormatError(f"The text holds more than {max_values} values.")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"The text is not JSON: {error}.") from None
