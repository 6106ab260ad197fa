"""ECG-JEPA: an encoder that learned to predict the features of hidden patches."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cardioflow.models.pretrained._encoder import Arrays, affine, dense, depth_of, fill, pipeline_step
from cardioflow.models.pretrained._tensors import Tensors
from cardioflow.models.zoo.ecg_jepa import EcgJepa

__all__ = ["LEADS", "PREPROCESSING", "load_ecg_jepa"]

LEADS: Final = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
_FS: Final = 250.0
_N_SAMPLES: Final = 2500
_STEPS: Final = [
    pipeline_step("load", components=["signal", "meta"]),
    pipeline_step("keep_channels", list(LEADS)),
    pipeline_step("reorder_channels", list(LEADS)),
    pipeline_step("resample_signals", 250),
    pipeline_step("drop_short_signals", _N_SAMPLES),
    pipeline_step("split_signals", _N_SAMPLES, _N_SAMPLES),
]
PREPROCESSING: Final = json.dumps({"cardioflow_pipeline": 2, "steps": _STEPS, "config": {}, "run": {}})
"""Eight leads in millivolts at 250 Hz, cut into 10 s; neither filtered nor standardized."""


def load_ecg_jepa(path: str | Path, *, n_heads: int = 16) -> EcgJepa:
    """Return the encoder of ECG-JEPA with the weights in ``path``, whose output is its 768 features.

    Kim, "Learning general representation of 12-lead electrocardiogram with a
    joint-embedding predictive architecture", arXiv 2410.08559. The file has the
    encoder alone, or a checkpoint under the key ``encoder``. Depth and width are
    those of the tensors; the number of heads leaves no trace in them. Checkpoints
    with rotary positions, of the later code, are refused. The published code
    resamples by a Fourier transform, and ``model.preprocessing`` by a polyphase
    filter. To train with labels, save the model and pass its dump as
    ``pretrained`` to ``ecg_jepa``.

    Args:
        path: A ``.safetensors`` file, or a checkpoint (``.pth``).
        n_heads: The number of heads; 16 as published.

    Raises:
        DumpError: when the file is missing, or does not hold such a network; nothing in it is run.
        ConfigError: when the width is not a multiple of ``n_heads``.
    """
    tensors = Tensors(path)
    positions = tensors.take("pos_embed")
    depth = depth_of(tensors, "encoder_blocks.blocks.{}.norm1.weight")
    model = EcgJepa(
        patch=tensors.take("W_P.weight").shape[1], width=positions.shape[-1], depth=depth, n_heads=n_heads, embed=True
    )
    weights = list(_weights(tensors, depth))
    tensors.check_all_taken(lambda _: False)
    fill(model, weights, path, leads=LEADS, n_samples=_N_SAMPLES, fs=_FS, units=("mV",) * len(LEADS))
    model.preprocessing = PREPROCESSING
    return model


def _weights(tensors: Tensors, depth: int) -> Iterator[tuple[str, Arrays]]:
    """Yield the name of each layer of ours with its weights."""
    yield "stem-patches", dense(tensors, "W_P")
    yield "stem-positions", [tensors.take("pos_embed")]
    for i in range(depth):
        place, own = f"encoder_blocks.blocks.{i}", f"block{i + 1:02}"
        yield f"{own}-norm1", affine(tensors, f"{place}.norm1")
        qkv = dense(tensors, f"{place}.attn.qkv", bias=False)
        yield f"{own}-attention", [*qkv, *dense(tensors, f"{place}.attn.proj")]
        yield f"{own}-norm2", affine(tensors, f"{place}.norm2")
        yield f"{own}-dense1", dense(tensors, f"{place}.mlp.fc1")
        yield f"{own}-dense2", dense(tensors, f"{place}.mlp.fc2")
    yield "head-norm", affine(tensors, "norm")
