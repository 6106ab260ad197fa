"""The loaders of ECG-FM and HuBERT-ECG, on random weights under the published names.

What they should compute is put together here from PyTorch's own layers.
``test_pretrained.py`` runs it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

from cardioflow import EcgDataset, Pipeline
from cardioflow.batch import EcgBatch, Meta, Ragged
from cardioflow.errors import ConfigError, DumpError
from cardioflow.models.declaration import find
from cardioflow.models.pretrained import ecg_fm, hubert_ecg

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
FM = (("self_attn", "self_attn_layer_norm", "fc1", "fc2"), "conv_pos.pos_conv.0", "layer_norm", "post_extract_proj")
HUBERT = (
    ("attention", "layer_norm", "feed_forward.intermediate_dense", "feed_forward.output_dense"),
    "encoder.pos_conv_embed.conv",
    "feature_projection.layer_norm",
    "feature_projection.projection",
)


def pair(name: str, *shape: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def encoder_shapes(names: Any, filters: int, width: int, *, depth: int, taps: int, groups: int) -> dict[str, Any]:
    (attention, norm, widen, narrow), place, norm_of_filters, project = names
    found = pair(norm_of_filters, filters) | pair(project, width, filters) | pair("encoder.layer_norm", width)
    weight = f"{place}.parametrizations.weight.original"
    found |= {f"{place}.bias": (width,), f"{weight}0": (1, 1, taps), f"{weight}1": (width, width // groups, taps)}
    for i in range(depth):
        of = f"encoder.layers.{i}"
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            found |= pair(f"{of}.{attention}.{part}", width, width)
        found |= pair(f"{of}.{norm}", width) | pair(f"{of}.final_layer_norm", width)
        found |= pair(f"{of}.{widen}", 4 * width, width) | pair(f"{of}.{narrow}", width, 4 * width)
    return found


def fm_shapes(filters: int = 16, width: int = 32, depth: int = 2, taps: int = 8, groups: int = 4) -> dict[str, Any]:
    found = encoder_shapes(FM, filters, width, depth=depth, taps=taps, groups=groups)
    for i in range(4):
        found[f"feature_extractor.conv_layers.{i}.0.weight"] = (filters, filters if i else 12, 2)
    return found | pair("feature_extractor.conv_layers.0.2", filters)


def fm_only_trained_with(filters: int, width: int) -> dict[str, Any]:
    found = {"mask_emb": (width,), "quantizer.vars": (1, 640, 128)}
    found |= pair("quantizer.weight_proj", 640, filters)
    return found | pair("project_q", 256, 256) | pair("final_proj", 256, width)


def hubert_shapes(filters: int = 16, width: int = 32, depth: int = 2, taps: int = 8, groups: int = 4) -> dict[str, Any]:
    found = encoder_shapes(HUBERT, filters, width, depth=depth, taps=taps, groups=groups)
    for i, kernel in enumerate((10, 3, 3, 2, 2)):
        found[f"feature_extractor.conv_layers.{i}.conv.weight"] = (filters, filters if i else 1, kernel)
    return found | pair("feature_extractor.conv_layers.0.layer_norm", filters)


def hubert_only_trained_with(width: int, n_clusters: int = 500, size: int = 256) -> dict[str, Any]:
    return {"masked_spec_embed": (width,), "label_embedding.0.weight": (n_clusters, size)} | pair(
        "final_proj.0", size, width
    )


def count(shapes: dict[str, tuple[int, ...]]) -> int:
    return sum(int(np.prod(shape)) for shape in shapes.values())


def draw(shapes: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    return {
        name: torch.randn(shape, generator=generator) * (np.prod(shape[1:]) ** -0.5 if len(shape) > 1 else 0.2)
        + (1.0 if len(shape) == 1 and name.endswith("weight") else 0.0)
        for name, shape in shapes.items()
    }


def batch(n: int, fs: float) -> EcgBatch:
    signals = np.random.default_rng(0).normal(size=(2, 12, n)).astype(np.float32)
    meta = Meta.from_rows([{"fs": fs, "leads": LEADS, "units": ("mV",) * 12}] * 2)
    return EcgBatch(ids=("a", "b"), signal=Ragged.from_arrays(list(signals)), meta=meta)


def described(t: dict[str, Any], names: Any, kernels: Any, first_norm: str, x: Any, *, n_heads: int) -> Any:
    """Compute what the papers' encoder does of ``x``, (row, channel, time), with PyTorch's own layers."""
    (attention, norm, widen, narrow), place, norm_of_filters, project = names
    for i, (name, stride) in enumerate(kernels):
        x = functional.conv1d(x, t[name], stride=stride)
        if not i:
            x = functional.group_norm(x, x.shape[1], t[f"{first_norm}.weight"], t[f"{first_norm}.bias"])
        x = functional.gelu(x)
    x = x.transpose(1, 2)
    x = functional.layer_norm(x, x.shape[-1:], t[f"{norm_of_filters}.weight"], t[f"{norm_of_filters}.bias"])
    x = functional.linear(x, t[f"{project}.weight"], t[f"{project}.bias"])
    length, direction = (t[f"{place}.parametrizations.weight.original{i}"] for i in (0, 1))
    taps, width = direction.shape[2], direction.shape[0]
    conv = nn.Conv1d(width, width, taps, padding=taps // 2, groups=width // direction.shape[1])
    conv = nn.utils.parametrizations.weight_norm(conv, dim=2)
    own = {"parametrizations.weight.original0": length, "parametrizations.weight.original1": direction}
    conv.load_state_dict({"bias": t[f"{place}.bias"], **own})
    x = x + functional.gelu(conv(x.transpose(1, 2))[..., :-1]).transpose(1, 2)
    x = functional.layer_norm(x, (width,), t["encoder.layer_norm.weight"], t["encoder.layer_norm.bias"])
    i = 0
    while f"encoder.layers.{i}.{widen}.weight" in t:
        of = f"encoder.layers.{i}"
        block = nn.TransformerEncoderLayer(width, n_heads, 4 * width, 0.0, "gelu", batch_first=True)
        ours = {"linear1": widen, "linear2": narrow, "norm1": norm, "norm2": "final_layer_norm"}
        ours["self_attn.out_proj"] = f"{attention}.out_proj"
        state = {f"{own}.{p}": t[f"{of}.{name}.{p}"] for own, name in ours.items() for p in ("weight", "bias")}
        for p in ("weight", "bias"):
            state[f"self_attn.in_proj_{p}"] = torch.cat([t[f"{of}.{attention}.{c}_proj.{p}"] for c in "qkv"])
        block.load_state_dict(state)
        x, i = block(x), i + 1
    return x.mean(1)


def fm_described(t: dict[str, Any], x: EcgBatch) -> Any:
    place = "feature_extractor.conv_layers"
    kernels = [(f"{place}.{i}.0.weight", 2) for i in range(4)]
    with torch.no_grad():
        return described(t, FM, kernels, f"{place}.0.2", torch.from_numpy(x.signal.dense().copy()), n_heads=4)


def test_the_features_of_ecg_fm_are_those_of_the_described_encoder(tmp_path) -> None:
    tensors = draw(fm_shapes() | fm_only_trained_with(16, 32))
    torch.save({"cfg": {"model": {"_name": "wav2vec2_cmsc"}}, "model": tensors, "args": None}, tmp_path / "fm.pt")
    # PyTorch before 2.0 had other names for the parts of a normalized weight.
    place, old = "conv_pos.pos_conv.0", dict(tensors)
    for part, name in (("0", "g"), ("1", "v")):
        old[f"{place}.weight_{name}"] = old.pop(f"{place}.parametrizations.weight.original{part}")
    save_file(old, tmp_path / "fm.safetensors")
    x = batch(2500, 500)
    expected = fm_described(tensors, x).numpy()
    for name in ("fm.pt", "fm.safetensors"):
        model = ecg_fm.load_ecg_fm(tmp_path / name, n_heads=4)
        np.testing.assert_allclose(model.predict_on_batch(x), expected, atol=2e-5)
    model.save(tmp_path / "dump")
    labelled = x.replace(target=np.eye(2, dtype=np.float32), classes=("AF", "N"))
    settings = {"filters": 16, "width": 32, "depth": 2, "n_heads": 4, "position_kernel": 8, "position_groups": 4}
    tuned = find("ecg_fm").build(
        labelled, None, {**settings, "freeze": "encoder", "pretrained": str(tmp_path / "dump")}
    )
    assert tuned.train_on_batch(labelled)["loss"] > 0
    direction, _, length = tuned.model.get_layer("stem-positions").get_weights()
    np.testing.assert_array_equal(direction.transpose(2, 1, 0), old[f"{place}.weight_v"].numpy())
    np.testing.assert_array_equal(length.transpose(2, 1, 0), old[f"{place}.weight_g"].numpy())


def test_a_checkpoint_of_ecg_fm_with_labels_gives_the_probability_of_each(tmp_path) -> None:
    tensors = draw(fm_shapes())
    head = draw(pair("proj", 3, 32))
    named = {f"encoder.{name}": tensor for name, tensor in tensors.items()} | head
    torch.save({"model": named}, tmp_path / "fm.pt")
    x = batch(2500, 500)
    features = fm_described(tensors, x)
    expected = torch.sigmoid(functional.linear(features, head["proj.weight"], head["proj.bias"])).numpy()
    model = ecg_fm.load_ecg_fm(tmp_path / "fm.pt", ("AF", "AFL", "PVC"), n_heads=4)
    np.testing.assert_allclose(model.predict_on_batch(x), expected, atol=1e-5)
    assert (model.output, model.classes) == ("independent", ("AF", "AFL", "PVC"))
    with pytest.raises(ConfigError, match=r"has 3 outputs, and classes are 2\. Name each output"):
        ecg_fm.load_ecg_fm(tmp_path / "fm.pt", ("AF", "N"), n_heads=4)


def test_the_features_of_hubert_ecg_are_those_of_the_described_encoder(tmp_path) -> None:
    tensors = draw(hubert_shapes() | hubert_only_trained_with(32))
    save_file(tensors, tmp_path / "hubert.safetensors")
    x = batch(500, 100)
    place = "feature_extractor.conv_layers"
    kernels = [(f"{place}.{i}.conv.weight", stride) for i, stride in enumerate((4, 2, 2, 2, 2))]
    # The leads one after another, as one channel.
    row = torch.from_numpy(x.signal.dense().reshape(2, 1, 6000).copy())
    with torch.no_grad():
        expected = described(tensors, HUBERT, kernels, f"{place}.0.layer_norm", row, n_heads=4).numpy()
    model = hubert_ecg.load_hubert_ecg(tmp_path / "hubert.safetensors", n_heads=4)
    np.testing.assert_allclose(model.predict_on_batch(x), expected, atol=2e-5)
    assert model.model.get_layer("block01-attention").output.shape[1] == 93


def test_the_published_shapes_have_the_published_numbers_of_parameters() -> None:
    base = {"width": 768, "depth": 12, "taps": 128, "groups": 16}
    ours = count(fm_shapes(256, **base))
    # 90.9 million in the paper.
    assert (ours, ours + count(fm_only_trained_with(256, 768))) == (90_373_248, 90_883_072)
    ours = count(hubert_shapes(512, **base))
    assert (ours, ours + count(hubert_only_trained_with(768))) == (92_798_080, 93_123_712)
    # The large one, which the paper gives as 188 million.
    large = hubert_shapes(512, width=960, depth=16, taps=128, groups=16) | hubert_only_trained_with(960, 500, 512)
    assert round(count(large), -6) == 188_000_000


def test_their_preprocessing_is_a_pipeline() -> None:
    start = Pipeline().load(components=["signal", "meta"]).reorder_channels("standard").resample_signals(500)
    fm = start.standardize().drop_short_signals(2500).split_signals(2500, 2500)
    assert json.loads(ecg_fm.PREPROCESSING) == json.loads(fm.to_json())
    steps = json.loads(hubert_ecg.PREPROCESSING)["steps"]
    kernel = next(step["args"][0] for step in steps if step["name"] == "convolve_signals")
    hubert = start.convolve_signals(kernel, "reflect").min_max_scale(-1, 1).resample_signals(100)
    hubert = hubert.drop_short_signals(500).split_signals(500, 500)
    assert json.loads(hubert_ecg.PREPROCESSING) == json.loads(hubert.to_json())


def test_hubert_ecg_gets_what_its_authors_steps_make_of_a_record(data: Path) -> None:
    path = min((data / "ptbxl" / "records500").rglob("*.hea"))
    (own,) = (EcgDataset(path) >> Pipeline.from_json(hubert_ecg.PREPROCESSING)).batches(batch_size=1)
    (raw,) = (EcgDataset(path) >> Pipeline().load(components=["signal", "meta"])).batches(batch_size=1)
    x = raw.signal[0].astype(np.float64)
    assert x.shape == (12, 5000)
    x = scipy.signal.filtfilt(scipy.signal.firwin(151, [0.05, 47], pass_zero=False, fs=500), 1, x)
    low, high = x.min(axis=1, keepdims=True), x.max(axis=1, keepdims=True)
    row = scipy.signal.decimate((2 * (x - low) / (high - low) - 1)[:, :2500].reshape(-1), 5).reshape(12, 500)
    ours = own.signal[0][0]
    # At the ends of a lead theirs runs into the next one; within, the two differ by their filters against aliasing.
    np.testing.assert_allclose(ours[:, 25:-25], row[:, 25:-25], atol=0.05)
    assert min(np.corrcoef(a, b)[0, 1] for a, b in zip(ours, row, strict=True)) > 0.995


def test_other_files_are_refused_in_words(tmp_path) -> None:
    path = tmp_path / "other.safetensors"
    save_file(draw(fm_shapes()), path)
    with pytest.raises(DumpError, match=r"has 0 convolutions before its transformer, .* have 5"):
        hubert_ecg.load_hubert_ecg(path)
    with pytest.raises(ConfigError, match=r"is an encoder without labels. Leave classes out"):
        ecg_fm.load_ecg_fm(path, ("AF",))
    save_file(draw(hubert_shapes() | pair("classifier", 2, 32)), path)
    with pytest.raises(DumpError, match=r"no place for, such as 'classifier.bias'"):
        hubert_ecg.load_hubert_ecg(path)
    with pytest.raises(DumpError, match=r"has no tensor 'feature_extractor.conv_layers.0.2.weight'"):
        ecg_fm.load_ecg_fm(path)
