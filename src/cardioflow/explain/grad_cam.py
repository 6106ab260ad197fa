"""Which stretches of a record the last stage of a network looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.unstack import unstack
from cardioflow.errors import ModelError, nearest
from cardioflow.explain._gradients import keras_gradient, with_gradients
from cardioflow.explain._inputs import asked
from cardioflow.explain.relevance import Relevance
from cardioflow.models.base import BaseModel

__all__ = ["grad_cam"]

Array = NDArray[Any]


def grad_cam(model: BaseModel, batch: EcgBatch, target: int | None = None, *, layer: str | None = None) -> Relevance:
    """Return the stretches whose features speak for a class, at the resolution of a layer, stretched to the samples.

    Selvaraju et al., "Grad-CAM: visual explanations from deep networks via
    gradient-based localization", ICCV 2017: the channels of a layer, each
    weighted by the mean gradient of the score over time, added up, and negative
    sums set to 0. All leads get the same values, because a convolution over time has mixed them
    before. The layer's steps lie evenly over the record; for a network
    that does not keep them in place, the stretches are wrong.

    Args:
        model: A model on signals in Keras or PyTorch.
        batch: Records as the model takes them, of one shape.
        target: The number of the class; by default the one that is predicted for each record.
        layer: The name of a Keras layer whose output is (record, step, channel), or of a PyTorch module whose output
            is (record, channel, step); by default the last one in Keras, and the last convolution in PyTorch.

    Returns:
        Relevances of at least 0, whose leads are in the order in which the model takes them.

    Raises:
        InputError: when the model cannot take the batch, or there is no such class.
        ModelError: for a model that is neither, or has no such layer.
    """
    network = with_gradients(model, "grad_cam")
    if network.adapter not in ("keras", "torch"):
        raise ModelError(
            f"grad_cam needs the output of a layer, and {network.adapter} modules do not show theirs. Use "
            "integrated_gradients or occlusion."
        )
    own = asked(network.predict_on_batch, network._checked(unstack(batch)), target)
    find = _in_keras if network.adapter == "keras" else _in_torch
    activation, gradient = find(network, own.x, own.target, layer)
    weights = gradient.mean(axis=1, keepdims=True)
    map_ = np.maximum((weights * activation).sum(axis=2), 0)
    n_samples = own.x.shape[-1]
    centres = (np.arange(map_.shape[1]) + 0.5) * n_samples / map_.shape[1]
    over_time = np.stack([np.interp(np.arange(n_samples) + 0.5, centres, row) for row in map_])
    values = np.repeat(over_time[:, None], own.x.shape[1], axis=1)
    return Relevance(values, own.target, own.score, own.leads, np.full(len(own.x), np.nan))


def _in_keras(model: Any, x: Array, target: Array, name: str | None) -> tuple[Array, Array]:
    """Return the output of a layer and the gradient of the score with respect to it, both (record, step, channel)."""
    from cardioflow.models._keras.backend import keras

    network = model.model
    fitting = [own for own in getattr(network, "layers", ()) if _has_steps(own)]
    if name is not None:
        named = [own for own in fitting if own.name == name]
        if not named:
            raise ModelError(
                f"The model has no layer {name!r} with an output of (record, step, channel). "
                f"{nearest(name, [own.name for own in fitting])}"
            )
        fitting = named
    if not fitting:
        raise ModelError("The model has no layer with an output of (record, step, channel). Use integrated_gradients.")
    stage = fitting[-1].output
    try:
        before, after = keras.Model(network.input, stage), keras.Model(stage, network.output)
    except ValueError as error:
        raise ModelError(
            f"The prediction does not come from the layer {fitting[-1].name!r} alone, because a connection passes it "
            "by. Name a layer behind which there is none."
        ) from error
    activation = np.asarray(keras.ops.convert_to_numpy(before.predict_on_batch(x)))
    return activation, keras_gradient(after)(activation, target)[1]


def _has_steps(layer: Any) -> bool:
    output = getattr(layer, "output", None)
    shape: Any = getattr(output, "shape", ())
    is_input = type(layer).__name__ in ("InputLayer", "Permute")
    return not is_input and not isinstance(output, (list, tuple)) and len(shape) == 3 and (shape[1] or 2) > 1


def _in_torch(model: Any, x: Array, target: Array, name: str | None) -> tuple[Array, Array]:
    import torch

    module, predict = model._module(), model.activation or model._loss().predict
    modules = dict(model.model.named_modules())
    if name is None:
        found = [own for own in modules.values() if isinstance(own, torch.nn.Conv1d)]
        if not found:
            raise ModelError("The module has no Conv1d. Name the layer to look at, or use integrated_gradients.")
        layer = found[-1]
    elif name not in modules:
        raise ModelError(f"The module has no layer {name!r}. {nearest(name, [own for own in modules if own])}")
    else:
        layer = modules[name]
    kept: list[Any] = []
    hook = layer.register_forward_hook(lambda _module, _inputs, output: kept.append(output))
    module.eval()
    try:
        with torch.enable_grad():
            tensor = torch.tensor(x, device=model._device)
            score = predict(module(tensor).float())[torch.arange(len(x)), torch.tensor(target)]
            output = kept[-1]
            if not isinstance(output, torch.Tensor) or output.ndim != 3:
                raise ModelError(f"The layer {name!r} does not give (record, channel, step). Name another one.")
            (gradient,) = torch.autograd.grad(score.sum(), output)
    finally:
        hook.remove()
    both = (output.detach().cpu().numpy(), gradient.cpu().numpy())
    return np.swapaxes(both[0], 1, 2), np.swapaxes(both[1], 1, 2)
