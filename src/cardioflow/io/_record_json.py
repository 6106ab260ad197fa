"""What our own tables and arrays carry beside the samples: metadata and marks as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.annotation import Annotation
from cardioflow.errors import FormatError
from cardioflow.io._person import names_person

__all__ = ["from_json", "marks_from", "marks_to", "to_json", "without_person"]

_IDENTIFYING: Final = frozenset(
    {"name", "patient_id", "birth_date", "patient", "recording", "institution", "physician", "operator", "accession"}
)
_LARGEST: Final = 1 << 26


def without_person(meta: Mapping[str, Any], *, identify: bool) -> dict[str, Any]:
    """Return ``meta`` without what identifies a person, unless that is asked for; comments that do are left out."""
    if identify:
        return dict(meta)
    told = {key: value for key, value in meta.items() if key not in _IDENTIFYING}
    comments = told.get("comments")
    if isinstance(comments, tuple | list):
        told["comments"] = tuple(text for text in comments if not names_person(str(text)))
    return told


def to_json(told: Mapping[str, Any]) -> str:
    """Return ``told`` as JSON; what JSON has no word for is left out."""
    return json.dumps({k: v for k, v in ((k, _plain(v)) for k, v in told.items()) if v is not _NOTHING})


_NOTHING: Final = object()


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, Mapping):
        return {str(k): v for k, v in ((k, _plain(v)) for k, v in value.items()) if v is not _NOTHING}
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple | frozenset | set):
        parts = [_plain(v) for v in value]
        return _NOTHING if any(part is _NOTHING for part in parts) else parts
    return _NOTHING


def from_json(text: str | bytes) -> dict[str, Any]:
    """Return what ``to_json`` wrote; lists become tuples.

    Raises:
        FormatError: when it is no JSON object.
    """
    if len(text) > _LARGEST:
        raise FormatError(f"carries {len(text)} characters of metadata; expected at most {_LARGEST}.")
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"carries metadata that is no JSON: {error}.") from error
    if not isinstance(told, dict):
        raise FormatError("carries metadata that is no JSON object.")
    return {key: _rich(value) for key, value in told.items()}


def _rich(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_rich(v) for v in value)
    if isinstance(value, dict):
        if set(value) == {"datetime"} and isinstance(value["datetime"], str):
            try:
                return datetime.fromisoformat(value["datetime"])
            except ValueError:
                return None
        return {key: _rich(v) for key, v in value.items()}
    return value


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
