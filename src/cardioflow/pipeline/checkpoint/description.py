"""Values as text that is the same in every process, to tell whether two calls are the same."""

from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np

from cardioflow.pipeline.part import PipelinePart

__all__ = ["describe", "digest"]

_MOST = 200
"""Characters of a value that are shown; the rest counts by its checksum."""


def describe(value: Any) -> str:
    """Return ``value`` as text: equal values give equal text, in every process.

    Long values and arrays are shortened to a checksum; functions are described
    by their names and their code, other objects by their class and, where they
    are dataclasses, their fields. What two objects of one class hold besides
    that is not compared.
    """
    text = _described(value)
    return text if len(text) <= _MOST else f"{text[:_MOST]}… ({digest(text)})"


def digest(text: str) -> str:
    """Return a checksum of ``text``, of 16 hexadecimal digits."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _described(value: Any) -> str:  # noqa: PLR0911 -- one per kind of value
    if isinstance(value, np.ndarray):
        is_object = value.dtype.kind == "O"
        content = _described(value.tolist()).encode("utf-8", "surrogatepass") if is_object else value.tobytes()
        return f"<array {value.dtype} {value.shape} {hashlib.blake2b(content, digest_size=8).hexdigest()}>"
    if value is None or isinstance(value, bool | int | float | complex | str | bytes | range | np.generic):
        return repr(value)
    if isinstance(value, Path):
        return repr(str(value))
    if isinstance(value, list | tuple):
        inside = ", ".join(map(_described, value))
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(map(_described, value)))}}}"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_described(k)}: {_described(v)}' for k, v in value.items())}}}"
    if isinstance(value, slice):
        return f"slice({_described(value.start)}, {_described(value.stop)}, {_described(value.step)})"
    if isinstance(value, functools.partial):
        return f"partial({_described(value.func)}, {_described(value.args)}, {_described(value.keywords)})"
    return _of_object(value)


def _of_object(value: Any) -> str:
    if isinstance(value, type) or inspect.isroutine(value):
        return _of_function(value)
    if isinstance(value, PipelinePart):
        return _described(value.template)
    kind = type(value).__qualname__
    if is_dataclass(value):
        return f"{kind}({', '.join(f'{f.name}={_described(getattr(value, f.name))}' for f in fields(value))})"
    return f"<{kind}>"


def _of_function(value: Any) -> str:
    name = f"{getattr(value, '__module__', None)}.{getattr(value, '__qualname__', repr(type(value)))}"
    code = getattr(getattr(value, "__func__", value), "__code__", None)
    if not isinstance(code, CodeType):
        return name
    parts = [digest("\n".join(_of_code(code)))]
    for name_of_defaults in ("__defaults__", "__kwdefaults__"):
        defaults = getattr(value, name_of_defaults, None)
        if defaults:
            parts.append(_described(defaults))
    cells = getattr(value, "__closure__", None) or ()
    parts += [_described(cell.cell_contents) for cell in cells if _stays(cell)]
    return f"{name}#{' '.join(parts)}"


def _stays(cell: Any) -> bool:
    """Return whether a variable that a function has from outside is a value: what a list collects changes in a run."""
    try:
        return isinstance(cell.cell_contents, bool | int | float | complex | str | bytes | tuple | np.ndarray | Path)
    except ValueError:
        # It has no value yet.
        return False


def _of_code(code: CodeType) -> Iterator[str]:
    """Yield what a function does, without its file and its line numbers."""
    yield code.co_code.hex()
    yield repr(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _of_code(constant)
        else:
            yield _described(constant)
