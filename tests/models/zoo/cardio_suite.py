"""CardIO's other networks: their sizes, and that they learn what they are for; ``test_cardio.py`` runs it."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow import EcgDataset, Pipeline
from cardioflow.batch import EcgBatch, Meta, Ragged
from cardioflow.errors import ConfigError, InputError, ModelError
from cardioflow.models import OnnxModel
from cardioflow.models.adapters import from_dump
from cardioflow.models.declaration import find
from cardioflow.models.export import export_onnx
from cardioflow.models.layers import TripletSimilarity
from cardioflow.models.zoo.attention_resnet import AttentionResnet
from cardioflow.models.zoo.auto_encoder import AutoEncoder
from cardioflow.models.zoo.conv_model import ConvModel
from cardioflow.models.zoo.triplet_embedding import TripletEmbedding
from cardioflow.models.zoo.triplet_learn import TripletLearn
from cardioflow.models.zoo.variational_auto_encoder import VariationalAutoEncoder

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


def batch(n: int = 8, length: int = 256) -> EcgBatch:
    """Return waves of 5 Hz and of 12 Hz in turn, with noise."""
    rng, t = np.random.default_rng(0), np.arange(length) / 300
    signals = [np.sin(2 * np.pi * (5, 12)[k % 2] * t + k)[None] + 0.1 * rng.normal(size=(1, length)) for k in range(n)]
    return EcgBatch(
        ids=tuple(f"R{i}" for i in range(n)),
        signal=Ragged.from_arrays([own.astype(np.float32) for own in signals]),
        meta=Meta.from_rows([{"fs": 300.0, "leads": ("I",)}] * n),
        target=np.eye(2, dtype=np.float32)[np.arange(n) % 2],
        classes=("A", "NO"),
    )


def n_trained(model) -> int:
    return sum(int(np.prod(w.shape)) for w in model.model.trainable_weights)


def test_the_attention_network_has_the_79_592_trained_parameters_of_cardio() -> None:
    assert n_trained(AttentionResnet().build((1, 1500), 4)) == 79_592


def test_the_convolutional_network_has_the_parameters_of_its_layers_by_hand() -> None:
    convolutions = sum(4 * a * b + 3 * b for a, b in ((1, 20), (20, 24), (24, 24), (24, 24), (24, 28), (28, 32)))
    assert n_trained(ConvModel().build((1, 3000), 2)) == convolutions + 33 * 8 + 16 + 9 * 2 + 4 == 13_638


@pytest.mark.parametrize("kind", [ConvModel, AttentionResnet])
def test_a_batch_is_learned_by_heart(kind) -> None:
    model = kind(learning_rate=1e-2).build((1, 256), 2)
    losses = [model.train_on_batch(batch())["loss"] for _ in range(25)]
    # Some of it is dropped out in every step.
    assert np.mean(losses[-5:]) < 0.6 * losses[0], losses


def test_the_loss_of_triplets_is_the_difference_of_cosine_similarities() -> None:
    embeddings = np.array([[1.0, 0], [3.0, 0], [0, 2.0], [1, 1], [-1, -1], [1, 1]], np.float32)
    # The first: alike (1), unlike (0.5). The second: opposed (0), equal (1).
    assert float(TripletSimilarity()(embeddings, embeddings)) == pytest.approx(((0.5 - 1) + (1 - 0)) / 2, abs=1e-6)


def test_triplets_of_real_records_are_learned_and_their_embedding_is_loaded(cinc, tmp_path) -> None:
    rows = [line.split(",") for line in (cinc / "REFERENCE.csv").read_text().split()]
    labels = {name: label for wanted in ("A", "N") for name, label in [r for r in rows if r[1] == wanted][:6]}
    template = (
        Pipeline()
        .load(src=labels, components="target")
        .load(components=["signal", "meta"])
        .get_triplets(2, 512)
        .train_on_batch("triplet_learn")
        .run(batch_size=6, n_epochs=3)
    )
    run = (EcgDataset([cinc / f"{name}.hea" for name in labels]) >> template).run()
    losses = run.get_variable("triplet_learn.train_loss")
    assert len(losses) == 6
    assert np.isfinite(losses).all()
    model = run.get_model("triplet_learn")
    model.save(tmp_path / "dump")
    embedding = find("triplet_embedding").build(None, None, {"path": tmp_path / "dump"})
    segments = EcgDataset(cinc / f"{next(iter(labels))}.hea").next_batch(1).load().split_signals(512)
    found = embedding.predict_on_batch(segments)
    assert found.shape == (segments.signal.shapes[0][0], 16)
    np.testing.assert_allclose(found, model.predict_on_batch(segments), atol=1e-6)
    with pytest.raises(ModelError, match="triplet_embedding only predicts"):
        embedding.train_on_batch(segments)


def test_what_is_no_triplet_is_refused() -> None:
    model = TripletLearn().build((1, 256))
    with pytest.raises(InputError, match="not cut into three"):
        model.train_on_batch(batch())
    with pytest.raises(InputError, match="Record 'R0' has 2 segments, and a triplet has 3"):
        model.train_on_batch(batch(length=512)[:1].split_signals(256))
    with pytest.raises(ConfigError, match="is the network of a saved triplet_learn"):
        TripletEmbedding.build_from(batch(), {})


@pytest.mark.parametrize("kind", [AutoEncoder, VariationalAutoEncoder])
def test_auto_encoders_learn_signals_and_give_codes_and_signals_of_codes(kind, tmp_path) -> None:
    model = kind(dims=(64, 8), learning_rate=1e-2).build((1, 256))
    losses = [model.train_on_batch(batch())["loss"] for _ in range(60)]
    assert losses[-1] < 0.5 * losses[0]
    p = model.predict_on_batch(batch())
    assert p.shape == (8, 1, 256)
    error = np.mean((p - batch().signal.dense()) ** 2)
    assert error < 0.5 * np.mean(batch().signal.dense() ** 2)
    codes = model.encode_on_batch(batch())
    assert codes.shape == (8, 8)
    np.testing.assert_allclose(model.decode(codes), p, atol=1e-5)
    with pytest.raises(InputError, match=r"codes of shape \(2, 3\) are not codes of this model"):
        model.decode(np.zeros((2, 3)))
    model.save(tmp_path / "dump")
    again = from_dump(tmp_path / "dump")
    np.testing.assert_allclose(again.predict_on_batch(batch()), p, atol=1e-6)
    np.testing.assert_allclose(again.encode_on_batch(batch()), codes, atol=1e-6)
    export_onnx(model, tmp_path / "coder.onnx")
    np.testing.assert_allclose(OnnxModel().load(tmp_path / "coder.onnx").predict_on_batch(batch()), p, atol=1e-5)


def test_the_loss_of_the_variational_auto_encoder_is_its_evidence_bound_by_hand() -> None:
    model = VariationalAutoEncoder(dims=(16, 3)).build((1, 256))
    model.train_on_batch(batch())
    import keras

    inner = keras.Model(
        model.model.input, [model.model.get_layer(n).output for n in ("code_mean", "code_log_deviation")]
    )
    mean, deviation = (np.asarray(v) for v in inner.predict(batch().signal.dense(), verbose=0))
    divergence = 0.5 * np.sum(mean**2 + np.exp(2 * deviation) - 1 - 2 * deviation, axis=1).mean()
    squared = np.mean((model.predict_on_batch(batch()) - batch().signal.dense()) ** 2)
    assert model.test_on_batch(batch())["loss"] == pytest.approx(squared + 2 / 256 * divergence, rel=1e-4)


def test_dims_that_are_no_sizes_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"dims=\(8, 0\) are not the sizes of layers"):
        AutoEncoder(dims=(8, 0))
