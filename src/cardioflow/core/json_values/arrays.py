"""Arrays and NumPy's scalars as JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.json_values.form import Form, Misfit, Recurse
from cardioflow.core.json_values.scalars import NAMED_FLOATS, name_of_float

__all__ = ["ARRAYS"]

_DTYPE: Final = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248]|c8|c16|U\d{0,9})")
"""Types of which every value takes as many bytes as its text, or a few more."""
_GROWTH: Final = 64
"""Bytes of an array of texts per character of its values, at most: NumPy pads each one to the longest."""
_LARGEST_DIMENSION: Final = 1 << 40


def _encode_array(value: NDArray[Any], _: Recurse) -> dict[str, Any]:
    return {"$array": _flat(value), "dtype": value.dtype.str, "shape": list(value.shape)}


def _encode_scalar(value: np.generic, _: Recurse) -> dict[str, Any]:
    flat = _flat(np.asarray(value))
    return {"$scalar": flat if len(flat) > 1 else flat[0], "dtype": value.dtype.str}


def _flat(array: NDArray[Any]) -> list[Any]:
    if not _DTYPE.fullmatch(array.dtype.str):
        raise Misfit(f"holds values of the dtype {array.dtype}, which has no JSON form")
    if array.dtype.kind == "c":
        array = np.stack([array.real, array.imag], axis=-1)
    flat: list[Any] = array.reshape(-1).tolist()
    return [name_of_float(v) for v in flat] if array.dtype.kind == "f" else flat


def _decode_array(form: Mapping[str, Any], _: Recurse) -> NDArray[Any]:
    dtype = _dtype(form["dtype"])
    shape = form.get("shape")
    if shape is None:
        # Version 1 of pipelines: nested lists.
        return _from_nested(form["$array"], dtype)
    if not isinstance(shape, list) or not all(type(n) is int and 0 <= n <= _LARGEST_DIMENSION for n in shape):
        raise Misfit(f"has the shape {_short(shape)}; expected a list of whole numbers")
    flat = _values(form["$array"], dtype)
    if prod(shape) != flat.size:
        raise Misfit(f"has {flat.size} values for the shape {_short(shape)}")
    return flat.reshape(shape)


def _decode_scalar(form: Mapping[str, Any], _: Recurse) -> Any:
    dtype = _dtype(form["dtype"])
    given = form["$scalar"]
    values = _values(given if dtype.kind == "c" else [given], dtype)
    if values.size != 1:
        raise Misfit(f"holds {values.size} values; expected one")
    return values[0]


def _dtype(name: Any) -> np.dtype[Any]:
    if not isinstance(name, str) or not _DTYPE.fullmatch(name):
        raise Misfit(f"has the dtype {_short(name)}; expected one of bool, integers, floats, complex numbers or text")
    return np.dtype(name)


def _values(flat: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the flat list ``flat`` as an array whose size follows from the list and not from ``dtype``."""
    if not isinstance(flat, list):
        raise Misfit(f"holds {_short(flat)}; expected a list of values")
    if dtype.kind == "c":
        parts = _values(flat, np.dtype(np.float64))
        if parts.size % 2:
            raise Misfit(f"holds {parts.size} numbers; expected pairs of a real and an imaginary part")
        # Not a sum, which makes NaN of an infinite part and loses the sign of zero.
        return parts.view(np.complex128).astype(dtype)
    allowed: tuple[type, ...] = {"b": (bool,), "i": (int,), "u": (int,), "U": (str,)}.get(dtype.kind, (float, int))
    if dtype.kind == "f":
        flat = [NAMED_FLOATS.get(v, v) if isinstance(v, str) else v for v in flat]
    for i, value in enumerate(flat):
        if type(value) not in allowed:
            raise Misfit(f"holds {_short(value)}; expected a value of the dtype {dtype}").inside(i)
    return np.array(flat, _padded(flat, dtype) if dtype.kind == "U" else dtype)


def _padded(texts: Sequence[str], dtype: np.dtype[Any]) -> np.dtype[Any]:
    longest = max(map(len, texts), default=0)
    most = _GROWTH * (sum(map(len, texts)) + len(texts)) + 1024
    for width in (dtype.itemsize // 4, longest):
        if width >= longest and 4 * width * len(texts) <= most:
            return np.dtype(f"{dtype.str[0]}U{max(width, 1)}")
    raise Misfit(f"pads {len(texts)} texts to {longest} characters each, which is far more than they hold")


def _from_nested(values: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    shape, flat = [], [values]
    while flat and all(isinstance(v, list) for v in flat):
        lengths = {len(v) for v in flat}
        if len(lengths) > 1:
            raise Misfit(
                f"holds lists of the lengths {sorted(lengths)[:5]}; expected the same number of values in each"
            )
        shape.append(lengths.pop())
        flat = [inner for v in flat for inner in v]
    return _values(flat, dtype).reshape(shape)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


ARRAYS: Final = (
    Form("$array", (np.ndarray,), _encode_array, _decode_array, members=("dtype",), optional=("shape",)),
    Form("$scalar", (np.generic,), _encode_scalar, _decode_scalar, members=("dtype",)),
)
