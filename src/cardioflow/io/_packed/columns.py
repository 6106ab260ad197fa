"""Metadata of many records as Arrow columns, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import pyarrow as pa

from cardioflow.core.equality import same
from cardioflow.core.json_values import JsonCodec

__all__ = ["constants_of", "decoded", "encoded", "from_json", "to_json"]


def constants_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what all ``rows`` have in common: the key is in each, with one value."""
    first = rows[0]
    return {k: v for k, v in first.items() if all(k in row and same(row[k], v) for row in rows)}


def encoded(values: list[Any], name: str = "") -> tuple[pa.Array, str]:
    """Return ``values`` as an Arrow column of their own type, or as JSON text, and which of the two it is.

    Raises:
        InputError: when a value has no JSON form; the message calls the column ``name``.
    """
    kinds = {type(v) for v in values if v is not None}
    if kinds <= {bool} or kinds <= {int} or kinds <= {float} or kinds <= {str}:
        return pa.array(values), "plain"
    if kinds <= {datetime} and all(v is None or v.tzinfo is None for v in values):
        return pa.array(values, pa.timestamp("us")), "plain"
    return pa.array([to_json(v, name) for v in values], pa.string()), "json"


def decoded(column: pa.Array, kind: str) -> list[Any]:
    """Return the values of a column that ``encoded`` made."""
    values: list[Any] = column.to_pylist()
    return [_cached(v) for v in values] if kind == "json" else values


def to_json(value: Any, name: str = "") -> str:
    """Return ``value`` as JSON that gives it back with its type; ``name`` is for messages.

    Raises:
        InputError: when it has no JSON form.
    """
    return _CODEC.to_text(value, name)


def from_json(text: str) -> Any:
    """Return the value that ``to_json`` wrote.

    Raises:
        FormatError: when the text is not one of ``to_json``.
    """
    return _CODEC.from_text(text)


_CODEC: Final = JsonCodec()
# Most records have the same few comments and baselines; what is shared is read-only in the batch.
_cached = lru_cache(maxsize=65536)(from_json)
