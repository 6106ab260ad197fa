"""What loaders of transformer encoders share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import ConfigError
from cardioflow.models._signature import InputSignature
from cardioflow.models.pretrained._layers import set_layer
from cardioflow.models.pretrained._tensors import Tensors
from cardioflow.models.targets import SeveralLabels, Vector
from cardioflow.models.zoo._transformer import EncoderTransformer

__all__ = ["affine", "convolution", "dense", "depth_of", "fill", "pipeline_step", "positions", "separate_attention"]

Arrays = list[NDArray[np.float32]]


def pipeline_step(name: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """Return a step as the JSON of a pipeline has it."""
    return {"name": name, "args": list(args), "kwargs": kwargs}


def affine(tensors: Tensors, name: str) -> Arrays:
    """Return the scale and shift of a layer normalization."""
    return [tensors.take(f"{name}.weight"), tensors.take(f"{name}.bias")]


def dense(tensors: Tensors, name: str, *, bias: bool = True) -> Arrays:
    """Return the weights of a dense layer, as Keras has them."""
    kernel = tensors.take(f"{name}.weight").T
    return [kernel, tensors.take(f"{name}.bias")] if bias else [kernel]


def convolution(tensors: Tensors, name: str) -> Arrays:
    """Return the kernel of a convolution without a bias, as Keras has it."""
    return [tensors.take(f"{name}.weight").transpose(2, 1, 0)]


def positions(tensors: Tensors, name: str) -> Arrays:
    """Return direction, bias and length of the weight-normalized convolution ``name``.

    PyTorch has two names for each, of before and after 2.0.
    """
    of = f"{name}.parametrizations.weight."
    length, direction = (f"{of}original0", f"{of}original1")
    if length not in tensors:
        length, direction = f"{name}.weight_g", f"{name}.weight_v"
    kernel = tensors.take(direction).transpose(2, 1, 0)
    return [kernel, tensors.take(f"{name}.bias"), tensors.take(length).transpose(2, 1, 0)]


def separate_attention(tensors: Tensors, name: str) -> Arrays:
    """Return the weights of attention whose queries, keys and values come from a layer each."""
    parts = [dense(tensors, f"{name}.{part}_proj") for part in "qkv"]
    kernel, bias = (np.concatenate([part[i] for part in parts], axis=-1) for i in (0, 1))
    return [kernel, bias, *dense(tensors, f"{name}.out_proj")]


def depth_of(tensors: Tensors, name: str) -> int:
    """Return the number of blocks; ``name`` is that of a tensor, with ``{}`` for the number of its block."""
    return sum(1 for _ in _numbers(tensors, name))


def _numbers(tensors: Tensors, name: str) -> Iterator[int]:
    number = 0
    while name.format(number) in tensors:
        yield number
        number += 1


def fill(
    model: EncoderTransformer,
    weights: Iterable[tuple[str, Arrays]],
    path: str | Path,
    *,
    leads: tuple[str, ...],
    n_samples: int,
    fs: float,
    units: Any,
    classes: Sequence[str] | None = None,
) -> None:
    """Build ``model`` and give each layer its ``weights``.

    Its output are its features, or, when it does not ``embed``, the probabilities of labels that do not exclude each
    other, with the weights of the layer ``answer``.

    Raises:
        DumpError: when their shapes are others than those of the network.
        ConfigError: for another number of ``classes`` than the network has outputs.
    """
    own = dict(weights)
    n_outputs = model.width if model.embed else own["answer"][0].shape[1]
    if classes is not None and len(classes) != n_outputs:
        raise ConfigError(f"{str(path)!r} has {n_outputs} outputs, and classes are {len(classes)}. Name each output.")
    model.build((len(leads), n_samples), n_outputs, Vector() if model.embed else SeveralLabels())
    for layer, given in own.items():
        set_layer(model.model, layer, given, path)
    model.leads, model.units = leads, units
    model.classes = None if classes is None else tuple(classes)
    model._signature = InputSignature((len(leads), n_samples), fs)
