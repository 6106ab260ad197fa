"""Whether arrays can take the place of a model's weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from cardioflow.errors import ModelError

__all__ = ["check_weights"]


def check_weights(model: str, own: Sequence[NDArray[Any]], given: Sequence[NDArray[Any]]) -> None:
    """Refuse ``given`` where it differs from ``own`` in number or shape.

    Raises:
        ModelError: naming the first that differs.
    """
    if len(own) != len(given):
        raise ModelError(f"{model} has {len(own)} weights, and {len(given)} were given. Pass those of the same model.")
    for i, (mine, new) in enumerate(zip(own, given, strict=True)):
        if mine.shape != new.shape:
            raise ModelError(
                f"Weight {i} of {model} has the shape {mine.shape}, and the given one {new.shape}. "
                "Pass those of the same model."
            )
