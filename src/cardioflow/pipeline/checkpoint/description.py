"""Values as text that is the same in every process, to tell whether two calls are the same."""

from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np

from cardioflow.core.function_code import closed_over, code_lines
from cardioflow.pipeline.part import PipelinePart

__all__ = ["describe", "digest"]

_MOST = 200
"""Characters of a value that are shown; the rest counts by its checksum."""
_described_now: ContextVar[frozenset[int]] = ContextVar("_described_now", default=frozenset())
"""The functions that are being described, which may hold one another."""


def describe(value: Any) -> str:
    """Return ``value`` as text: equal values give equal text, in every process.

    Long values and arrays are shortened to a checksum; functions are described
    by their names and their code, other objects by their class and, where they
    are dataclasses, their fields. Of what a function closes over, and of the object of a
    bound method, what cannot change is compared: lists and dictionaries may
    collect something in a run. What two objects of one class hold besides that
    is not compared.
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
    if id(value) in _described_now.get():
        # A function that calls itself, or another one that calls it.
        return name
    token = _described_now.set(_described_now.get() | {id(value)})
    try:
        return f"{name}#{' '.join(_parts_of(value, code))}"
    finally:
        _described_now.reset(token)


def _parts_of(value: Any, code: CodeType) -> list[str]:
    parts = [digest("\n".join(code_lines(code)))]
    for name_of_defaults in ("__defaults__", "__kwdefaults__"):
        defaults = getattr(value, name_of_defaults, None)
        if defaults:
            parts.append(_described(defaults))
    parts += [_described(content) for content in closed_over(value)[0] if _stays(content)]
    owner = getattr(value, "__self__", None)
    if owner is not None and not isinstance(owner, type) and not inspect.ismodule(owner):
        parts.append(_of_owner(owner))
    return parts


def _stays(value: Any) -> bool:
    """Return whether what a function has from outside is a value: what a list collects changes in a run."""
    if isinstance(value, tuple | frozenset):
        return all(map(_stays, value))
    if isinstance(value, functools.partial):
        return _stays(value.func)
    kinds = bool | int | float | complex | str | bytes | np.ndarray | np.generic | Path | range | slice | type
    return value is None or _is_frozen(value) or isinstance(value, kinds | PipelinePart) or inspect.isroutine(value)


def _is_frozen(value: Any) -> bool:
    parameters = getattr(type(value), "__dataclass_params__", None)
    return parameters is not None and bool(parameters.frozen)


def _of_owner(owner: Any) -> str:
    """Return the object of a bound method, with those of its attributes that are values."""
    kind = type(owner).__qualname__
    if _is_frozen(owner):
        return _of_object(owner)
    own = {name: v for name, v in sorted(getattr(owner, "__dict__", {}).items()) if _stays(v) and v is not owner}
    return f"{kind}({', '.join(f'{name}={_described(v)}' for name, v in own.items() if not inspect.ismethod(v))})"
