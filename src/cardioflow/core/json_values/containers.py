"""Tuples, sets and dicts whose keys are not text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from cardioflow.core.json_values.form import Form, Misfit, Recurse, each

__all__ = ["CONTAINERS"]


def _items(form: Mapping[str, Any], tag: str) -> list[Any]:
    if not isinstance(form[tag], list):
        raise Misfit(f"holds {form[tag]!r:.40} as {tag!r}; expected a list")
    found: list[Any] = form[tag]
    return found


def _encode_dict(value: Mapping[Any, Any], recurse: Recurse) -> dict[str, Any]:
    pairs = []
    for key, inner in value.items():
        try:
            pairs.append([recurse(key), recurse(inner)])
        except Misfit as misfit:
            misfit.inside(key)
            raise
    return {"$dict": pairs}


def _decode_dict(form: Mapping[str, Any], recurse: Recurse) -> dict[Any, Any]:
    found = {}
    for i, pair in enumerate(_items(form, "$dict")):
        if not isinstance(pair, list) or len(pair) != 2:
            raise Misfit(f"holds {pair!r:.40}; expected a pair of a key and a value").inside(i)
        key = recurse(pair[0])
        try:
            found[key] = recurse(pair[1])
        except Misfit as misfit:
            misfit.inside(key)
            raise
    return found


def _decode_as(tag: str, make: Callable[[list[Any]], Any]) -> Callable[[Mapping[str, Any], Recurse], Any]:
    return lambda form, recurse: make(each(_items(form, tag), recurse))


def _encode_set(tag: str) -> Callable[[Any, Recurse], dict[str, Any]]:
    # Sorted, so that equal sets give equal texts.
    return lambda value, recurse: {tag: each(sorted(value, key=repr), recurse)}


CONTAINERS: Final = (
    Form("$tuple", (tuple,), lambda v, go: {"$tuple": each(v, go)}, _decode_as("$tuple", tuple)),
    Form("$dict", (Mapping,), _encode_dict, _decode_dict),
    Form("$set", (set,), _encode_set("$set"), _decode_as("$set", set)),
    Form("$frozenset", (frozenset,), _encode_set("$frozenset"), _decode_as("$frozenset", frozenset)),
)
