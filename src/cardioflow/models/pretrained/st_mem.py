"""ST-MEM: an encoder that learned to draw hidden patches of all leads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from cardioflow.batch.leads import GROUPS
from cardioflow.models.pretrained._encoder import Arrays, affine, dense, depth_of, fill, pipeline_step
from cardioflow.models.pretrained._tensors import Tensors
from cardioflow.models.zoo.st_mem import StMem

__all__ = ["LEADS", "PREPROCESSING", "load_st_mem"]

LEADS: Final = GROUPS["standard"]
_FS: Final = 250.0
_N_SAMPLES: Final = 2250
_HEAD_WIDTH: Final = 64
_STEPS: Final = [
    pipeline_step("load", components=["signal", "meta"]),
    pipeline_step("reorder_channels", "standard"),
    pipeline_step("resample_signals", 250),
    pipeline_step("drop_short_signals", _N_SAMPLES),
    pipeline_step("split_signals", _N_SAMPLES, _N_SAMPLES),
    pipeline_step("high_pass_signals", 0.67),
    pipeline_step("low_pass_signals", 40),
    pipeline_step("standardize", axis={"$tuple": [-2, -1]}),
]
PREPROCESSING: Final = json.dumps({"cardioflow_pipeline": 2, "steps": _STEPS, "config": {}, "run": {}})
"""Twelve leads at 250 Hz, cut into 9 s, 0.67 to 40 Hz, each standardized over all leads and samples together."""


def load_st_mem(path: str | Path) -> StMem:
    """Return the encoder of ST-MEM with the weights in ``path``, whose output is its 768 features.

    Na et al., "Guiding masked representation learning to capture spatio-temporal
    relationship of electrocardiogram", ICLR 2024. The file is that of the encoder.
    Sizes are those of the tensors, with heads of 64 numbers as published. The
    weights are under the licence of their owner, VUNO: read it before you use
    them. ``model.preprocessing`` has the bands and the order of the published
    settings; our filters are Butterworth filters of order 4, forward and backward. To
    train with labels, save the model and pass its dump as ``pretrained`` to ``st_mem``.

    Raises:
        DumpError: when the file is missing, or does not hold such a network; nothing in it is run.
    """
    tensors = Tensors(path)
    depth = depth_of(tensors, "block{}.attn.norm.weight")
    patch, width = tensors.take("to_patch_embedding.1.weight").size, tensors.take("sep_embedding").size
    model = StMem(patch=patch, width=width, depth=depth, n_heads=max(width // _HEAD_WIDTH, 1), embed=True)
    weights = list(_weights(tensors, depth))
    tensors.check_all_taken(lambda _: False)
    fill(model, weights, path, leads=LEADS, n_samples=_N_SAMPLES, fs=_FS, units="any")
    model.preprocessing = PREPROCESSING
    return model


def _weights(tensors: Tensors, depth: int) -> Iterator[tuple[str, Arrays]]:
    """Yield the name of each layer of ours with its weights."""
    yield "stem-norm1", affine(tensors, "to_patch_embedding.1")
    yield "stem-patches", dense(tensors, "to_patch_embedding.2")
    yield "stem-norm2", affine(tensors, "to_patch_embedding.3")
    leads = np.stack([tensors.take(f"lead_embeddings.{i}") for i in range(len(LEADS))])
    yield "stem-tokens", [tensors.take("pos_embedding")[0], tensors.take("sep_embedding"), leads]
    for i in range(depth):
        place, own = f"block{i}", f"block{i + 1:02}"
        yield f"{own}-norm1", affine(tensors, f"{place}.attn.norm")
        attention = f"{place}.attn.fn"
        yield f"{own}-attention", [*dense(tensors, f"{attention}.to_qkv"), *dense(tensors, f"{attention}.to_out.0")]
        yield f"{own}-norm2", affine(tensors, f"{place}.ff.norm")
        yield f"{own}-dense1", dense(tensors, f"{place}.ff.fn.net.0")
        yield f"{own}-dense2", dense(tensors, f"{place}.ff.fn.net.3")
    yield "head-norm", affine(tensors, "norm")
