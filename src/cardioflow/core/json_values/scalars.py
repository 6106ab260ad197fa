"""Floats that JSON cannot write, and other single values."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path, PurePath
from typing import Any, Final

from cardioflow.core.json_values.form import Form, Misfit, Recurse

__all__ = ["NAMED_FLOATS", "SCALARS", "name_of_float"]

NAMED_FLOATS: Final = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def name_of_float(value: float) -> float | str:
    """Return ``value`` if it is finite, else its name."""
    if math.isfinite(value):
        return value
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


def _encode_float(value: float, _: Recurse) -> dict[str, Any]:
    return {"$float": name_of_float(value)}


def _decode_float(form: Mapping[str, Any], _: Recurse) -> float:
    name = form["$float"]
    if not isinstance(name, str) or name not in NAMED_FLOATS:
        raise Misfit(f"holds the float {name!r:.40}; expected 'nan', 'inf' or '-inf'")
    return NAMED_FLOATS[name]


def _encode_complex(value: complex, _: Recurse) -> dict[str, Any]:
    return {"$complex": [name_of_float(value.real), name_of_float(value.imag)]}


def _decode_complex(form: Mapping[str, Any], _: Recurse) -> complex:
    real, imaginary = map(_number, form["$complex"])
    return complex(real, imaginary)


def _number(value: Any) -> float:
    if isinstance(value, str):
        return _decode_float({"$float": value}, _number)
    if type(value) not in (int, float):
        raise Misfit(f"holds {value!r:.40}; expected a number")
    return float(value)


def _decode_slice(form: Mapping[str, Any], recurse: Recurse) -> slice:
    start, stop, step = map(recurse, form["$slice"])
    return slice(start, stop, step)


def _text(tag: str, read: Callable[[str], Any]) -> Callable[[Mapping[str, Any], Recurse], Any]:
    def decode(form: Mapping[str, Any], _: Recurse) -> Any:
        if not isinstance(form[tag], str):
            raise Misfit(f"holds {form[tag]!r:.40} as {tag!r}; expected text")
        return read(form[tag])

    return decode


SCALARS: Final = (
    Form("$float", (float,), _encode_float, _decode_float),
    Form("$complex", (complex,), _encode_complex, _decode_complex),
    Form("$slice", (slice,), lambda v, go: {"$slice": [go(v.start), go(v.stop), go(v.step)]}, _decode_slice),
    Form(
        "$bytes",
        (bytes,),
        lambda v, _: {"$bytes": base64.b64encode(v).decode()},
        _text("$bytes", lambda text: base64.b64decode(text, validate=True)),
    ),
    Form("$path", (PurePath,), lambda v, _: {"$path": str(v)}, _text("$path", Path)),
    # A datetime is a date too, and comes first.
    Form(
        "$datetime",
        (datetime,),
        lambda v, _: {"$datetime": v.isoformat()},
        _text("$datetime", datetime.fromisoformat),
    ),
    Form("$date", (date,), lambda v, _: {"$date": v.isoformat()}, _text("$date", date.fromisoformat)),
)
