"""The binary cross-entropy of a softmax, which Keras gets wrong on TensorFlow."""

from __future__ import annotations

from typing import Any

from cardioflow.models._keras import keras

__all__ = ["compute_loss_from_probabilities"]


def compute_loss_from_probabilities(model: Any) -> None:
    """Let a compiled ``model`` on TensorFlow compute its binary cross-entropy from what it predicts.

    Keras 3.15 there takes the numbers before the last activation instead and
    puts them through a sigmoid, also when the activation was a softmax: the
    loss is then that of other probabilities than the model predicts, and other
    than on torch and jax (0.84 instead of 1.03 on one random batch).
    """
    import tensorflow as tf  # only a model on TensorFlow comes here

    if "binary" not in _name(model.loss).lower():
        return
    compute = type(model).compute_loss

    def compute_loss(x: Any, y: Any, y_pred: Any, sample_weight: Any, **training: Any) -> Any:
        # A sigmoid's logits are the right ones, and more exact where it saturates. Eager tensors have no op.
        if isinstance(y_pred, tf.Tensor) and getattr(getattr(y_pred, "op", None), "type", None) != "Sigmoid":
            # The copy lacks the attribute in which Keras hands on the logits.
            y_pred = tf.identity(y_pred)
        return compute(model, x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, **training)

    model.compute_loss = compute_loss


def _name(loss: Any) -> str:
    """Return the full name of a loss given by name, as a function or as an object."""
    if isinstance(loss, str):
        loss = keras.losses.get(loss)  # "bce" is binary_crossentropy
    return str(getattr(loss, "__name__", type(loss).__name__))
