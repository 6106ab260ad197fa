"""Fourier transforms along the last axis of each record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from cardioflow.batch import EcgBatch, Ragged
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters
from cardioflow.transforms._map import each, gathered

__all__ = ["check", "transformed"]

_NORMS: Final = ("backward", "ortho", "forward")


def check(transform: Any) -> None:
    """Check the parameters ``n`` and ``norm``."""
    if transform.n is not None:
        _parameters.count(transform, "n")
    _parameters.choice(transform, "norm", _NORMS)


def transformed(transform: Any, batch: EcgBatch, func: Callable[..., Any]) -> EcgBatch:
    """Return the batch with ``func(x, n, norm=…)`` of each record of ``src`` as ``dst``."""
    source = batch.component(transform.src)
    if not isinstance(source, Ragged):
        raise InputError(
            f"{transform.action_name} needs a signal, but {transform.src!r} holds {type(source).__name__}."
        )
    results = each(batch, transform.action_name, source, lambda x, _: func(x, transform.n, norm=transform.norm))
    return batch.with_component(transform.dst, gathered(results, source.ndim))
