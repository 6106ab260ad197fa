"""The gradient of a prediction with respect to the input, on whatever computes the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import ModelError
from cardioflow.models.adapter import BackendModel
from cardioflow.models.base import BaseModel
from cardioflow.models.inputs import Signals

__all__ = ["Gradient", "gradient_of", "keras_gradient", "with_gradients"]

Array = NDArray[Any]
Gradient = Callable[[Array, Array], tuple[Array, Array]]
"""Of rows of input and the class of each; returns the score of that class and its gradient, both per row."""


def with_gradients(model: BaseModel, what: str) -> BackendModel:
    """Return ``model`` if it is a network on signals, whose gradient can be computed.

    Raises:
        ModelError: saying what to use instead.
    """
    known = isinstance(model, BackendModel) and model.adapter in ("keras", "torch", "jax", "tensorflow")
    if not known or not isinstance(model, BackendModel) or not isinstance(model.inputs, Signals):
        raise ModelError(
            f"{what} needs the gradient of a network on signals, and a {type(model).__name__} has none. Use occlusion."
        )
    model._require_model()
    return model


def gradient_of(model: BackendModel) -> Gradient:
    """Return the function that computes the gradient of the model's predictions."""
    if model.adapter == "keras":
        return keras_gradient(model.model)
    return {"torch": _torch, "jax": _jax, "tensorflow": _tensorflow}[model.adapter](model)


def keras_gradient(network: Any) -> Gradient:
    """Return the function for a Keras network, on the backend that Keras runs on."""
    from cardioflow.models._keras.backend import keras

    backend = keras.config.backend()
    if backend == "jax":
        return _keras_jax(network)
    if backend == "tensorflow":
        return _tape(lambda x: network(x, training=False))
    return _torch_call(lambda x: network(x, training=False), _keras_torch_device)


def _torch(model: Any) -> Gradient:
    module, loss = model._module(), model._loss()
    module.eval()
    predict = model.activation or loss.predict
    return _torch_call(lambda x: predict(module(x).float()), lambda: model._device)


def _torch_call(predict: Callable[[Any], Any], device: Callable[[], Any]) -> Gradient:
    import torch

    def gradient(x: Array, target: Array) -> tuple[Array, Array]:
        with torch.enable_grad():
            tensor = torch.tensor(x, device=device(), requires_grad=True)
            score = predict(tensor)[torch.arange(len(x)), torch.tensor(target)]
            (found,) = torch.autograd.grad(score.sum(), tensor)
        return score.detach().cpu().numpy(), found.cpu().numpy()

    return gradient


def _keras_torch_device() -> Any:
    from keras.src.backend.torch.core import get_device

    return get_device()


def _tensorflow(model: Any) -> Gradient:
    return _tape(lambda x: model.model(x, training=False))


def _tape(predict: Callable[[Any], Any]) -> Gradient:
    import tensorflow as tf

    def gradient(x: Array, target: Array) -> tuple[Array, Array]:
        tensor = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(tensor)
            score = tf.gather(predict(tensor), tf.constant(target), axis=1, batch_dims=1)
        return score.numpy(), tape.gradient(score, tensor).numpy()

    return gradient


def _jax(model: Any) -> Gradient:
    steps = model._compiled()
    trees = steps.split(model.model)
    return _jax_call(lambda x: steps.loss.predict(steps._output(trees.trained, trees.others, x, None)[0]))


def _keras_jax(network: Any) -> Gradient:
    trainable = [v.value for v in network.trainable_variables]
    others = [v.value for v in network.non_trainable_variables]
    return _jax_call(lambda x: network.stateless_call(trainable, others, x, training=False)[0])


def _jax_call(predict: Callable[[Any], Any]) -> Gradient:
    import jax

    @jax.jit
    def both(x: Any, target: Any) -> Any:
        def total(x: Any) -> Any:
            score = predict(x)[jax.numpy.arange(len(x)), target]
            return score.sum(), score

        return jax.grad(total, has_aux=True)(x)

    def gradient(x: Array, target: Array) -> tuple[Array, Array]:
        found, score = both(x, target)
        return np.asarray(score), np.asarray(found)

    return gradient
