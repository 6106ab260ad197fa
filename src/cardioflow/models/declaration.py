"""Models by name: ``@model`` declares one, ``find`` looks it up among the declared ones and the zoo."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from cardioflow import registry
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import DuplicateNameError, InputError, UnknownNameError, nearest
from cardioflow.models.model_spec import Mode, ModelSpec

__all__ = ["ModelSpec", "find", "model", "names"]

Builder = TypeVar("Builder", bound=Callable[..., Any])

_MARK = "_cardioflow_mode"
"""The attribute that ``model`` sets on the function; a function in a class body is found by it."""

_declared: dict[str, dict[str, ModelSpec]] = {}
"""By name, then by the module that declared it."""


def model(mode: Mode = "dynamic") -> Callable[[Builder], Builder]:
    """Declare the function below it as a model, under the function's name.

    A ``"dynamic"`` builder is called with the first batch, its segments
    unstacked, as ``builder(batch, config=…)``; a ``"static"`` one before any
    data is read, as ``builder(pipeline, config=…)``. Either may leave out what
    it does not need. In the body of a batch class the model belongs to that
    class. The function itself is returned unchanged.

    Declaring a name again in the same module replaces it, as notebooks do.

    Raises:
        InputError: for another mode.

    >>> @model(mode="dynamic")
    ... def fc_model(batch, config=None):
    ...     return SimpleFCModel().build(batch.signal[0].shape)
    """
    if mode not in ("dynamic", "static"):
        raise InputError(f'model(mode={mode!r}) is neither "dynamic" nor "static". Write @model(mode="dynamic").')

    def declare(builder: Builder) -> Builder:
        name = builder.__name__
        setattr(builder, _MARK, mode)
        # A function whose qualified name ends in Class.name is in a class body, and the class will hold it.
        outer = builder.__qualname__.rpartition(".")[0]
        if not outer or outer.endswith("<locals>"):
            _declared.setdefault(name, {})[builder.__module__] = _spec(name, builder)
        return builder

    return declare


def find(name: str, batch_class: type[EcgBatch] = EcgBatch) -> ModelSpec:
    """Return the model ``name``: one of ``batch_class``, one declared by a function, or one of the zoo.

    Raises:
        UnknownNameError: with the nearest names.
        DuplicateNameError: when two modules declare it.
    """
    own = inspect.getattr_static(batch_class, name, None)
    if getattr(own, _MARK, None) is not None:
        return _spec(name, own)
    by_module = _declared.get(name, {})
    if len(by_module) > 1:
        raise DuplicateNameError(
            f"Model {name!r} is declared twice, in {' and in '.join(sorted(by_module))}. Rename one of them."
        )
    if by_module:
        return next(iter(by_module.values()))
    if name in registry.models:
        place = registry.models.locations()[name]
        return ModelSpec(name, "dynamic", registry.models.get(name), place)
    known = {*names(), *(n for n in dir(batch_class) if _is_model(batch_class, n))}
    raise UnknownNameError(f"There is no model {name!r}. {nearest(name, known)}")


def names() -> tuple[str, ...]:
    """Return the names of all models: the declared ones and the zoo's."""
    return tuple(sorted({*_declared, *registry.models.names()}))


def _is_model(batch_class: type, name: str) -> bool:
    return getattr(inspect.getattr_static(batch_class, name, None), _MARK, None) is not None


def _spec(name: str, builder: Any) -> ModelSpec:
    return ModelSpec(name, getattr(builder, _MARK), builder, f"{builder.__module__}.{builder.__qualname__}")
