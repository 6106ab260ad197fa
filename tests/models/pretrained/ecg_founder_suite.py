"""The loader of ECGFounder, on random weights; ``test_pretrained.py`` runs it on torch."""

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
from cardioflow.errors import ConfigError, DumpError, InputError
from cardioflow.models.declaration import find
from cardioflow.models.pretrained.ecg_founder import PREPROCESSING, load_ecg_founder

SMALL = ((16, 1), (32, 2))
"""Filters and blocks of each stage."""
PUBLISHED = ((64, 2), (160, 2), (160, 2), (400, 3), (400, 3), (1024, 4), (1024, 4))


def checkpoint(stages: Any, n_leads: int = 12, n_outputs: int = 5, stem: int = 16) -> dict[str, Any]:
    """Return random tensors under the names of the published code."""
    generator = torch.Generator().manual_seed(0)
    found: dict[str, Any] = {}

    def layer(name: str, *shape: int) -> None:
        scale = (np.prod(shape[1:]) or 1) ** -0.5
        found[f"{name}.weight"] = torch.randn(shape, generator=generator) * scale
        found[f"{name}.bias"] = torch.randn(shape[:1], generator=generator) * 0.1

    def unused_norm(name: str, size: int) -> None:
        for part, value in (("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)):
            found[f"{name}.{part}"] = torch.full((size,), value)
        found[f"{name}.num_batches_tracked"] = torch.tensor(0)

    layer("first_conv.conv", stem, n_leads, 16)
    unused_norm("first_bn", stem)
    inside = stem
    for stage, (filters, depth) in enumerate(stages):
        for index in range(depth):
            place = f"stage_list.{stage}.block_list.{index}"
            unused_norm(f"{place}.bn1", inside)
            layer(f"{place}.conv1.conv", filters, inside, 1)
            layer(f"{place}.conv2.conv", filters, 16, 16)
            layer(f"{place}.conv3.conv", filters, filters, 1)
            unused_norm(f"{place}.bn2", filters)
            unused_norm(f"{place}.bn3", filters)
            layer(f"{place}.se_fc1", filters // 2, filters)
            layer(f"{place}.se_fc2", filters, filters // 2)
            inside = filters
    layer("dense", n_outputs, inside)
    return found


def same(x: Any, kernel: int, stride: int) -> Any:
    extra = max(0, (-(-x.shape[-1] // stride) - 1) * stride + kernel - x.shape[-1])
    return functional.pad(x, (extra // 2, extra - extra // 2))


def forward(t: dict[str, Any], stages: Any, x: Any) -> Any:
    """Compute what the paper's network does, from its description, in PyTorch's functions."""
    x = functional.silu(
        functional.conv1d(same(x, 16, 2), t["first_conv.conv.weight"], t["first_conv.conv.bias"], stride=2)
    )
    for stage, (filters, depth) in enumerate(stages):
        for index in range(depth):
            place, stride = f"stage_list.{stage}.block_list.{index}", 2 if index == 0 else 1

            def conv(y: Any, which: str, stride: int = 1, groups: int = 1, place: str = place) -> Any:
                weight, bias = t[f"{place}.{which}.conv.weight"], t[f"{place}.{which}.conv.bias"]
                return functional.conv1d(same(y, weight.shape[-1], stride), weight, bias, stride=stride, groups=groups)

            y = x if (stage, index) == (0, 0) else functional.silu(x)
            y = functional.silu(conv(y, "conv1"))
            y = functional.silu(conv(y, "conv2", stride, filters // 16))
            y = conv(y, "conv3")
            scale = functional.silu(
                functional.linear(y.mean(-1), t[f"{place}.se_fc1.weight"], t[f"{place}.se_fc1.bias"])
            )
            scale = torch.sigmoid(functional.linear(scale, t[f"{place}.se_fc2.weight"], t[f"{place}.se_fc2.bias"]))
            y = y * scale[..., None]
            if stride == 2:
                x = functional.max_pool1d(functional.pad(x, (0, 1)), 2)
            widen = filters - x.shape[1]
            x = y + functional.pad(x, (0, 0, widen // 2, widen - widen // 2))
    return torch.sigmoid(functional.linear(x.mean(-1), t["dense.weight"], t["dense.bias"]))


def batch(n_leads: int = 12, fs: float = 500.0) -> EcgBatch:
    signals = np.random.default_rng(0).normal(size=(2, n_leads, 5000)).astype(np.float32)
    leads = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")[:n_leads]
    return EcgBatch(
        ids=("a", "b"), signal=Ragged.from_arrays(list(signals)), meta=Meta.from_rows([{"fs": fs, "leads": leads}] * 2)
    )


def test_loaded_weights_predict_what_the_described_network_computes(tmp_path) -> None:
    tensors = checkpoint(SMALL)
    save_file(tensors, tmp_path / "founder.safetensors")
    # A checkpoint of the authors has its weights under "state_dict", beside others; DDP adds a prefix.
    torch.save({"state_dict": {f"module.{k}": v for k, v in tensors.items()}, "step": 3}, tmp_path / "founder.pth")
    x = batch()
    expected = forward(tensors, SMALL, torch.from_numpy(x.signal.dense().copy())).numpy()
    for name in ("founder.safetensors", "founder.pth"):
        model = load_ecg_founder(tmp_path / name, classes=tuple("abcde"))
        np.testing.assert_allclose(model.predict_on_batch(x), expected, atol=1e-5)
    assert model.output == "independent"
    assert model.classes == tuple("abcde")
    assert model.leads[3] == "aVR"
    with pytest.raises(InputError, match="trained on signals of 500 Hz, and record 'a' has 400 Hz"):
        model.predict_on_batch(batch(fs=400.0)[:1])


def test_the_published_shapes_are_loaded_whole(tmp_path) -> None:
    tensors = checkpoint(PUBLISHED, n_outputs=150, stem=64)
    # 66 368 of them are of batch normalizations that are made and not used.
    assert sum(t.numel() for n, t in tensors.items() if n.endswith(("weight", "bias"))) == 30_819_014
    save_file(tensors, tmp_path / "founder.safetensors")
    model = load_ecg_founder(tmp_path / "founder.safetensors")
    assert sum(w.size for w in model.get_weights()) == 30_752_646
    kernel = model.model.get_layer("block20-conv2").get_weights()[0]
    np.testing.assert_array_equal(kernel.transpose(2, 1, 0), tensors["stage_list.6.block_list.3.conv2.conv.weight"])


def test_its_preprocessing_is_a_pipeline() -> None:
    pipeline = (
        Pipeline()
        .load(components=["signal", "meta"])
        .reorder_channels("standard")
        .resample_signals(500)
        .drop_short_signals(5000)
        .split_signals(5000, 5000)
        .standardize(axis=(-2, -1))
    )
    assert json.loads(PREPROCESSING) == json.loads(pipeline.to_json())


def test_a_loaded_network_is_saved_and_starts_one_for_other_labels(tmp_path) -> None:
    save_file(checkpoint(SMALL), tmp_path / "founder.safetensors")
    load_ecg_founder(tmp_path / "founder.safetensors").save(tmp_path / "founder.model")
    labelled = batch().replace(target=np.eye(2, dtype=np.float32), classes=("AF", "N"))
    settings = {"filters": (16, 32), "depths": (1, 2), "stem_filters": 16, "batch_norm": False, "dropout": 0.0}
    tuned = find("net1d").build(
        labelled, None, {**settings, "pretrained": str(tmp_path / "founder.model"), "freeze": "encoder"}
    )
    assert tuned.train_on_batch(labelled)["loss"] > 0
    assert tuned.leads[0] == "I"


def test_another_file_is_refused_in_words(tmp_path) -> None:
    with pytest.raises(DumpError, match=r"There is no file .*none.pth"):
        load_ecg_founder(tmp_path / "none.pth")
    (tmp_path / "bad.safetensors").write_bytes(b"\0" * 30)
    with pytest.raises(DumpError, match="cannot be read as safetensors"):
        load_ecg_founder(tmp_path / "bad.safetensors")
    save_file({"conv.weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(DumpError, match=r"has no tensor 'first_conv.conv.weight'; its first are conv.weight"):
        load_ecg_founder(tmp_path / "other.safetensors")
    save_file({**checkpoint(SMALL), "extra.weight": torch.zeros(3)}, tmp_path / "extra.safetensors")
    with pytest.raises(DumpError, match=r"has 1 tensors that the network has no place for, such as 'extra.weight'"):
        load_ecg_founder(tmp_path / "extra.safetensors")
    save_file(checkpoint(SMALL), tmp_path / "founder.safetensors")
    with pytest.raises(ConfigError, match="has 5 outputs, and classes are 2"):
        load_ecg_founder(tmp_path / "founder.safetensors", classes=("A", "B"))


class Runs:
    """What a pickle would call."""

    def __reduce__(self) -> Any:
        return print, ("run",)


def test_code_in_a_checkpoint_is_not_run(tmp_path, capsys) -> None:
    torch.save({"state_dict": {"a": torch.zeros(1)}, "hook": Runs()}, tmp_path / "code.pth")
    with pytest.raises(DumpError, match=r"does not read .* as weights alone"):
        load_ecg_founder(tmp_path / "code.pth")
    assert "run" not in capsys.readouterr().out
