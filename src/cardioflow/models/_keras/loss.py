"""The binary cross-entropy of a softmax, which Keras computes wrongly on TensorFlow."""

from __future__ import annotations

from typing import Any

from cardioflow.models._keras.backend import keras

__all__ = ["compute_loss_from_probabilities"]


def compute_loss_from_probabilities(model: Any) -> None:
    """Let a compiled ``model`` on TensorFlow compute its binary cross-entropy from its predictions.

    There, Keras 3.15 takes the logits instead and applies a sigmoid to them,
    even if the last activation is a softmax: the loss is then not that of the
    predicted probabilities, and differs from the one on torch and jax (0.84
    instead of 1.03 on one random batch).
    """
    import tensorflow as tf  # only called for a model on TensorFlow

    if "binary" not in _name(model.loss).lower():
        return
    compute = type(model).compute_loss

    def compute_loss(x: Any, y: Any, y_pred: Any, sample_weight: Any, **training: Any) -> Any:
        # A sigmoid's logits are the right ones, and more precise where it saturates. Eager tensors have no op.
        if isinstance(y_pred, tf.Tensor) and getattr(getattr(y_pred, "op", None), "type", None) != "Sigmoid":
            # The copy does not have the attribute in which Keras passes the logits.
            y_pred = tf.identity(y_pred)
        return compute(model, x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, **training)

    model.compute_loss = compute_loss


def _name(loss: Any) -> str:
    """Return the full name of a loss, which may be a name, a function or an object."""
    if isinstance(loss, str):
        loss = keras.losses.get(loss)  # "bce" is binary_crossentropy
    return str(getattr(loss, "__name__", type(loss).__name__))
