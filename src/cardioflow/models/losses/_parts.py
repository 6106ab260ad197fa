"""What several losses are made of."""

from __future__ import annotations

from typing import Any

from cardioflow.errors import ModelError
from cardioflow.models.losses._ops import Ops

__all__ = ["cross_entropies", "per_class", "require"]


def cross_entropies(ops: Ops, z: Any, y: Any, *, exclusive: bool) -> Any:
    """Return -ln p of what came true, of each class: of shape (record, …, class)."""
    if exclusive:
        return -y * ops.log_softmax(z)
    return y * ops.softplus(-z) + (1 - y) * ops.softplus(z)


def per_class(ops: Ops, values: tuple[float, ...], z: Any, loss: str, what: str) -> Any:
    """Return ``values`` as an array for the classes of ``z``.

    Raises:
        ModelError: when there are more or fewer.
    """
    if len(values) != z.shape[-1]:
        raise ModelError(f"The loss {loss!r} has {what} of {len(values)} classes, and the model has {z.shape[-1]}.")
    return ops.constant(values, z)


def require(loss: str, *, right: bool, given: str, expected: str) -> None:
    """Refuse a parameter that a loss cannot have.

    Raises:
        ModelError: naming it.
    """
    if not right:
        raise ModelError(f"The loss {loss}({given}) expects {expected}.")
