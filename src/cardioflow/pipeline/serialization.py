"""Pipelines as JSON: what was written, and nothing that runs code when it is read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from cardioflow.errors import ConfigError, FormatError, InputError, nearest
from cardioflow.pipeline.expressions import NO_DEFAULT, B, C, F, V
from cardioflow.pipeline.template import Template

__all__ = ["template_from_json", "template_to_json"]

_VERSION = 1


def template_to_json(template: Template) -> str:
    """Return ``template`` as JSON text."""
    steps = []
    for call in template.steps:
        try:
            kwargs = {k: _encode(v) for k, v in call.kwargs.items()}
            steps.append({"name": call.name, "args": [_encode(a) for a in call.args], "kwargs": kwargs})
        except TypeError as error:
            raise InputError(f"{call} cannot be written as JSON: {error}") from None
    run = {k: _encode(v) for k, v in template.run_arguments.items()}
    return json.dumps(
        {"cardioflow_pipeline": _VERSION, "steps": steps, "config": _encode(dict(template.config)), "run": run},
        indent=1,
    )


def template_from_json(text: str, functions: Mapping[str, Callable[..., Any]]) -> Template:
    """Return the template that ``text`` holds."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise FormatError(f"This is no pipeline: {error}. Expected what Pipeline.to_json() wrote.") from None
    if not isinstance(found, dict) or found.get("cardioflow_pipeline") != _VERSION:
        raise FormatError(
            f"This is no pipeline of version {_VERSION}. Expected what Pipeline.to_json() of this version wrote."
        )
    template = Template(config=_decode(found.get("config", {}), functions))
    for step in found["steps"]:
        args = [_decode(a, functions) for a in step["args"]]
        kwargs = {k: _decode(v, functions) for k, v in step["kwargs"].items()}
        template = template.with_call(step["name"], tuple(args), kwargs)
    run = {k: _decode(v, functions) for k, v in found.get("run", {}).items()}
    return replace(template, run_arguments=run)


def _encode(value: Any) -> Any:  # noqa: PLR0912 -- one branch per kind of value
    encoded: Any
    match value:
        case None | bool() | int() | float() | str():
            encoded = value
        case list():
            encoded = [_encode(v) for v in value]
        case tuple():
            encoded = {"$tuple": [_encode(v) for v in value]}
        case dict():
            encoded = {"$dict": [[_encode(k), _encode(v)] for k, v in value.items()]}
        case np.generic():
            encoded = value.item()
        case np.ndarray():
            encoded = {"$array": value.tolist(), "dtype": value.dtype.str}
        case B():
            encoded = {"$B": value.name}
        case C():
            encoded = {"$C": value.name} | ({} if value.default is NO_DEFAULT else {"default": _encode(value.default)})
        case V():
            encoded = {"$V": value.name, "mode": value.mode}
        case F():
            encoded = {"$F": _function_name(value.function)}
        case _ if callable(value):
            encoded = {"$function": _function_name(value)}
        case _ if isinstance(value, Mapping):
            encoded = _encode(dict(value))
        case _:
            raise TypeError(f"a {type(value).__name__} has no JSON form")
    return encoded


def _function_name(function: Any) -> str:
    name = getattr(function, "__qualname__", "")
    if not name or "<" in name:
        raise TypeError(f"{function!r} has no name to be written by; define it at the top of a module")
    return f"{function.__module__}.{name}"


def _decode(value: Any, functions: Mapping[str, Callable[..., Any]]) -> Any:
    def go(inner: Any) -> Any:
        return _decode(inner, functions)

    decoded: Any
    match value:
        case list():
            decoded = [go(v) for v in value]
        case {"$tuple": items}:
            decoded = tuple(go(v) for v in items)
        case {"$dict": items}:
            decoded = {go(k): go(v) for k, v in items}
        case {"$array": items, "dtype": dtype}:
            decoded = np.array(items, dtype=np.dtype(dtype))
        case {"$B": name}:
            decoded = B(name)
        case {"$C": name, "default": default}:
            decoded = C(name, go(default))
        case {"$C": name}:
            decoded = C(name)
        case {"$V": name, "mode": mode}:
            decoded = V(name, mode)
        case {"$F": name}:
            decoded = F(_function(name, functions))
        case {"$function": name}:
            decoded = _function(name, functions)
        case _:
            decoded = value
    return decoded


def _function(name: str, functions: Mapping[str, Callable[..., Any]]) -> Callable[..., Any]:
    # Importing what a file names would let a stranger's file choose the code that runs.
    if name not in functions:
        raise ConfigError(
            f"The pipeline uses the function {name!r}, which is not imported from a file's word. "
            f"Pass it: Pipeline.from_json(text, functions={{{name!r}: …}}). {nearest(name, functions)}"
        )
    return functions[name]
