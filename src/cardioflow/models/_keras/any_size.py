"""The steps of a Keras model on TensorFlow, compiled for batches of any size from the first one on."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np

from cardioflow.models._tensorflow.any_size import AnySize, Shapes

__all__ = ["compile_for_any_size"]


def compile_for_any_size(model: Any) -> None:
    """Let ``model`` train, test and predict arrays with steps that do not depend on the batches before.

    ``fit``, ``evaluate`` and ``predict``, several steps per call, eager models and strategies
    of distribution go on with the functions of Keras.
    """
    for name in ("train", "test", "predict"):
        setattr(model, f"make_{name}_function", _maker(model, name))


def _maker(model: Any, name: str) -> Callable[..., Any]:
    """Return what takes the place of ``model.make_train_function``, or of that of another ``name``."""
    make = getattr(type(model), f"make_{name}_function")
    attribute = f"{name}_function"

    def made(force: bool = False) -> Any:  # noqa: FBT001, FBT002 -- as Keras calls it
        if getattr(model, attribute) is None or force:
            make(model, force=True)
            setattr(model, attribute, _chosen(model, getattr(model, f"{name}_step"), getattr(model, attribute)))
        return getattr(model, attribute)

    return made


def _chosen(model: Any, step: Callable[..., Any], of_keras: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that runs ``step`` on arrays, and ``of_keras`` on everything else."""
    if model.run_eagerly or model.steps_per_execution != 1 or model._distribute_strategy is not None:
        return of_keras
    compiled = AnySize(
        lambda *data: step(data), lambda shapes: _as_declared(model, shapes), jit_compile=model.jit_compile
    )

    def chosen(data: Any) -> Any:
        # train_on_batch and test_on_batch give a generator of one batch, and predict_on_batch a list of one.
        if isinstance(data, Generator):
            return compiled(*(part for part in next(data) if part is not None))
        if isinstance(data, list) and len(data) == 1 and all(isinstance(part, np.ndarray) for part in data[0]):
            return compiled(*data[0])
        return of_keras(data)

    return chosen


def _as_declared(model: Any, shapes: Shapes) -> Shapes:
    """Return the ``shapes`` of (x, y, weight) with ``None`` where the model takes and returns sizes of any kind."""
    declared = (getattr(model, "input_shape", None), getattr(model, "output_shape", None))
    free = [
        tuple(n if m is not None else None for n, m in zip(shape, known, strict=False)) + shape[len(known) :]
        if isinstance(known, tuple)
        else shape
        for shape, known in zip(shapes, declared, strict=False)
    ]
    return (*free, *shapes[len(free) :])
