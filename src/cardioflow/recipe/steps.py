"""Steps of a recipe as a pipeline."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cardioflow.errors import CardioFlowError, ConfigError
from cardioflow.pipeline.pipeline import Pipeline

__all__ = ["pipeline_of"]


def pipeline_of(steps: Sequence[Any], where: str = "steps") -> Pipeline:
    """Return the pipeline of ``steps``: an action's name, or ``{name: arguments}``.

    Arguments are a list, an object of names, or one value: ``"standardize"``, ``{"resample_signals": 100}``,
    ``{"clip_signals": [-8, 8]}``, ``{"pad_signals": {"length": 3000, "side": "left"}}``. They are data as in a
    pipeline's JSON; no function is imported.

    Raises:
        ConfigError: naming the step that is not one, or does not take its arguments.
    """
    found = Pipeline()
    for number, step in enumerate(steps):
        try:
            text = json.dumps({"cardioflow_pipeline": 2, "steps": [_as_json(step)], "config": {}, "run": {}})
            found += Pipeline.from_json(text)
        except (CardioFlowError, TypeError, ValueError) as error:
            raise ConfigError(f"Entry '{where}[{number}]' is not a step: {error}") from error
    return found


def _as_json(step: Any) -> dict[str, Any]:
    if isinstance(step, str):
        return {"name": step, "args": [], "kwargs": {}}
    if not isinstance(step, Mapping) or len(step) != 1:
        raise ValueError(f"{step!r} is neither a name nor one name with its arguments.")
    ((name, given),) = step.items()
    if isinstance(given, Mapping):
        return {"name": name, "args": [], "kwargs": _plain(given)}
    return {"name": name, "args": _plain(given if isinstance(given, list | tuple) else [given]), "kwargs": {}}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(own) for name, own in value.items()}
    return [_plain(own) for own in value] if isinstance(value, list | tuple) else value
