"""Accumulation and clipping of gradients, which Keras leaves to the optimizer."""

from __future__ import annotations

from typing import Any

from cardioflow.errors import ModelError
from cardioflow.models.training import TrainingOptions

__all__ = ["set_optimizer_options"]


def set_optimizer_options(model: Any, options: TrainingOptions) -> None:
    """Give the optimizer of a compiled ``model`` the options that are not the default.

    Raises:
        ModelError: when the optimizer has been used with others already.
    """
    steps = None if options.accumulate == 1 else options.accumulate
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or (steps is None and options.clip_norm is None):
        return
    wanted = {"gradient_accumulation_steps": steps, "global_clipnorm": options.clip_norm}
    changes = {name: v for name, v in wanted.items() if v is not None and getattr(optimizer, name) != v}
    if not changes:
        return
    # Building it made the variables in which gradients are added up, or did not.
    if optimizer.built:
        raise ModelError(
            f"The optimizer has been built with other options than {changes}. Set self.training in build, before the "
            "first update."
        )
    for name, value in changes.items():
        setattr(optimizer, name, value)
