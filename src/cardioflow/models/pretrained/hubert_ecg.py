"""HuBERT-ECG: HuBERT on 9.1 million ECGs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import scipy.signal

from cardioflow.batch.leads import GROUPS
from cardioflow.errors import DumpError
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
from cardioflow.models.zoo.hubert_ecg import HubertEcg

__all__ = ["LEADS", "PREPROCESSING", "load_hubert_ecg"]

LEADS: Final = GROUPS["standard"]
_FS: Final = 100.0
_N_SAMPLES: Final = 500
_FILTERED_AT: Final = 500
_CONVOLUTIONS: Final = ((10, 4), (3, 2), (3, 2), (2, 2), (2, 2))
"""Kernel and stride of each."""
_HEAD_WIDTHS: Final = {512: 64, 768: 64, 960: 80}
"""Of the small, base and large size."""


def _kernel() -> list[float]:
    """Return the filter as one kernel: 151 taps for 0.05–47 Hz at 500 Hz, forward and backward."""
    taps = scipy.signal.firwin(151, (0.05, 47), pass_zero=False, fs=_FILTERED_AT)
    return [round(float(value), 12) for value in np.convolve(taps, taps[::-1])]


_STEPS: Final = [
    pipeline_step("load", components=["signal", "meta"]),
    pipeline_step("reorder_channels", "standard"),
    pipeline_step("resample_signals", _FILTERED_AT),
    pipeline_step("convolve_signals", _kernel(), "reflect"),
    pipeline_step("min_max_scale", -1, 1),
    pipeline_step("resample_signals", 100),
    pipeline_step("drop_short_signals", _N_SAMPLES),
    pipeline_step("split_signals", _N_SAMPLES, _N_SAMPLES),
]
PREPROCESSING: Final = json.dumps({"cardioflow_pipeline": 2, "steps": _STEPS, "config": {}, "run": {}})
"""Twelve leads, filtered at 500 Hz, each of the whole record scaled to −1 … 1, at 100 Hz, cut into 5 s."""
_ONLY_TRAINED_WITH: Final = ("masked_spec_embed", "final_proj.", "label_embedding.")
"""Tensors that pre-training alone needs."""


def load_hubert_ecg(path: str | Path, *, n_heads: int | None = None) -> HubertEcg:
    """Return the encoder of HuBERT-ECG with the weights in ``path``, whose output is its 768 features.

    Coppola et al., "HuBERT-ECG as a self-supervised foundation model for broad and
    scalable cardiac applications", medRxiv 2024.11.14.24317328; small, base and large.
    The weights are under CC BY-NC 4.0: not for commercial use. The features are
    the mean over time, of which the authors' classifiers make their answer.
    Checkpoints with such a classifier are refused, because nothing in them says what
    its outputs mean; so is a ``.pt`` file of the authors that holds Python objects
    beside its tensors: save its ``model_state_dict`` as safetensors.

    ``model.preprocessing`` has the published steps: the filter of the authors' code
    (151 taps; the lower edge of 0.05 Hz is too low for so few, and 96 % of a constant
    remain), each lead of the whole record scaled to −1 … 1, 100 Hz, the leads one
    after another. Ours filters after the record was brought to 500 Hz and mirrors
    it at its ends; theirs filters before that, and brings it to 100 Hz as one row, in which
    the end of each lead runs into the next, with a filter of its own. To train with
    labels, save the model and pass its dump as ``pretrained`` to ``hubert_ecg``.

    Args:
        path: A ``.safetensors`` file, or a checkpoint of tensors alone.
        n_heads: The number of heads, which leaves no trace in the tensors; by default that of the published size.

    Raises:
        DumpError: when the file is missing, or does not hold such a network; nothing in it is run.
        ConfigError: when the width is not a multiple of ``n_heads``.
    """
    tensors = Tensors(path)
    depth = depth_of(tensors, "encoder.layers.{}.attention.q_proj.weight")
    n_convolutions = depth_of(tensors, "feature_extractor.conv_layers.{}.conv.weight")
    if n_convolutions != len(_CONVOLUTIONS):
        raise DumpError(
            f"{str(path)!r} has {n_convolutions} convolutions before its transformer, and the published networks "
            f"for 100 Hz have {len(_CONVOLUTIONS)}. Pass the file of one of them."
        )
    weights = dict(_weights(tensors, depth, n_convolutions))
    taps, n_inputs, width = weights["stem-positions"][0].shape
    model = HubertEcg(
        filters=weights["stem-norm2"][0].size,
        convolutions=_CONVOLUTIONS,
        width=width,
        depth=depth,
        n_heads=n_heads or max(width // _HEAD_WIDTHS.get(width, 64), 1),
        position_kernel=taps,
        position_groups=width // n_inputs,
        embed=True,
    )
    tensors.check_all_taken(lambda name: name.startswith(_ONLY_TRAINED_WITH))
    # Scaled signals have no unit.
    fill(model, weights.items(), path, leads=LEADS, n_samples=_N_SAMPLES, fs=_FS, units="any")
    model.preprocessing = PREPROCESSING
    return model


def _weights(tensors: Tensors, depth: int, n_convolutions: int) -> Iterator[tuple[str, Arrays]]:
    """Yield the name of each layer of ours with its weights."""
    for i in range(n_convolutions):
        yield f"stem-conv{i + 1}", convolution(tensors, f"feature_extractor.conv_layers.{i}.conv")
    yield "stem-norm1", affine(tensors, "feature_extractor.conv_layers.0.layer_norm")
    yield "stem-norm2", affine(tensors, "feature_projection.layer_norm")
    yield "stem-project", dense(tensors, "feature_projection.projection")
    yield "stem-positions", positions(tensors, "encoder.pos_conv_embed.conv")
    yield "stem-norm3", affine(tensors, "encoder.layer_norm")
    for i in range(depth):
        of, own = f"encoder.layers.{i}", f"block{i + 1:02}"
        yield f"{own}-attention", separate_attention(tensors, f"{of}.attention")
        yield f"{own}-norm1", affine(tensors, f"{of}.layer_norm")
        yield f"{own}-dense1", dense(tensors, f"{of}.feed_forward.intermediate_dense")
        yield f"{own}-dense2", dense(tensors, f"{of}.feed_forward.output_dense")
        yield f"{own}-norm2", affine(tensors, f"{of}.final_layer_norm")
