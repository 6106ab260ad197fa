"""Pipelines as JSON: the steps as they were written. Reading a text never runs code from it.

A text is an object with four entries::

    {"cardioflow_pipeline": 3,
     "steps": [{"name": "resample_signals", "args": [250], "kwargs": {}}, …],
     "config": {"lr": 0.001},
     "run": {"batch_size": 64}}

Arguments and settings are written by ``cardioflow.core.json_values``, with these forms in addition:

* ``B``, ``C``, ``F`` and ``V`` as ``{"$B": "target"}``, ``{"$C": "lr", "default": 0.1}``,
  ``{"$F": "module.function"}`` and ``{"$V": "loss", "mode": "w"}``;
* functions and classes by name, as ``{"$function": "module.function"}``;
* pipelines that are arguments of a step as ``{"$pipeline": {"steps": […], "config": {…}, "run": {…}}}``.

A text without such pipelines has the version 2, so that earlier releases read
it. Version 1, which had no forms for paths, slices and sets, is still read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from cardioflow.batch.current_names import current_names
from cardioflow.core.json_values import Form, JsonCodec, Limits, Misfit, parse
from cardioflow.errors import CardioFlowError, ConfigError, FormatError, InputError, nearest
from cardioflow.pipeline.call import Call
from cardioflow.pipeline.expressions import NO_DEFAULT, B, C, F, V
from cardioflow.pipeline.options import RunOptions
from cardioflow.pipeline.part import PipelinePart
from cardioflow.pipeline.template import Template, parts_of
from cardioflow.registry import actions

__all__ = ["MOST_CHARACTERS", "MOST_STEPS", "template_from_json", "template_to_json"]

MOST_CHARACTERS: Final = 1 << 22
"""The length of the longest text that is read: a filter of 100 000 coefficients takes half of it."""
MOST_STEPS: Final = 1000

_VERSION: Final = 3
_WITHOUT_PARTS: Final = 2
_KEY: Final = "cardioflow_pipeline"
_LIMITS: Final = Limits(characters=MOST_CHARACTERS, values=1_000_000, levels=60)
_CALLABLE: Final[Any] = Callable
_REMEDY: Final = "Expected what Pipeline.to_json() wrote."


def template_to_json(template: Template) -> str:
    """Return the steps, the configuration and the run arguments as JSON text.

    Raises:
        InputError: naming the place of a value that has no JSON form, or for more steps than can be read.
    """
    codec = _codec({}, None)
    nested = any(parts_of(call) for call in template.steps)
    whole = {_KEY: _VERSION if nested else _WITHOUT_PARTS, **_entries(codec, template)}
    text = json.dumps(whole, allow_nan=False, indent=1)
    if len(text) > MOST_CHARACTERS:
        raise InputError(f"The pipeline's text has {len(text)} characters; expected at most {MOST_CHARACTERS}.")
    return text


def _entries(codec: JsonCodec, template: Template) -> dict[str, Any]:
    if len(template.steps) > MOST_STEPS:
        raise InputError(f"The pipeline has {len(template.steps)} steps; expected at most {MOST_STEPS}.")
    steps = []
    for i, call in enumerate(template.steps):
        try:
            args = codec.encode(list(call.args), f"steps[{i}].args")
            kwargs = {k: codec.encode(v, f"steps[{i}].kwargs.{k}") for k, v in call.kwargs.items()}
        except InputError as error:
            raise InputError(f"{call} cannot be written as JSON: {error}") from error.__cause__
        steps.append({"name": call.name, "args": args, "kwargs": kwargs})
    return {
        "steps": steps,
        "config": codec.encode(dict(template.config), "config"),
        "run": codec.encode(dict(template.run_arguments), "run"),
    }


def template_from_json(
    text: str, functions: Mapping[str, Callable[..., Any]], make: Callable[[Template], PipelinePart]
) -> Template:
    """Return the template that ``text`` holds; each step is checked as if it had been written in Python.

    Args:
        text: What ``template_to_json`` wrote.
        functions: Those that the text may use, by name; none is ever imported from it.
        make: Makes a pipeline of a template, for those that are arguments of a step.

    Raises:
        FormatError: naming the place, when the text is not one that ``template_to_json`` writes.
        ConfigError: when it uses a function that is not in ``functions``.
        UnknownNameError: for an action that does not exist.
        InputError: when an action does not take its arguments.
    """
    try:
        found = parse(text, _LIMITS)
    except FormatError as error:
        raise FormatError(f"This is not a pipeline: {error} {_REMEDY}") from error
    _check_version(found)
    _check_entries(found, "The pipeline", required=(_KEY, "steps"), optional=("config", "run"))
    return _template(_codec(functions, make), found)


def _template(codec: JsonCodec, found: Mapping[str, Any]) -> Template:
    steps = found["steps"]
    if not isinstance(steps, list):
        raise FormatError(f"The steps of the pipeline are {_short(steps)}; expected a list. {_REMEDY}")
    if len(steps) > MOST_STEPS:
        raise FormatError(f"The pipeline has {len(steps)} steps; expected at most {MOST_STEPS}.")
    config = _settings(codec, found, "config")
    run = _settings(codec, found, "run")
    _check_run(run)
    return Template(tuple(_step(codec, step, i) for i, step in enumerate(steps)), config, run)


def _check_version(found: Any) -> None:
    version = found.get(_KEY) if isinstance(found, dict) else None
    if type(version) is int and version > _VERSION:
        raise FormatError(
            f"This is a pipeline of version {version}, and this CardioFlow reads up to version {_VERSION}. "
            "Update CardioFlow."
        )
    if type(version) is not int or version < 1:
        raise FormatError(f"This is not a pipeline: it has no entry {_KEY!r} with a version. {_REMEDY}")


def _check_entries(found: Any, place: str, *, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
    if not isinstance(found, dict):
        raise FormatError(f"{place} is {_short(found)}; expected an object with the entries {', '.join(required)}.")
    for name in required:
        if name not in found:
            raise FormatError(f"{place} has no entry {name!r}. {_REMEDY}")
    for name in found:
        if name not in (*required, *optional):
            raise FormatError(f"{place} has the unknown entry {_short(name)}. {_nearest(name, required, optional)}")


def _nearest(name: str, *known: tuple[str, ...]) -> str:
    return nearest(name, [own for names in known for own in names])


def _settings(codec: JsonCodec, found: Mapping[str, Any], entry: str) -> dict[str, Any]:
    settings = codec.decode(found.get(entry, {}), entry)
    if not isinstance(settings, dict) or not all(isinstance(name, str) for name in settings):
        raise FormatError(f"{entry} is {_short(settings)}; expected names and their values.")
    return settings


def _check_run(arguments: dict[str, Any]) -> None:
    try:
        RunOptions.check_names(arguments)
        if "batch_size" in arguments:
            RunOptions.of(arguments)
    except (ConfigError, TypeError) as error:
        raise FormatError(f"The run arguments of the pipeline are not valid: {error}") from error


def _step(codec: JsonCodec, step: Any, i: int) -> Call:
    place = f"steps[{i}]"
    _check_entries(step, place, required=("name", "args", "kwargs"))
    name, args, kwargs = step["name"], step["args"], step["kwargs"]
    # Names are printed in messages as they are, and may not hold escape sequences of a terminal.
    if not isinstance(name, str) or not name.isidentifier():
        raise FormatError(f"{place}.name is {_short(name)}; expected the name of an action.")
    if not isinstance(args, list):
        raise FormatError(f"{place}.args is {_short(args)}; expected a list.")
    if not isinstance(kwargs, dict) or not all(key.isidentifier() for key in kwargs):
        raise FormatError(f"{place}.kwargs is {_short(kwargs)}; expected names and their values.")
    decoded = codec.decode(args, f"{place}.args")
    named = {k: codec.decode(v, f"{place}.kwargs.{k}") for k, v in kwargs.items()}
    if name in actions:
        named = current_names(actions.get(name), name, named, stacklevel=1)
    call = Call(name, tuple(decoded), named)
    try:
        call.check()
    except CardioFlowError as error:
        error.step = error.step or f"{i + 1}, {call}"
        raise
    except Exception as error:
        raise FormatError(
            f"The action at {place} does not take its arguments: {type(error).__name__}: {error}.",
            step=f"{i + 1}, {call}",
        ) from error
    return call


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


# -- expressions and functions ------------------------------------------------


def _codec(functions: Mapping[str, Callable[..., Any]], make: Callable[[Template], PipelinePart] | None) -> JsonCodec:
    def encode_part(part: PipelinePart, _: Callable[[Any], Any]) -> dict[str, Any]:
        try:
            return {"$pipeline": _entries(codec, part._as_part())}
        except InputError as error:
            raise Misfit(f"is a pipeline that has no JSON form: {error}") from error

    def decode_part(form: Mapping[str, Any], _: Callable[[Any], Any]) -> PipelinePart:
        assert make is not None  # noqa: S101 -- a codec for writing reads nothing
        try:
            _check_entries(form["$pipeline"], "The pipeline", required=("steps",), optional=("config", "run"))
            return make(_template(codec, form["$pipeline"]))
        except FormatError as error:
            raise Misfit(f"is a pipeline that is not right: {error}") from error

    def function(form: Mapping[str, Any], tag: str) -> Callable[..., Any]:
        return _function(_name(form, tag), functions)

    forms = (
        Form("$B", (B,), lambda b, _: {"$B": b.name}, lambda form, _: B(_name(form, "$B", optional=True))),
        Form("$C", (C,), _encode_setting, _decode_setting, optional=("default",)),
        Form("$V", (V,), lambda v, _: {"$V": v.name, "mode": v.mode}, _decode_variable, optional=("mode",)),
        Form("$F", (F,), lambda f, _: {"$F": _name_of(f.function)}, lambda form, _: F(function(form, "$F"))),
        Form(
            "$function",
            (_CALLABLE,),
            lambda f, _: {"$function": _name_of(f)},
            lambda form, _: function(form, "$function"),
        ),
        Form("$pipeline", (PipelinePart,), encode_part, decode_part),
    )
    codec = JsonCodec(forms, limits=_LIMITS)
    return codec


def _name(form: Mapping[str, Any], tag: str, *, optional: bool = False) -> Any:
    name = form[tag]
    if not (isinstance(name, str) or (optional and name is None)):
        raise Misfit(f"holds {_short(name)} as {tag!r}; expected a name")
    return name


def _encode_setting(setting: C, recurse: Callable[[Any], Any]) -> dict[str, Any]:
    if setting.default is NO_DEFAULT:
        return {"$C": setting.name}
    return {"$C": setting.name, "default": recurse(setting.default)}


def _decode_setting(form: Mapping[str, Any], recurse: Callable[[Any], Any]) -> C:
    name = _name(form, "$C")
    return C(name, recurse(form["default"])) if "default" in form else C(name)


def _decode_variable(form: Mapping[str, Any], _: Callable[[Any], Any]) -> V:
    mode = form.get("mode", "w")
    if mode not in ("w", "a", "e", "u"):
        raise Misfit(f"holds the mode {_short(mode)}; expected 'w', 'a', 'e' or 'u'")
    return V(_name(form, "$V"), mode)


def _name_of(function: Any) -> str:
    name, module = getattr(function, "__qualname__", ""), getattr(function, "__module__", None)
    if not name or "<" in name or not isinstance(module, str):
        raise Misfit(
            f"is {_short(function)}, which has no name to be written by. Define a function at the top of a module"
        )
    return f"{module}.{name}"


def _function(name: str, functions: Mapping[str, Callable[..., Any]]) -> Callable[..., Any]:
    # Importing what a file names would let the author of the file choose the code that runs.
    if name not in functions:
        known = f" {nearest(name, functions)}" if functions else ""
        raise ConfigError(
            f"The pipeline uses the function {name!r}, and functions are never imported because a text names them. "
            f"Pass it: Pipeline.from_json(text, functions={{{name!r}: …}}).{known}"
        )
    return functions[name]
