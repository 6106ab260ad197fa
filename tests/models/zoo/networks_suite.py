"""The zoo's networks: sizes as published, lengths, targets, fine-tuning; ``test_networks.py`` runs it on torch."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from cardioflow import registry
from cardioflow.batch import EcgBatch, Meta, Ragged
from cardioflow.errors import ConfigError, DumpError, InputError
from cardioflow.models.declaration import find
from cardioflow.models.targets import LabelPerSample, Number
from cardioflow.models.training import TrainingOptions
from cardioflow.models.zoo._network import ZooNetwork

PUBLISHED = [
    # Counted from the code of the papers; batch normalization's running means count where the papers count them.
    ("resnet1d_wang", {}, (12, 250), 71, "trainable", 481_863),
    ("resnet1d_wang", {}, (12, 250), 5, "trainable", 473_349),
    ("xresnet1d101", {}, (12, 250), 71, "trainable", 1_880_775),
    ("xresnet1d101", {"depths": (3, 4, 6, 3)}, (12, 250), 71, "trainable", 962_503),
    ("inception1d", {}, (12, 250), 71, "trainable", 516_167),
    ("inception_time", {}, (1, 3000), 4, "all", 422_756),
    ("inception_time", {}, (12, 250), 71, "all", 502_983),
    ("ribeiro_resnet", {}, (12, 4096), 6, "all", 6_425_638),
    ("ribeiro_resnet", {}, (12, 4096), 6, "trainable", 6_421_910),
    ("hannun_resnet", {}, (1, 4096), 4, "trainable", 10_466_148),
    # The author's code has 128 more, in a batch normalization that it never uses.
    ("net1d", {}, (1, 3000), 4, "trainable", 30_658_100 - 128),
    ("net1d", {"batch_norm": False, "dropout": 0.0}, (12, 5000), 150, "trainable", 30_752_646),
    ("crnn", {}, (1, 9000), 4, "trainable", 5_632_548),
    ("s4", {}, (12, 250), 71, "trainable", 2_183_239),
    ("s4", {}, (12, 250), 5, "trainable", 2_149_381),
    # 5 473 152 before the answer, which has 192 weights and a bias for each of two labels.
    ("patch_transformer", {}, (12, 5000), 2, "trainable", 5_473_152 + 2 * 193),
    # As the papers' encoders, and 768 weights and a bias for each of two labels.
    ("ecg_jepa", {}, (8, 2500), 2, "trainable", 85_067_520 + 2 * 769),
    ("ecg_jepa", {}, (8, 2500), 2, "all", 85_374_720 + 2 * 769),
    ("st_mem", {}, (12, 2250), 2, "trainable", 85_150_614 + 2 * 769),
    # Without what only pre-training needs.
    ("ecg_fm", {}, (12, 2500), 2, "trainable", 90_883_072 - 509_824 + 2 * 769),
    ("hubert_ecg", {}, (12, 500), 2, "trainable", 93_123_712 - 325_632 + 2 * 769),
]
NETWORKS = sorted({name for name, *_ in PUBLISHED})
FIXED = ("ecg_fm", "ecg_jepa", "hubert_ecg", "patch_transformer", "s4", "st_mem")
"""Networks that take one length only."""
CLASSES = ("A", "N")


def size(model: Any, counted: str) -> int:
    weights = model.model.trainable_weights if counted == "trainable" else model.model.weights
    return sum(int(np.prod(w.shape)) for w in weights)


def batch(n: int = 8, shape: tuple[int, int] = (2, 300), *, fs: float = 100.0, **components: Any) -> EcgBatch:
    rng = np.random.default_rng(0)
    signals = rng.normal(scale=0.3, size=(n, *shape)).astype(np.float32)
    # Records of the second label have a wave of 5 Hz.
    signals[1::2] += np.sin(2 * np.pi * 5 * np.arange(shape[1]) / 100).astype(np.float32)
    made = EcgBatch(
        ids=tuple(f"R{i}" for i in range(n)),
        signal=Ragged.from_arrays(list(signals)),
        meta=Meta.from_rows([{"fs": fs, "leads": ("I", "II", "III")[: shape[0]]}] * n),
        target=np.eye(2, dtype=np.float32)[np.arange(n) % 2],
        classes=CLASSES,
    )
    return made.replace(**components) if components else made


def small(name: str, **settings: Any) -> Any:
    member = registry.models.get(name)
    return find(name).build(batch(), None, {**member.example_settings, **settings}, seed=1)


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: f"{row[0]}-{row[-1]}")
def test_the_number_of_parameters_is_the_published_one(row) -> None:
    name, settings, shape, n_outputs, counted, published = row
    with keras.device("meta"):
        built = registry.models.get(name)(**settings).build(shape, n_outputs)
    assert size(built, counted) == published


@pytest.mark.parametrize("name", [*NETWORKS, "unet1d"])
def test_the_size_that_a_class_says_is_published_is_its_own(name) -> None:
    member = registry.models.get(name)
    said = member.published
    assert said.source
    with keras.device("meta"):
        built = member().build(said.input_shape, *(() if name == "unet1d" else (said.n_outputs,)))
    assert size(built, said.counted) == said.parameters + said.ours_has
    others = {168_060, 30_658_100, 5_473_152, 85_067_520, 85_150_614, 90_883_072, 93_123_712}
    assert said.parameters in {*others, *(row[-1] for row in PUBLISHED)}


def test_the_unet_has_as_many_parameters_as_the_published_one() -> None:
    built = registry.models.get("unet1d")().build((1, 4000))
    assert (size(built, "all"), size(built, "trainable")) == (168_060, 167_324)
    assert built.targets == LabelPerSample("mask")


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_learns_a_batch_by_heart(name) -> None:
    built = small(name, learning_rate=1e-2)
    losses = [built.train_on_batch(batch())["loss"] for _ in range(20)]
    # Some of it is dropped out in every step.
    assert np.mean(losses[-5:]) < 0.5 * losses[0], losses


def test_the_unet_learns_states_by_heart() -> None:
    first = batch(4)
    states = (first.signal.dense()[:, 0] > 0).astype(np.int64)
    given = first.with_component("mask", states)
    built = find("unet1d").build(given, None, {"filters": (4, 8), "n_states": 2, "learning_rate": 1e-2}, seed=1)
    shares = [built.train_on_batch(given, "accuracy")["metric"] for _ in range(30)]
    assert shares[-1] > 0.9, shares


@pytest.mark.parametrize("name", sorted({*NETWORKS, "unet1d"} - {*FIXED, "ribeiro_resnet"}))
def test_a_network_for_any_length_gives_what_one_for_that_length_gives(name) -> None:
    settings = registry.models.get(name).example_settings
    arguments = () if name == "unet1d" else (2,)
    free = registry.models.get(name)(**settings, any_length=True).build((2, 500), *arguments)
    for n_samples in (500, 617):
        fixed = registry.models.get(name)(**settings).build((2, n_samples), *arguments)
        fixed.set_weights(free.get_weights())
        x = batch(2, (2, n_samples))
        np.testing.assert_allclose(free.predict_on_batch(x), fixed.predict_on_batch(x), atol=1e-5)


def test_ribeiros_network_for_any_length_takes_the_mean_of_its_features() -> None:
    free = registry.models.get("ribeiro_resnet")(filters=(4, 8, 8), kernel=8, any_length=True).build((2, None))
    assert free.predict_on_batch(batch(3, (2, 777))).shape == (3, 2)
    assert size(free, "trainable") < size(small("ribeiro_resnet"), "trainable")


@pytest.mark.parametrize("name", FIXED)
def test_a_network_for_one_length_says_why_it_takes_no_other(name) -> None:
    with pytest.raises(ConfigError, match=r"any_length=True\) is not possible: .* Cut the signals to one length"):
        small(name, any_length=True)
    with pytest.raises(InputError, match="cannot be built for any length"):
        registry.models.get(name)().build((2, None))


def test_too_short_signals_are_refused_with_the_length_that_is_needed() -> None:
    with pytest.raises(InputError, match="Crnn got signals of 63 samples, but needs at least 64"):
        registry.models.get("crnn")().build((1, 63))
    with pytest.raises(InputError, match="signals of 49 samples, but a patch has 50"):
        registry.models.get("patch_transformer")().build((1, 49))


def test_targets_decide_activation_and_loss() -> None:
    one, several, age = (
        small("resnet1d_wang"),
        small("resnet1d_wang", multilabel=True),
        find("resnet1d_wang").build(
            batch(target=np.array([20.0, 50, 80, 33, 45, 61, 70, 19], np.float32), classes=None), None, {"filters": 8}
        ),
    )
    assert [m.output for m in (one, several, age)] == ["exclusive", "independent", "value"]
    assert [m.model.loss for m in (one, several, age)] == [
        "categorical_crossentropy",
        "binary_crossentropy",
        "mean_squared_error",
    ]
    np.testing.assert_allclose(one.predict_on_batch(batch()).sum(axis=1), 1, atol=1e-5)
    assert not np.allclose(several.predict_on_batch(batch()).sum(axis=1), 1, atol=1e-3)
    assert age.targets == Number()
    assert age.predict_on_batch(batch()).shape == (8, 1)
    with pytest.raises(ConfigError, match=r"targets=LabelPerSample\(.*are not. Pass OneLabel"):
        registry.models.get("resnet1d_wang")().build((2, 300), 2, LabelPerSample())


def test_a_linear_probe_trains_the_answer_only_and_keeps_running_means() -> None:
    built = small("resnet1d_wang", freeze="encoder")
    assert built.blocks() == ("stem", "block1", "block2", "block3", "head", "answer")
    before = {w.path: keras.ops.convert_to_numpy(w).copy() for w in built.model.weights}
    for _ in range(2):
        built.train_on_batch(batch())
    moved = {w.path for w in built.model.weights if not np.array_equal(before[w.path], keras.ops.convert_to_numpy(w))}
    assert {path.split("/")[0] for path in moved} == {"answer"}
    with pytest.raises(ConfigError, match="freeze names 'block9', which is not a part of the network"):
        small("resnet1d_wang", freeze=("block9",)).train_on_batch(batch())
    with pytest.raises(ConfigError, match="names all parts of the network, and nothing would be trained"):
        small("resnet1d_wang", freeze=built.blocks()).train_on_batch(batch())


def test_a_pretrained_network_gives_its_weights_leads_and_rate_to_one_for_other_labels(tmp_path) -> None:
    source = small("resnet1d_wang")
    source.train_on_batch(batch())
    source.save(tmp_path / "source.model")
    other = batch(target=np.eye(3, dtype=np.float32)[np.arange(8) % 3], classes=("X", "Y", "Z"))
    settings = {"filters": 8, "pretrained": str(tmp_path / "source.model"), "layer_decay": 0.5}
    tuned = find("resnet1d_wang").build(other, None, settings)
    assert tuned.leads == ("I", "II")
    assert tuned.predict_on_batch(other).shape == (8, 3)
    for layer in source.model.layers:
        if layer.name != "answer":
            own = tuned.model.get_layer(layer.name).get_weights()
            assert all(np.array_equal(a, b) for a, b in zip(own, layer.get_weights(), strict=True))
    tuned.train_on_batch(other)
    with pytest.raises(InputError, match="trained on signals of 100 Hz, and record 'R0' has 500 Hz"):
        find("resnet1d_wang").build(batch(1, fs=500.0), None, settings)
    with pytest.raises(DumpError, match="Pass the settings with which the pretrained network was built"):
        find("resnet1d_wang").build(other, None, {**settings, "filters": 4})
    with pytest.raises(DumpError, match="is the dump of Resnet1dWang, and pretrained is that of a Inception1d"):
        small("inception1d", pretrained=settings["pretrained"])


def test_every_network_names_its_blocks_from_the_signal_to_the_answer() -> None:
    for name in NETWORKS:
        blocks = small(name).blocks()
        assert blocks[-1] == "answer", name
        numbered = [block for block in blocks if block.startswith("block")]
        assert numbered == sorted(numbered), name


def test_thawing_trains_all_parts_again_with_a_new_optimizer() -> None:
    built = small("resnet1d_wang", freeze="encoder")
    built.train_on_batch(batch())
    built.training = TrainingOptions(freeze=())
    before = built.get_weights()[0]
    built.train_on_batch(batch())
    assert not np.array_equal(before, built.get_weights()[0])
    assert isinstance(built, ZooNetwork)
