"""Losses on TensorFlow without Keras, for models that end in probabilities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from cardioflow.models.dump_header import Output
from cardioflow.models.losses.base import Loss, named_loss

__all__ = ["tensorflow_loss"]


class TensorFlowOps:
    """The operations of losses, in TensorFlow."""

    log = staticmethod(tf.math.log)
    exp = staticmethod(tf.exp)
    softplus = staticmethod(tf.math.softplus)
    maximum = staticmethod(tf.maximum)
    minimum = staticmethod(tf.minimum)

    def log_softmax(self, x: Any) -> Any:
        return tf.nn.log_softmax(x, axis=-1)

    def sum(self, x: Any, axes: tuple[int, ...]) -> Any:
        return tf.reduce_sum(x, axis=axes)

    def constant(self, values: tuple[float, ...], like: Any) -> Any:
        return tf.constant(values, like.dtype)

    def compared(self, x: Any, values: Any) -> Any:
        return tf.cast(x >= values, x.dtype)

    def log_sum_exp(self, x: Any) -> Any:
        return tf.reduce_logsumexp(x, axis=-1)


def tensorflow_loss(loss: str | Loss, of: Output = "exclusive", **parameters: Any) -> Callable[[Any, Any], Any]:
    """Return a function of (y_true, y_pred) for ``self.loss`` of a TensorFlow model that gives probabilities.

    Args:
        loss: The name of a loss, or a loss.
        of: What the model learns: ``"exclusive"``, ``"independent"``, ``"states"`` or ``"value"``.
        parameters: Those of a loss given by name.

    Raises:
        UnknownNameError: when there is no such loss.
        ModelError: for a parameter that it does not take, or when it cannot learn ``of``.
    """
    own = named_loss(loss, **parameters) if isinstance(loss, str) else loss
    kind = own.kind_of(of)
    ops = TensorFlowOps()

    def mean(y_true: Any, y_pred: Any) -> Any:
        y = tf.one_hot(tf.cast(y_true, tf.int32), y_pred.shape[-1]) if of == "states" else y_true
        return tf.reduce_mean(own.units(ops, own.logits(ops, y_pred, kind), tf.cast(y, y_pred.dtype), kind))

    return mean
