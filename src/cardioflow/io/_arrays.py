"""NumPy arrays out of untrusted bytes: sizes checked before anything is allocated, no pickle."""

from __future__ import annotations

import io
import math
import tokenize
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from cardioflow.errors import FormatError

__all__ = ["array_of", "as_leads", "text_of"]


# What NumPy's parser of the header, which is a Python literal, was seen to raise on damaged ones.
_UNREADABLE = (
    *(ValueError, TypeError, KeyError, EOFError, SyntaxError),
    *(RecursionError, MemoryError, OverflowError, tokenize.TokenError),
)


def array_of(raw: bytes, what: str) -> NDArray[Any]:
    """Return the array that the bytes of a ``.npy`` file hold.

    Raises:
        FormatError: when they are not such a file, hold Python objects, or are fewer than the shape needs.
    """
    stream = io.BytesIO(raw)
    try:
        version = npy.read_magic(stream)
        header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, kind = header(stream)
    except _UNREADABLE as error:
        raise FormatError(f"holds {what} that is not a NumPy array: {error}") from error
    if kind.hasobject or kind.itemsize == 0:
        raise FormatError(f"holds {what} as {kind}; only numbers and texts are read, never Python objects.")
    need = math.prod(shape) * kind.itemsize
    left = len(raw) - stream.tell()
    if any(n < 0 for n in shape) or need > left:
        raise FormatError(f"is truncated: {what} of shape {shape} needs {need} bytes, but {left} follow.")
    flat = np.frombuffer(raw, kind, math.prod(shape), offset=stream.tell())
    try:
        return flat.reshape(shape, order="F" if fortran else "C")
    except ValueError as error:
        raise FormatError(f"holds {what} with the impossible shape {shape}: {error}.") from error


def as_leads(array: NDArray[Any], what: str, n_leads: int | None = None) -> NDArray[Any]:
    """Return real numbers as (lead, time): one axis is one lead, of two the one of ``n_leads`` is the leads.

    Without ``n_leads``, or where both axes or neither are as long, it is the shorter one.

    Raises:
        FormatError: when they are neither.
    """
    if array.dtype.kind not in "fiub" or array.ndim not in {1, 2}:
        raise FormatError(
            f"holds {what} of shape {array.shape} and type {array.dtype}; expected real numbers of shape (lead, time)."
        )
    if array.ndim == 1:
        return array[None]
    if n_leads is not None and (array.shape[0] == n_leads) != (array.shape[1] == n_leads):
        return array if array.shape[0] == n_leads else array.T
    return array.T if array.shape[0] > array.shape[1] else array


def text_of(array: NDArray[Any], what: str) -> str:
    """Return the text of an array that holds one."""
    if array.size != 1 or array.dtype.kind not in "US":
        raise FormatError(f"holds {what} of shape {array.shape} and type {array.dtype}; expected one text.")
    try:
        value = array.reshape(-1)[0]
        return value.decode() if isinstance(value, bytes) else str(value)
    except (UnicodeDecodeError, ValueError) as error:
        raise FormatError(f"holds {what} that is not text: {error}.") from error
