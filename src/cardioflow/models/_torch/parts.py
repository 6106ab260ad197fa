"""Freezing, and learning rates by part, for PyTorch modules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from cardioflow.models._parts import frozen_parts, rate_factors
from cardioflow.models.training import TrainingOptions

__all__ = ["freeze_parts", "parts_of", "rates_by_part"]


def parts_of(module: nn.Module) -> tuple[str, ...]:
    """Return the parts of ``module``: those of its children, or of their children, that have parameters.

    A module with a single child that has parameters is seen through, as a wrapper.
    """
    return tuple(_members(module))


def freeze_parts(module: nn.Module, options: TrainingOptions) -> None:
    """Freeze the parts of ``module``, in training mode, that ``options`` name.

    Their batch normalization keeps its running means, as that of a frozen Keras layer does.

    Raises:
        ConfigError: for a part that the module does not have.
    """
    if options.freeze is None:
        return
    members = _members(module)
    frozen = frozen_parts(tuple(members), options.freeze)
    for name, part in members.items():
        part.requires_grad_(name not in frozen)
        if name in frozen:
            for inner in part.modules():
                if isinstance(inner, nn.modules.batchnorm._BatchNorm):
                    inner.eval()


@contextmanager
def rates_by_part(module: nn.Module, options: TrainingOptions) -> Iterator[None]:
    """Let each part move by its share of the step that the optimizer takes inside.

    A step of every optimizer of torch is proportional to its rate, weight decay
    included, so that this is a rate per part, and the groups of the optimizer and
    its dumps stay as they are.
    """
    members = _members(module)
    factors = rate_factors(tuple(members), options.layer_decay)
    scaled = [(p, factors[name]) for name, part in members.items() for p in part.parameters() if factors[name] != 1]
    before = [p.detach().clone() for p, _ in scaled]
    yield
    with torch.no_grad():
        for (parameter, factor), old in zip(scaled, before, strict=True):
            parameter.copy_(torch.lerp(old, parameter, factor))


def _members(module: nn.Module) -> dict[str, Any]:
    found = {name: child for name, child in module.named_children() if next(child.parameters(), None) is not None}
    own = next(module.parameters(recurse=False), None)
    if len(found) == 1 and own is None:
        return _members(next(iter(found.values()))) or found
    return found
