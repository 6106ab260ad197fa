"""Freezing, and learning rates by part, for Keras models, whose optimizers have one rate for all."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from cardioflow.models._parts import frozen_parts, rate_factors
from cardioflow.models.training import TrainingOptions

__all__ = ["part_of", "parts_of", "set_parts"]

_log = logging.getLogger(__name__)


def part_of(layer: Any) -> str:
    """Return the part that ``layer`` is of: its name up to the first hyphen, which names made by Keras do not have."""
    return str(layer.name).partition("-")[0]


def parts_of(model: Any) -> tuple[str, ...]:
    """Return the parts of a Keras model that have weights, in the order of its layers."""
    return tuple(dict.fromkeys(part_of(layer) for layer in model.layers if layer.weights))


def set_parts(model: Any, options: TrainingOptions) -> None:
    """Freeze the parts of a compiled ``model`` that ``options`` name, and let the others learn at their rates.

    A frozen batch normalization uses its running means and keeps them, as Keras
    has it. Where a model freezes or thaws after its first update, its optimizer
    starts anew, because it keeps a state for the weights that it was built with.

    Raises:
        ConfigError: for a part that the model does not have.
    """
    if options.freeze is not None:
        frozen = frozen_parts(parts_of(model), options.freeze)
        changed = [layer for layer in model.layers if layer.weights and layer.trainable is (part_of(layer) in frozen)]
        for layer in changed:
            layer.trainable = not layer.trainable
        if changed:
            _compile_again(model)
    _set_rates(model, options.layer_decay)


def _compile_again(model: Any) -> None:
    optimizer = model.optimizer
    if optimizer.built:
        _log.warning("The optimizer starts anew, because other weights are trained than before.")
        optimizer = type(optimizer).from_config(optimizer.get_config())
    model.compile(loss=model.loss, optimizer=optimizer, jit_compile=model.jit_compile)


def _set_rates(model: Any, decay: float) -> None:
    optimizer = model.optimizer
    if getattr(optimizer, "cardioflow_decay", 1.0) == decay:
        return
    factors = rate_factors(parts_of(model), decay)
    by_path = {weight.path: factors[part_of(layer)] for layer in model.layers for weight in layer.weights}
    kind = type(optimizer)
    update, shrink = kind._backend_update_step, kind._apply_weight_decay

    def update_by_part(grads: list[Any], variables: list[Any], rate: Any) -> None:
        for factor, own in _groups(by_path, variables).items():
            update(optimizer, [grads[i] for i in own], [variables[i] for i in own], rate * factor)

    def shrink_by_part(variables: list[Any]) -> None:
        decay = optimizer.weight_decay
        try:
            for factor, own in _groups(by_path, variables).items():
                # It multiplies the rate; there is one rate for all.
                optimizer.weight_decay = None if decay is None else decay * factor
                shrink(optimizer, [variables[i] for i in own])
        finally:
            optimizer.weight_decay = decay

    hooks: dict[str, Callable[..., None]] = {
        "_backend_update_step": update_by_part,
        "_apply_weight_decay": shrink_by_part,
    }
    for name, hook in hooks.items():
        setattr(optimizer, name, hook)
    optimizer.cardioflow_decay = decay
    # A step that was compiled before has the old rates.
    model.train_function = None


def _groups(factors: Mapping[str, float], variables: list[Any]) -> dict[float, list[int]]:
    """Return the indices of the variables with each factor."""
    found: dict[float, list[int]] = {}
    for index, variable in enumerate(variables):
        found.setdefault(factors.get(variable.path, 1.0), []).append(index)
    return found
