"""Losses of JAX by name, with the meaning of the outputs that each of them takes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from cardioflow import registry
from cardioflow.errors import ModelError, nearest
from cardioflow.models._default_loss import DEFAULT_LOSSES
from cardioflow.models.dump_header import Output
from cardioflow.models.losses._jax import JaxOps
from cardioflow.models.losses.base import Loss, named_loss

__all__ = ["LOSSES", "JaxLoss", "resolve_loss"]

Array = jax.Array


class JaxLoss(NamedTuple):
    """A loss, and what turns an output of the module into a prediction."""

    rows: Callable[[Array, Array], Array]
    """The loss of each row."""
    predict: Callable[[Array], Array]
    takes_logits: bool = False
    mean: Callable[[Array, Array], Array] | None = None
    """A function of the user's, which takes the place of ``rows`` and gives one number."""

    def weighted(self, output: Array, target: Array, weight: Array) -> Array:
        """Return the mean of the rows' losses, each multiplied by its weight."""
        if self.mean is not None:
            return self.mean(output, target)
        return (self.rows(output, target) * weight).mean()


def resolve_loss(loss: Any, output: Output) -> JaxLoss:
    """Return the loss that ``loss`` names or is; for ``None`` the usual one for what the model learns.

    Raises:
        ModelError: for an unknown name, or what cannot be called.
    """
    name = DEFAULT_LOSSES[output] if loss is None else loss
    if isinstance(name, str) and name in LOSSES:
        return LOSSES[name]
    if isinstance(name, str):
        if name not in registry.losses:
            raise ModelError(f"There is no loss {name!r} for JAX. {nearest(name, {*LOSSES, *registry.losses.names()})}")
        name = named_loss(name)
    if isinstance(name, Loss):
        return _of_drawer(name, output)
    if not callable(name):
        raise ModelError(
            f"The loss is a {type(name).__name__}. Set self.loss to a name ({', '.join(LOSSES)}) or to a function of "
            "(output, target) that returns one number."
        )
    return JaxLoss(_squared, _same, mean=name)


@cache
def _of_drawer(loss: Loss, output: Output) -> JaxLoss:
    """Return a loss that is written for every backend; the same object each time, so that nothing compiles again."""
    kind, ops = loss.kind_of(output), JaxOps()

    def rows(z: Array, target: Array) -> Array:
        y = jax.nn.one_hot(target, z.shape[1]) if output == "states" else target
        z = z.transpose(0, 2, 1) if z.ndim == 3 else z
        if kind != "value":
            _check_shapes(z, y)
        return _over_rows(loss.units(ops, z, y, kind))

    def predict(z: Array) -> Array:
        found: Array = loss.probabilities(ops, z.transpose(0, 2, 1) if z.ndim == 3 else z, kind)
        return found

    mean = None if loss.by_row else lambda z, y: rows(z, y).mean()
    return JaxLoss(rows, predict, takes_logits=kind == "exclusive", mean=mean)


def _same(output: Array) -> Array:
    return output


def _softmax(output: Array) -> Array:
    """Return probabilities; for (record, state, time) in the order (record, time, state)."""
    p = jax.nn.softmax(output, axis=1)
    return p.transpose(0, 2, 1) if p.ndim == 3 else p


def _over_rows(loss: Array) -> Array:
    return loss.reshape(len(loss), -1).mean(axis=1)


def _cross_entropy(output: Array, target: Array) -> Array:
    if output.ndim == 3:
        states = optax.softmax_cross_entropy_with_integer_labels(output.transpose(0, 2, 1), target)
        return _over_rows(states)
    _check_shapes(output, target)
    rows: Array = optax.softmax_cross_entropy(output, target)
    return rows


def _check_shapes(output: Array, target: Array) -> None:
    """Refuse an output of (record,) for targets of (record, 1), which would be broadcast to each with each."""
    if output.shape != target.shape:
        raise ValueError("Let the module return as many numbers per record as the targets have.")


def _binary(output: Array, target: Array) -> Array:
    _check_shapes(output, target)
    return _over_rows(optax.sigmoid_binary_cross_entropy(output, target))


def _squared(output: Array, target: Array) -> Array:
    _check_shapes(output, target)
    return _over_rows((output - target) ** 2)


def _absolute(output: Array, target: Array) -> Array:
    _check_shapes(output, target)
    return _over_rows(jnp.abs(output - target))


def _huber(output: Array, target: Array) -> Array:
    _check_shapes(output, target)
    return _over_rows(optax.huber_loss(output, target))


LOSSES = {
    "cross_entropy": JaxLoss(_cross_entropy, _softmax, takes_logits=True),
    "binary_cross_entropy": JaxLoss(_binary, jax.nn.sigmoid),
    "mse": JaxLoss(_squared, _same),
    "mae": JaxLoss(_absolute, _same),
    "huber": JaxLoss(_huber, _same),
}
"""The first two take logits: outputs before a softmax or a sigmoid."""
