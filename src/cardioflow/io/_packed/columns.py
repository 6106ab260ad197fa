"""Metadata of many records as Arrow columns, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

__all__ = ["constants_of", "decoded", "encoded", "from_json", "same_value", "to_json"]


def constants_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what all ``rows`` have in common: the key is in each, with one value."""
    first = rows[0]
    return {k: v for k, v in first.items() if all(k in row and same_value(row[k], v) for row in rows)}


def same_value(a: Any, b: Any) -> bool:
    """Return whether ``a`` and ``b`` are one value of one type."""
    # NaN is not equal to itself, and would else be written once per record.
    return type(a) is type(b) and (a == b or (isinstance(a, float) and a != a and b != b))  # noqa: PLR0124


def encoded(values: list[Any]) -> tuple[pa.Array, str]:
    """Return ``values`` as an Arrow column of their own type, or as JSON text, and which of them it is."""
    kinds = {type(v) for v in values if v is not None}
    if kinds <= {bool} or kinds <= {int} or kinds <= {float} or kinds <= {str}:
        return pa.array(values), "plain"
    if kinds <= {datetime} and all(v is None or v.tzinfo is None for v in values):
        return pa.array(values, pa.timestamp("us")), "plain"
    return pa.array([to_json(v) for v in values], pa.string()), "json"


def decoded(column: pa.Array, kind: str) -> list[Any]:
    """Return the values of a column that ``encoded`` made."""
    values: list[Any] = column.to_pylist()
    return [_cached(v) for v in values] if kind == "json" else values


def to_json(value: Any) -> str:
    """Return ``value`` as JSON; tuples, times and NumPy's numbers are marked or turned into Python's."""
    return json.dumps(_plain(value), separators=(",", ":"))


def from_json(text: str) -> Any:
    """Return the value that ``to_json`` wrote."""
    return _python(json.loads(text))


# Most records have the same few comments and baselines; what is shared is read-only in the batch.
_cached = lru_cache(maxsize=65536)(from_json)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return {"$tuple": [_plain(v) for v in value]}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, datetime):
        return {"$datetime": value.isoformat()}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {"$dict": [[k, _plain(v)] for k, v in value.items()]}
    return value


def _python(value: Any) -> Any:
    match value:
        case {"$tuple": items}:
            return tuple(_python(v) for v in items)
        case {"$datetime": text}:
            return datetime.fromisoformat(text)
        case {"$dict": items}:
            return {k: _python(v) for k, v in items}
        case list():
            return [_python(v) for v in value]
    return value
