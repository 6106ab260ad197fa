"""ECGFounder: a Net1D that was trained on 10.8 million ECGs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.leads import GROUPS
from cardioflow.errors import ConfigError
from cardioflow.models._signature import InputSignature
from cardioflow.models.pretrained._layers import set_layer
from cardioflow.models.pretrained._tensors import Tensors
from cardioflow.models.targets import SeveralLabels
from cardioflow.models.zoo.net1d import Net1d

__all__ = ["FS", "PREPROCESSING", "load_ecg_founder"]

FS: Final = 500.0
_N_SAMPLES: Final = 5000
_LEADS: Final = GROUPS["standard"]


def _step(name: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
    return {"name": name, "args": list(args), "kwargs": kwargs}


_STEPS: Final = [
    _step("load", components=["signal", "meta"]),
    _step("reorder_channels", "standard"),
    _step("resample_signals", 500),
    _step("drop_short_signals", _N_SAMPLES),
    _step("split_signals", _N_SAMPLES, _N_SAMPLES),
    _step("standardize", axis={"$tuple": [-2, -1]}),
]
PREPROCESSING: Final = json.dumps({"cardioflow_pipeline": 2, "steps": _STEPS, "config": {}, "run": {}})
"""Twelve leads at 500 Hz, cut into 10 s, each standardized over all leads and samples together."""

Arrays = list[NDArray[np.float32]]


def load_ecg_founder(path: str | Path, classes: Sequence[str] | None = None) -> Net1d:
    """Return the network of ECGFounder with the weights in ``path``, for signals of (12, 5000) or (1, 5000).

    Li et al., "An electrocardiogram foundation model built on over 10 million
    recordings", NEJM AI 2025; its weights are published under the MIT licence. The
    sizes of the network are those of the tensors. Its output is a probability for
    each label. ``model.preprocessing`` is that of the authors' evaluation on
    PTB-XL: 10 s at 500 Hz in the order of reports, standardized over all leads
    together, unfiltered. Their training code filters as well (a notch at 50 Hz,
    0.67–40 Hz, a median filter of 0.4 s), and overwrites the resampled signal by the
    one before: see to it that a checkpoint of your own
    gets what it was trained with. To start from it with other labels, save the
    model and pass its dump as ``pretrained`` to ``net1d``, with
    ``batch_norm=False`` and ``dropout=0.0``.

    Args:
        path: A ``.safetensors`` file, or a checkpoint (``.pth``) with a ``state_dict``.
        classes: The names of the labels in the order of the outputs, which the file does not have.

    Raises:
        DumpError: when the file is missing, or does not hold such a network; nothing in it is run.
        ConfigError: for another number of classes than the network has outputs.
    """
    tensors = Tensors(path)
    stages = list(_stages(tensors))
    stem = tensors.take("first_conv.conv.weight")
    # PyTorch counts the batches that a normalization has seen in training: none where it is made and not used.
    batch_norm = "first_bn.num_batches_tracked" in tensors and bool(tensors.take("first_bn.num_batches_tracked") > 0)
    model = Net1d(
        filters=tuple(filters for filters, _ in stages),
        depths=tuple(depth for _, depth in stages),
        stem_filters=stem.shape[0],
        kernel=stem.shape[2],
        batch_norm=batch_norm,
        dropout=0.0,
        multilabel=True,
    )
    n_leads, n_outputs = stem.shape[1], tensors.take("dense.bias").size
    if classes is not None and len(classes) != n_outputs:
        raise ConfigError(f"{str(path)!r} has {n_outputs} outputs, and classes are {len(classes)}. Name each output.")
    model.build((n_leads, _N_SAMPLES), n_outputs, SeveralLabels())
    for layer, weights in _weights(tensors, stages, batch_norm=batch_norm):
        set_layer(model.model, layer, weights, path)
    tensors.check_all_taken(lambda name: _is_unused(name, batch_norm=batch_norm))
    model.classes = None if classes is None else tuple(classes)
    if n_leads == len(_LEADS):
        model.leads, model.preprocessing = _LEADS, PREPROCESSING
    else:
        model.leads = "any"
    # Standardized signals have no unit.
    model.units = "any"
    model._signature = InputSignature((n_leads, _N_SAMPLES), FS)
    return model


def _is_unused(name: str, *, batch_norm: bool) -> bool:
    """Return whether the published code makes the tensor ``name`` and does not use it."""
    if name.endswith("num_batches_tracked") or name.startswith("stage_list.0.block_list.0.bn1."):
        return True
    return not batch_norm and bool({"first_bn", "bn1", "bn2", "bn3"} & set(name.split(".")))


def _stages(tensors: Tensors) -> Iterator[tuple[int, int]]:
    """Yield the filters and the number of blocks of each stage."""
    stage = 0
    while (name := f"stage_list.{stage}.block_list.0.conv1.conv.bias") in tensors:
        depth = 1
        while f"stage_list.{stage}.block_list.{depth}.conv1.conv.bias" in tensors:
            depth += 1
        yield tensors.take(name).size, depth
        stage += 1


def _weights(tensors: Tensors, stages: Sequence[tuple[int, int]], *, batch_norm: bool) -> Iterator[tuple[str, Arrays]]:
    """Yield the name of each layer of ours with its weights in the order of Keras."""
    yield "stem-conv", _conv(tensors, "first_conv.conv")
    if batch_norm:
        yield "stem-norm", _norm(tensors, "first_bn")
    places = [f"stage_list.{stage}.block_list.{i}" for stage, (_, depth) in enumerate(stages) for i in range(depth)]
    for number, place in enumerate(places, 1):
        for index in (1, 2, 3):
            yield f"block{number:02}-conv{index}", _conv(tensors, f"{place}.conv{index}.conv")
            if batch_norm and (number, index) != (1, 1):
                yield f"block{number:02}-{index}-norm", _norm(tensors, f"{place}.bn{index}")
        for index in (1, 2):
            yield f"block{number:02}-excite{index}", _dense(tensors, f"{place}.se_fc{index}")
    yield "answer", _dense(tensors, "dense")


def _conv(tensors: Tensors, name: str) -> Arrays:
    return [tensors.take(f"{name}.weight").transpose(2, 1, 0), tensors.take(f"{name}.bias")]


def _dense(tensors: Tensors, name: str) -> Arrays:
    return [tensors.take(f"{name}.weight").T, tensors.take(f"{name}.bias")]


def _norm(tensors: Tensors, name: str) -> Arrays:
    return [tensors.take(f"{name}.{part}") for part in ("weight", "bias", "running_mean", "running_var")]
