"""Losses on JAX."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

__all__ = ["JaxOps"]


class JaxOps:
    """The operations of losses, in JAX."""

    log = staticmethod(jnp.log)
    exp = staticmethod(jnp.exp)
    softplus = staticmethod(jax.nn.softplus)
    maximum = staticmethod(jnp.maximum)
    minimum = staticmethod(jnp.minimum)

    def log_softmax(self, x: Any) -> Any:
        return jax.nn.log_softmax(x, axis=-1)

    def sum(self, x: Any, axes: tuple[int, ...]) -> Any:
        return jnp.sum(x, axis=axes)

    def constant(self, values: tuple[float, ...], like: Any) -> Any:
        return jnp.asarray(values, like.dtype)

    def compared(self, x: Any, values: Any) -> Any:
        return (x >= values).astype(x.dtype)

    def log_sum_exp(self, x: Any) -> Any:
        return jax.scipy.special.logsumexp(x, axis=-1)
