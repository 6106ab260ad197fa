"""The loaders of transformer encoders, on random weights under the published names; ``test_pretrained.py`` runs it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional

from cardioflow import Pipeline
from cardioflow.batch import EcgBatch, Meta, Ragged
from cardioflow.errors import DumpError
from cardioflow.models.declaration import find
from cardioflow.models.pretrained import ecg_jepa, st_mem

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


def draw(shapes: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    return {
        name: torch.randn(shape, generator=generator) * (shape[-1] ** -0.5 if len(shape) > 1 else 0.2)
        + (1.0 if "norm" in name and name.endswith("weight") else 0.0)
        for name, shape in shapes.items()
    }


def pair(name: str, *shape: int, bias: bool = True) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": shape} | ({f"{name}.bias": shape[:1]} if bias else {})


def jepa_shapes(width: int, depth: int) -> dict[str, tuple[int, ...]]:
    found = {"pos_embed": (400, width), **pair("W_P", width, 50), **pair("norm", width)}
    for i in range(depth):
        place = f"encoder_blocks.blocks.{i}"
        found |= pair(f"{place}.norm1", width) | pair(f"{place}.norm2", width)
        found |= pair(f"{place}.attn.qkv", 3 * width, width, bias=False) | pair(f"{place}.attn.proj", width, width)
        found |= pair(f"{place}.mlp.fc1", 4 * width, width) | pair(f"{place}.mlp.fc2", width, 4 * width)
    return found


def mem_shapes(width: int, depth: int) -> dict[str, tuple[int, ...]]:
    found = {"pos_embedding": (1, 32, width), "sep_embedding": (width,), **pair("norm", width)}
    found |= {f"lead_embeddings.{i}": (width,) for i in range(12)}
    place = "to_patch_embedding"
    found |= pair(f"{place}.1", 75) | pair(f"{place}.2", width, 75) | pair(f"{place}.3", width)
    for i in range(depth):
        found |= pair(f"block{i}.attn.norm", width) | pair(f"block{i}.ff.norm", width)
        found |= pair(f"block{i}.attn.fn.to_qkv", 3 * width, width)
        found |= pair(f"block{i}.attn.fn.to_out.0", width, width)
        found |= pair(f"block{i}.ff.fn.net.0", 4 * width, width) | pair(f"block{i}.ff.fn.net.3", width, 4 * width)
    return found


def batch(leads: tuple[str, ...], n: int) -> EcgBatch:
    signals = np.random.default_rng(0).normal(size=(2, len(leads), n)).astype(np.float32)
    meta = Meta.from_rows([{"fs": 250.0, "leads": leads, "units": ("mV",) * len(leads)}] * 2)
    return EcgBatch(ids=("a", "b"), signal=Ragged.from_arrays(list(signals)), meta=meta)


def normal(t: dict[str, Any], name: str, x: Any) -> Any:
    return functional.layer_norm(x, x.shape[-1:], t[f"{name}.weight"], t[f"{name}.bias"])


def dense(t: dict[str, Any], name: str, x: Any) -> Any:
    return functional.linear(x, t[f"{name}.weight"], t.get(f"{name}.bias"))


def attention(t: dict[str, Any], qkv: str, out: str, x: Any, *, n_heads: int, mask: Any = None) -> Any:
    rows, tokens, width = x.shape
    q, k, v = (
        part.reshape(rows, tokens, n_heads, -1).transpose(1, 2) for part in dense(t, qkv, x).split(width, dim=-1)
    )
    mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return dense(t, out, mixed.transpose(1, 2).reshape(rows, tokens, width))


def jepa_forward(t: dict[str, Any], depth: int, n_heads: int, x: Any) -> Any:
    """Compute what the paper's encoder does, from its description."""
    place = torch.arange(400)
    mask = (place[:, None] // 50 == place // 50) | (place[:, None] % 50 == place % 50)
    x = dense(t, "W_P", x.reshape(len(x), 400, 50))
    for i in range(depth):
        place = f"encoder_blocks.blocks.{i}"
        x = x + t["pos_embed"]
        x = x + attention(
            t, f"{place}.attn.qkv", f"{place}.attn.proj", normal(t, f"{place}.norm1", x), n_heads=n_heads, mask=mask
        )
        hidden = functional.gelu(dense(t, f"{place}.mlp.fc1", normal(t, f"{place}.norm2", x)))
        x = x + dense(t, f"{place}.mlp.fc2", hidden)
    return normal(t, "norm", x).mean(1)


def mem_forward(t: dict[str, Any], depth: int, x: Any) -> Any:
    """Compute what the paper's encoder does, from its description, lead by lead."""
    rows = []
    for lead in range(12):
        patches = normal(t, "to_patch_embedding.1", x[:, lead].reshape(len(x), 30, 75))
        patches = normal(t, "to_patch_embedding.3", dense(t, "to_patch_embedding.2", patches))
        ends = t["sep_embedding"].expand(len(x), 1, -1)
        rows.append(torch.cat([ends, patches, ends], 1) + t["pos_embedding"] + t[f"lead_embeddings.{lead}"])
    x = torch.cat(rows, 1)
    for i in range(depth):
        own = normal(t, f"block{i}.attn.norm", x)
        x = x + attention(t, f"block{i}.attn.fn.to_qkv", f"block{i}.attn.fn.to_out.0", own, n_heads=x.shape[-1] // 64)
        hidden = functional.gelu(dense(t, f"block{i}.ff.fn.net.0", normal(t, f"block{i}.ff.norm", x)))
        x = x + dense(t, f"block{i}.ff.fn.net.3", hidden)
    patches = torch.cat([x[:, 32 * lead + 1 : 32 * lead + 31] for lead in range(12)], 1)
    return normal(t, "norm", patches.mean(1))


def test_the_features_of_ecg_jepa_are_those_of_the_described_encoder(tmp_path) -> None:
    tensors = draw(jepa_shapes(32, 2))
    save_file(tensors, tmp_path / "jepa.safetensors")
    torch.save({"encoder": {f"module.{k}": v for k, v in tensors.items()}, "epoch": 3}, tmp_path / "jepa.pth")
    x = batch(ecg_jepa.LEADS, 2500)
    expected = jepa_forward(tensors, 2, 4, torch.from_numpy(x.signal.dense().copy())).numpy()
    for name in ("jepa.safetensors", "jepa.pth"):
        model = ecg_jepa.load_ecg_jepa(tmp_path / name, n_heads=4)
        np.testing.assert_allclose(model.predict_on_batch(x), expected, atol=2e-5)
    assert model.output == "value"
    model.save(tmp_path / "dump")
    labelled = x.replace(target=np.eye(2, dtype=np.float32), classes=("AF", "N"))
    settings = {"patch": 50, "width": 32, "depth": 2, "n_heads": 4, "freeze": "encoder"}
    tuned = find("ecg_jepa").build(labelled, None, {**settings, "pretrained": str(tmp_path / "dump")})
    assert tuned.train_on_batch(labelled)["loss"] > 0
    np.testing.assert_array_equal(
        tuned.model.get_layer("stem-positions").get_weights()[0], tensors["pos_embed"].numpy()
    )


def test_the_features_of_st_mem_are_those_of_the_described_encoder(tmp_path) -> None:
    tensors = draw(mem_shapes(128, 2))
    save_file({f"encoder.{k}": v for k, v in tensors.items()}, tmp_path / "mem.safetensors")
    x = batch(LEADS, 2250)
    expected = mem_forward(tensors, 2, torch.from_numpy(x.signal.dense().copy())).numpy()
    model = st_mem.load_st_mem(tmp_path / "mem.safetensors")
    np.testing.assert_allclose(model.predict_on_batch(x), expected, atol=2e-5)


def test_the_published_shapes_have_the_published_number_of_parameters() -> None:
    count = {name: int(np.prod(shape)) for name, shape in jepa_shapes(768, 12).items()}
    assert sum(count.values()) == 85_374_720
    assert sum(count.values()) - count["pos_embed"] == 85_067_520
    assert sum(int(np.prod(shape)) for shape in mem_shapes(768, 12).values()) == 85_150_614


def test_their_preprocessing_is_a_pipeline() -> None:
    jepa = Pipeline().load(components=["signal", "meta"]).keep_channels(list(ecg_jepa.LEADS))
    jepa = jepa.reorder_channels(list(ecg_jepa.LEADS)).resample_signals(250)
    jepa = jepa.drop_short_signals(2500).split_signals(2500, 2500)
    assert json.loads(ecg_jepa.PREPROCESSING) == json.loads(jepa.to_json())
    mem = Pipeline().load(components=["signal", "meta"]).reorder_channels("standard").resample_signals(250)
    mem = mem.drop_short_signals(2250).split_signals(2250, 2250).high_pass_signals(0.67).low_pass_signals(40)
    assert json.loads(st_mem.PREPROCESSING) == json.loads(mem.standardize(axis=(-2, -1)).to_json())


def test_other_files_are_refused_in_words(tmp_path) -> None:
    tensors = draw(jepa_shapes(32, 1))
    save_file({**tensors, "rope.periods": torch.zeros(3)}, tmp_path / "rope.safetensors")
    with pytest.raises(DumpError, match=r"no place for, such as 'rope.periods'"):
        ecg_jepa.load_ecg_jepa(tmp_path / "rope.safetensors")
    with pytest.raises(DumpError, match=r"has no tensor 'to_patch_embedding.1.weight'"):
        st_mem.load_st_mem(tmp_path / "rope.safetensors")
    save_file({**tensors, "pos_embed": torch.zeros(450, 32)}, tmp_path / "leads.safetensors")
    with pytest.raises(DumpError, match=r"for the layer 'stem-positions', and the network needs \[\(400, 32\)\]"):
        ecg_jepa.load_ecg_jepa(tmp_path / "leads.safetensors")
