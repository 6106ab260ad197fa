"""The key of a cache: the text of the steps before it, and of all that decides what they do."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NoReturn

from cardioflow import errors
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.core.function_code import closed_over, code_lines
from cardioflow.core.json_values import Form, JsonCodec, Misfit
from cardioflow.errors import ConfigError, InputError
from cardioflow.pipeline.call import Call
from cardioflow.pipeline.expressions import C, Expression, Scope, expressions_in
from cardioflow.pipeline.part import PipelinePart
from cardioflow.pipeline.template import parts_of
from cardioflow.registry import actions

__all__ = ["own_functions", "plan_text"]

_CALLABLE: Final[Any] = Callable
_LIBRARIES: Final = ("numpy", "scipy", "numba", "PyWavelets")
_read_now: ContextVar[frozenset[int]] = ContextVar("_read_now", default=frozenset())
"""The functions that are being read, which may hold one another."""


def plan_text(
    calls: Sequence[Call], config: Mapping[str, Any], batch_class: type[EcgBatch], *, across_programs: bool
) -> str:
    """Return the text of ``calls`` and of what they depend on beside the records.

    Where files and tables are is left out: records are told apart by their
    files and labels (``fingerprints``).

    Args:
        calls: The steps.
        config: The settings that they read.
        batch_class: The class of the batches, whose own actions they may be.
        across_programs: Whether the text is compared with that of another program; otherwise functions are told apart
            as objects.

    Raises:
        ConfigError: naming a step whose arguments have no text.
    """
    codec = _codec(config, batch_class, across_programs=across_programs)
    steps = [_step(call, codec, config, batch_class) for call in calls]
    known = {name: version(name) for name in _LIBRARIES}
    python = ".".join(map(str, sys.version_info[:3]))
    return codec.to_text({"cardioflow": _package(), "python": python, "libraries": known, "steps": steps})


def own_functions(calls: Sequence[Call]) -> Iterator[str]:
    """Yield the steps of ``calls`` that call functions which CardioFlow and its libraries do not bring."""
    for call in calls:
        values = [*call.args, *call.kwargs.values()]
        declared = actions.declared(call.name) is not None
        if declared or any(_is_own(value) for value in values):
            yield str(call)
        for part in parts_of(call):
            yield from own_functions(part.steps)


def _is_own(value: Any) -> bool:
    if isinstance(value, Expression | PipelinePart) or not callable(value):
        return False
    module = str(getattr(_innermost(value), "__module__", None) or "")
    return module.partition(".")[0] not in ("cardioflow", "numpy", "scipy", "builtins", "math", "operator", "pywt")


def _innermost(function: Any) -> Any:
    while isinstance(function, partial):
        function = function.func
    return function


def _step(call: Call, codec: JsonCodec, config: Mapping[str, Any], batch_class: type[EcgBatch]) -> Any:
    # A load's source is where its files are, or a table: both are in the fingerprint of each record.
    named = [(name, value) for name, value in call._named() if (call.name, name) != ("load", "src")]
    settings = {e.name: e.value(Scope(config)) for _, v in named for e in expressions_in(v) if isinstance(e, C)}
    try:
        return {
            "name": call.name,
            "arguments": codec.encode([[name, value] for name, value in named]),
            "settings": codec.encode(settings),
            "code": _code_of(call, batch_class, codec),
        }
    except InputError as error:
        raise ConfigError(
            f"cache(): the step {call} before it has an argument that cannot be part of the cache's key: {error} "
            "Write the step after cache, or keep records in memory: cache()."
        ) from error


def _code_of(call: Call, batch_class: type[EcgBatch], codec: JsonCodec) -> Any:
    """Return what stands for the code of an action that is not CardioFlow's."""
    own = actions.declared(call.name)
    if own is not None:
        return codec.encode(own._function_for(batch_class))
    module = call.kind.__module__
    if module.startswith("cardioflow."):
        return None
    file = getattr(sys.modules[module], "__file__", None)
    return _hashed(Path(file).read_bytes()) if file else module


def _codec(config: Mapping[str, Any], batch_class: type[EcgBatch], *, across_programs: bool) -> JsonCodec:
    def encode_part(part: PipelinePart, _: Callable[[Any], Any]) -> dict[str, Any]:
        template = part.template
        inner = {**config, **template.config}
        return {"$steps": [_step(call, codec, inner, batch_class) for call in template.steps]}

    def encode_function(function: Any, recurse: Callable[[Any], Any]) -> dict[str, Any]:
        if not across_programs:
            return {"$function": f"{_name(function)} at {id(function)}"}
        return {"$function": _function(function, recurse)}

    forms = (
        Form("$steps", (PipelinePart,), encode_part, _unread),
        Form("$expression", (Expression,), lambda e, _: {"$expression": repr(e)}, _unread),
        Form("$function", (_CALLABLE,), encode_function, _unread),
    )
    codec = JsonCodec(forms)
    return codec


def _unread(_form: Mapping[str, Any], _recurse: Callable[[Any], Any]) -> NoReturn:
    raise Misfit("is the text of a key, which is compared and never read")


def _name(function: Any) -> str:
    return f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', type(function).__qualname__)}"


def _function(function: Any, recurse: Callable[[Any], Any]) -> Any:
    """Return the name of a function, its code, its defaults and what it closes over."""
    if isinstance(function, partial):
        return [_function(function.func, recurse), recurse(list(function.args)), recurse(dict(function.keywords))]
    code = getattr(function, "__code__", None)
    if code is None:
        module = str(getattr(function, "__module__", None) or "")
        if not hasattr(function, "__qualname__") and not module.startswith("numpy"):
            raise Misfit(f"is a {type(function).__name__} that is called; expected a function")
        return _name(function)
    if id(function) in _read_now.get():
        # A function that calls itself, or another one that calls it.
        return _name(function)
    token = _read_now.set(_read_now.get() | {id(function)})
    try:
        return [
            _name(function),
            _hashed("\n".join(code_lines(code)).encode("utf-8", "surrogatepass")),
            _outside(function, recurse),
        ]
    finally:
        _read_now.reset(token)


def _outside(function: Any, recurse: Callable[[Any], Any]) -> Any:
    """Return what a function has beside its code: its defaults, what it closes over, and the object of a method."""
    cells, empty = closed_over(function)
    inner = {"defaults": function.__defaults__, "keywords": function.__kwdefaults__, "cells": cells, "empty": empty}
    owner = getattr(function, "__self__", None)
    if owner is not None and not isinstance(owner, type):
        # A method works with what its object has.
        inner["owner"] = dict(getattr(owner, "__dict__", {}))
    return recurse(inner)


def _hashed(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


@cache
def _package() -> str:
    """Return the version of CardioFlow and a digest of its code: a change without a new version changes records too."""
    folder = Path(errors.__file__).parent
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted(folder.rglob("*.py")):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return f"{version('cardioflow')} {digest.hexdigest()}"
