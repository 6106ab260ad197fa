"""What our own tables and arrays hold besides the samples: metadata and annotations as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.annotation import Annotation
from cardioflow.core.json_values import Form, JsonCodec, Limits, Recurse, parse
from cardioflow.errors import FormatError, InputError
from cardioflow.io._person import names_person

__all__ = ["from_json", "marks_from", "marks_to", "to_json", "without_person"]

_IDENTIFYING: Final = frozenset(
    {"name", "patient_id", "birth_date", "patient", "recording", "institution", "physician", "operator", "accession"}
)
_LIMITS: Final = Limits()
_LONGEST_SYMBOL: Final = 64


def without_person(meta: Mapping[str, Any], *, identify: bool) -> dict[str, Any]:
    """Return a copy of ``meta``; unless ``identify``, without the entries and comments that identify a person."""
    if identify:
        return dict(meta)
    kept = {key: value for key, value in meta.items() if key not in _IDENTIFYING}
    comments = kept.get("comments")
    if isinstance(comments, tuple | list):
        kept["comments"] = tuple(text for text in comments if not names_person(str(text)))
    return kept


def _time(form: Mapping[str, Any], recurse: Recurse) -> Any:
    if not isinstance(form["datetime"], str):
        return {"datetime": recurse(form["datetime"])}
    try:
        return datetime.fromisoformat(form["datetime"])
    except ValueError:
        return None


# How times were written before the codec had a tag for them.
_CODEC: Final = JsonCodec([Form("datetime", (), lambda value, _: value, _time)], plain=True)


def to_json(meta: Mapping[str, Any]) -> str:
    """Return ``meta`` as JSON that other programs read easily; values that have no JSON form are left out."""
    found = {}
    for key, value in meta.items():
        try:
            found[str(key)] = _CODEC.encode(value)
        except InputError:
            continue
    return json.dumps(found, allow_nan=False)


def from_json(text: str | bytes) -> dict[str, Any]:
    """Return what ``to_json`` wrote; lists become tuples.

    Raises:
        FormatError: when it is not a JSON object.
    """
    try:
        return _object(parse(text, _LIMITS))
    except FormatError as error:
        raise FormatError(f"holds metadata that cannot be read: {error}") from error


def _object(found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise FormatError(f"Expected a JSON object, and the text holds a value of type {type(found).__name__}.")
    return {key: _CODEC.decode(value, key) for key, value in found.items()}


def marks_to(marks: Annotation) -> dict[str, Any]:
    """Return the columns of an annotation as lists, which ``to_json`` takes."""
    return {
        "sample": marks.sample.tolist(),
        "symbol": marks.symbol.tolist(),
        "aux_note": list(marks.aux_note),
        "channel": marks.channel.tolist(),
        "num": marks.num.tolist(),
        "subtype": marks.subtype.tolist(),
        "duration_s": marks.duration_s.tolist(),
        **({} if np.isnan(marks.confidence).all() else {"confidence": _nan_as_none(marks.confidence)}),
    }


def _nan_as_none(values: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(v) else v for v in values.tolist()]


def marks_from(columns: Mapping[str, Any] | None) -> Annotation:
    """Return the annotation that ``marks_to`` wrote.

    Raises:
        FormatError: when a column does not hold its type, or the columns differ in length.
    """
    if not columns:
        return Annotation()
    try:
        numbers = {key: np.array(columns.get(key, ()), np.int64) for key in ("sample", "channel", "num", "subtype")}
        # Files written before these columns existed do not have them.
        lasting = np.array(columns.get("duration_s", np.zeros(numbers["sample"].size)), np.float64)
        sure = np.array(columns.get("confidence", np.full(lasting.size, np.nan)), np.float64)
        symbols = [str(v) for v in columns.get("symbol", ())]
        notes = tuple(str(v) for v in columns.get("aux_note", ()))
    except (TypeError, ValueError, OverflowError) as error:
        raise FormatError(f"holds annotations that cannot be read: {error}.") from error
    # NumPy pads every text of an array to the longest one.
    if any(len(symbol) > _LONGEST_SYMBOL for symbol in symbols):
        raise FormatError(f"holds a symbol of more than {_LONGEST_SYMBOL} characters among its annotations.")
    lengths = {v.size for v in numbers.values()} | {len(symbols), len(notes), lasting.size, sure.size}
    if len(lengths) > 1 or any(v.ndim != 1 for v in (*numbers.values(), lasting, sure)):
        raise FormatError(f"holds annotations whose columns have the lengths {sorted(lengths)}; expected one length.")
    symbol = np.array(symbols, dtype=np.str_)
    return Annotation(symbol=symbol, aux_note=notes, duration_s=lasting, confidence=sure, **numbers)
