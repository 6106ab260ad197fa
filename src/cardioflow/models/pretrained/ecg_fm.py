"""ECG-FM: wav2vec 2.0 on 1.5 million ECGs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from cardioflow.batch.leads import GROUPS
from cardioflow.errors import ConfigError
from cardioflow.models.pretrained._encoder import (
    Arrays,
    affine,
    convolution,
    dense,
    depth_of,
    fill,
    pipeline_step,
    positions,
    separate_attention,
)
from cardioflow.models.pretrained._tensors import Tensors
from cardioflow.models.zoo.ecg_fm import EcgFm

__all__ = ["LEADS", "PREPROCESSING", "load_ecg_fm"]

LEADS: Final = GROUPS["standard"]
_FS: Final = 500.0
_N_SAMPLES: Final = 2500
_STEPS: Final = [
    pipeline_step("load", components=["signal", "meta"]),
    pipeline_step("reorder_channels", "standard"),
    pipeline_step("resample_signals", 500),
    pipeline_step("standardize"),
    pipeline_step("drop_short_signals", _N_SAMPLES),
    pipeline_step("split_signals", _N_SAMPLES, _N_SAMPLES),
]
PREPROCESSING: Final = json.dumps({"cardioflow_pipeline": 2, "steps": _STEPS, "config": {}, "run": {}})
"""Twelve leads at 500 Hz, each standardized over the whole record (a flat one is 0), then cut into 5 s; unfiltered."""
_ONLY_TRAINED_WITH: Final = ("mask_emb", "quantizer.", "project_q.", "final_proj.")
"""Tensors that pre-training alone needs."""


def load_ecg_fm(path: str | Path, classes: Sequence[str] | None = None, *, n_heads: int = 12) -> EcgFm:
    """Return the encoder of ECG-FM with the weights in ``path``, for signals of (12, 2500).

    McKeen et al., "ECG-FM: an open electrocardiogram foundation model", arXiv
    2408.05178; its weights are published under the MIT licence. The output of
    ``mimic_iv_ecg_physionet_pretrained.pt`` is 768 features, the mean over time, as
    the authors' linear probe takes them. That of a checkpoint with labels, such as
    ``mimic_iv_ecg_finetuned.pt``, is the probability of each; labels do not exclude
    each other, as published. Width and depth are those of the tensors; the number of
    heads leaves no trace in them, nor does a normalization before attention
    instead of after it, which the published checkpoints do not have.

    ``model.preprocessing`` has the steps of the authors' inference notebook: 500 Hz,
    each lead of the whole record to mean 0 and deviation 1, then segments of 5 s. It
    resamples by a polyphase filter, and their code by linear interpolation. Some
    labels of a record are the largest of its segments there, others the mean; here
    all are the mean, or with ``predict_on_batch(aggregate="max")`` the largest. To train
    with other labels, save the model and pass its dump as ``pretrained`` to ``ecg_fm``.

    Args:
        path: A ``.safetensors`` file, or a checkpoint (``.pt``) of fairseq-signals.
        classes: The names of the labels in the order of the outputs, for a checkpoint with labels.
        n_heads: The number of heads; 12 as published.

    Raises:
        DumpError: when the file is missing, or does not hold such a network; nothing in it is run.
        ConfigError: when the width is not a multiple of ``n_heads``, or for another number of ``classes`` than the
            network has outputs.
    """
    tensors = Tensors(path)
    labelled = "proj.weight" in tensors
    if classes is not None and not labelled:
        raise ConfigError(f"{str(path)!r} is an encoder without labels. Leave classes out.")
    place = "encoder." if labelled else ""
    depth = depth_of(tensors, place + "encoder.layers.{}.fc1.weight")
    n_convolutions = depth_of(tensors, place + "feature_extractor.conv_layers.{}.0.weight")
    weights = dict(_weights(tensors, place, depth, n_convolutions))
    taps, n_inputs, width = weights["stem-positions"][0].shape
    model = EcgFm(
        filters=weights["stem-norm2"][0].size,
        convolutions=((2, 2),) * n_convolutions,
        width=width,
        depth=depth,
        n_heads=n_heads,
        position_kernel=taps,
        position_groups=width // n_inputs,
        embed=not labelled,
    )
    if labelled:
        weights["answer"] = dense(tensors, "proj")
    tensors.check_all_taken(lambda name: name.removeprefix(place).startswith(_ONLY_TRAINED_WITH))
    # Standardized signals have no unit.
    fill(model, weights.items(), path, leads=LEADS, n_samples=_N_SAMPLES, fs=_FS, units="any", classes=classes)
    model.preprocessing = PREPROCESSING
    return model


def _weights(tensors: Tensors, place: str, depth: int, n_convolutions: int) -> Iterator[tuple[str, Arrays]]:
    """Yield the name of each layer of ours with its weights."""
    for i in range(n_convolutions):
        yield f"stem-conv{i + 1}", convolution(tensors, f"{place}feature_extractor.conv_layers.{i}.0")
    yield "stem-norm1", affine(tensors, f"{place}feature_extractor.conv_layers.0.2")
    yield "stem-norm2", affine(tensors, f"{place}layer_norm")
    yield "stem-project", dense(tensors, f"{place}post_extract_proj")
    yield "stem-positions", positions(tensors, f"{place}conv_pos.pos_conv.0")
    yield "stem-norm3", affine(tensors, f"{place}encoder.layer_norm")
    for i in range(depth):
        of, own = f"{place}encoder.layers.{i}", f"block{i + 1:02}"
        yield f"{own}-attention", separate_attention(tensors, f"{of}.self_attn")
        yield f"{own}-norm1", affine(tensors, f"{of}.self_attn_layer_norm")
        yield f"{own}-dense1", dense(tensors, f"{of}.fc1")
        yield f"{own}-dense2", dense(tensors, f"{of}.fc2")
        yield f"{own}-norm2", affine(tensors, f"{of}.final_layer_norm")
