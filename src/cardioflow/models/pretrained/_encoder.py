"""What loaders of transformer encoders share."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.models._signature import InputSignature
from cardioflow.models.pretrained._layers import set_layer
from cardioflow.models.pretrained._tensors import Tensors
from cardioflow.models.targets import Vector
from cardioflow.models.zoo._lead_transformer import LeadTransformer

__all__ = ["affine", "dense", "depth_of", "fill", "pipeline_step"]

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


def depth_of(tensors: Tensors, name: str) -> int:
    """Return the number of blocks; ``name`` is that of a tensor, with ``{}`` for the number of its block."""
    depth = 0
    while name.format(depth) in tensors:
        depth += 1
    return depth


def fill(
    model: LeadTransformer,
    weights: Iterable[tuple[str, Arrays]],
    path: str | Path,
    *,
    leads: tuple[str, ...],
    n_samples: int,
    fs: float,
    units: Any,
) -> None:
    """Build ``model`` for features as its output, and give each layer its ``weights``.

    Raises:
        DumpError: when their shapes are others than those of the network.
    """
    model.build((len(leads), n_samples), model.width, Vector())
    for layer, given in weights:
        set_layer(model.model, layer, given, path)
    model.leads, model.units = leads, units
    model._signature = InputSignature((len(leads), n_samples), fs)
