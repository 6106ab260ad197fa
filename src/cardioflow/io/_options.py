"""Options of reading: those that every format takes, and those of one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import fields
from numbers import Real
from typing import Any, Final

from cardioflow.errors import InputError, nearest
from cardioflow.io.base import Format, ReadRequest
from cardioflow.registry import formats

__all__ = ["check_options", "reader_for", "request_for"]

_EVERY: Final = tuple(f.name for f in fields(ReadRequest) if f.name != "components")


def check_options(fmt: str | None, names: Iterable[str]) -> None:
    """Check that options called ``names`` can be given with the format ``fmt``, or with none.

    Raises:
        InputError: when one cannot, with the formats that take it, or the name that was perhaps meant.
        UnknownNameError: when there is no such format.
    """
    allowed = (*_EVERY, *(() if fmt is None else formats.get(fmt).options()))
    for name in names:
        if name in allowed:
            continue
        takers = [taker for taker in formats.names() if name in formats.get(taker).options()]
        remedy = nearest(name, (*allowed, "components", "fmt", "src"))
        if takers:
            remedy = f"It is an option of {', '.join(takers)}; name the format: load(fmt={takers[0]!r}, {name}=…)."
        raise InputError(f"load() takes no {name!r} for fmt={fmt!r}. {remedy}")


def request_for(components: Iterable[str], options: Mapping[str, Any]) -> ReadRequest:
    """Return what is asked of the reader, of any format."""
    return ReadRequest(frozenset(components), **{name: value for name, value in options.items() if name in _EVERY})


def reader_for(fmt: str, options: Mapping[str, Any]) -> Format:
    """Return the reader of a format, made with those of ``options`` that are its own.

    Raises:
        InputError: when a sampling rate is given that is not a number above 0.
    """
    fs = options.get("fs")
    if fs is not None and not (isinstance(fs, Real) and not isinstance(fs, bool) and 0 < float(fs) < math.inf):
        raise InputError(f"load(fs={fs!r}): expected a sampling rate in Hz, a number above 0, such as 500.")
    reader: Format = formats.get(fmt)(**{name: value for name, value in options.items() if name not in _EVERY})
    return reader
