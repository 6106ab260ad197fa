"""What our own tables and arrays carry beside the samples: metadata and marks as JSON."""

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


def without_person(meta: Mapping[str, Any], *, identify: bool) -> dict[str, Any]:
    """Return ``meta`` without what identifies a person, unless that is asked for; comments that do are left out."""
    if identify:
        return dict(meta)
    told = {key: value for key, value in meta.items() if key not in _IDENTIFYING}
    comments = told.get("comments")
    if isinstance(comments, tuple | list):
        told["comments"] = tuple(text for text in comments if not names_person(str(text)))
    return told


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
    """Return marks as lists."""
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


def marks_from(told: Mapping[str, Any] | None) -> Annotation:
    """Return the marks that ``marks_to`` wrote.

    Raises:
        FormatError: when the columns are no marks, or of different length.
    """
    if not told:
        return Annotation()
    try:
        numbers = {key: np.array(told.get(key, ()), np.int64) for key in ("sample", "channel", "num", "subtype")}
        # Files of before it was kept have none.
        lasting = np.array(told.get("duration_s", np.zeros(numbers["sample"].size)), np.float64)
        sure = np.array(told.get("confidence", np.full(lasting.size, np.nan)), np.float64)
        symbol = np.array([str(v) for v in told.get("symbol", ())], dtype=np.str_)
        notes = tuple(str(v) for v in told.get("aux_note", ()))
    except (TypeError, ValueError, OverflowError) as error:
        raise FormatError(f"carries marks that are none: {error}.") from error
    lengths = {v.size for v in numbers.values()} | {symbol.size, len(notes), lasting.size, sure.size}
    if len(lengths) > 1 or any(v.ndim != 1 for v in (*numbers.values(), lasting, sure)):
        raise FormatError(f"carries marks whose columns have lengths {sorted(lengths)}; expected one.")
    return Annotation(symbol=symbol, aux_note=notes, duration_s=lasting, confidence=sure, **numbers)
