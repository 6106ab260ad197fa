"""The contract of Keras models on the backend that ``KERAS_BACKEND`` names; ``test_backends.py`` runs it for each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from cardioflow.batch import Ragged
from cardioflow.errors import BadRecordsError, DumpError, InputError, ModelError
from cardioflow.models import KerasBaseModel
from cardioflow.models.declaration import find, model
from cardioflow.models.layers import RFFT, Inception2D
from cardioflow.models.zoo.fft_inception import FftInception

# Keras 3.15 implements __array__ with the signature of NumPy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

LAYERS = keras.layers


class SimpleFCModel(KerasBaseModel):
    """The model of the guide, flattened and with an activation."""

    def __init__(self) -> None:
        super().__init__()
        self._input_shape = None

    def build(self, input_shape: tuple[int, int], n_classes: int = 2, *, batchnorm: bool = False) -> SimpleFCModel:
        keras.utils.set_random_seed(1)
        self._input_shape = input_shape
        x = LAYERS.Input(input_shape)
        hidden = LAYERS.Dense(8, activation="relu")(LAYERS.Flatten()(x))
        if batchnorm:
            hidden = LAYERS.BatchNormalization()(hidden)
        self.model = keras.Model(x, LAYERS.Dense(n_classes, activation="softmax")(hidden))
        self.model.compile(loss="binary_crossentropy", optimizer="adam")
        return self


@pytest.fixture(scope="module")
def trained_fft(make_batch) -> FftInception:
    """One model for all tests, because jax takes 5 s to compile it."""
    built = FftInception().build((1, 400))
    built.train_on_batch(make_batch(8))
    return built


def crossentropy(y: Any, p: Any) -> float:
    return float(-(y * np.log(p) + (1 - y) * np.log(1 - p)).mean())


def test_the_backend_is_the_requested_one() -> None:
    assert keras.backend.backend() == os.environ["KERAS_BACKEND"]


def test_loss_and_metric_come_from_the_forward_pass_of_the_update(make_batch) -> None:
    model, batch = SimpleFCModel().build((1, 400)), make_batch(15)
    before = model.predict_on_batch(batch)
    result = model.train_on_batch(batch, metrics=f1_score, average="macro")
    assert result["loss"] == pytest.approx(crossentropy(batch.target, before), rel=1e-5)
    assert result["metric"] == f1_score(batch.target.argmax(1), before.argmax(1), average="macro")
    assert not np.allclose(before, model.predict_on_batch(batch))


@pytest.mark.parametrize(
    ("loss", "activation"),
    [("binary_crossentropy", "softmax"), ("bce", "sigmoid"), (keras.losses.BinaryCrossentropy(), "softmax")],
)
def test_binary_crossentropy_is_computed_from_the_predicted_probabilities(make_batch, loss, activation) -> None:
    built, batch = KerasBaseModel(), make_batch(8)
    x = LAYERS.Input((1, 400))
    built.model = keras.Model(x, LAYERS.Dense(2, activation=activation)(LAYERS.Flatten()(x)))
    built.model.compile(loss=loss, optimizer="adam")
    p = built.predict_on_batch(batch).astype(np.float64)
    expected = crossentropy(batch.target, np.clip(p, 1e-7, 1 - 1e-7))
    assert built.train_on_batch(batch)["loss"] == pytest.approx(expected, rel=1e-4)


def test_every_batch_has_its_own_loss_at_any_batch_size(make_batch) -> None:
    model = SimpleFCModel().build((1, 400))
    for n in (16, 9, 1, 12, 20):
        batch = make_batch(n, seed=n)
        p = model.predict_on_batch(batch)
        assert p.shape == (n, 2)
        tested = model.test_on_batch(batch, lambda a, b: float(len(b)))
        assert tested["metric"] == n
        assert tested["loss"] == pytest.approx(crossentropy(batch.target, p), rel=1e-5)
        trained = model.train_on_batch(batch, [f1_score, "roc_auc"], average="macro")
        assert trained["loss"] == pytest.approx(tested["loss"], rel=1e-5)
        if n > 1:
            assert trained["roc_auc"] == pytest.approx(roc_auc_score(batch.target[:, 1], p[:, 1]))
    assert len(model.hist["train_loss"]) == len(model.hist["train_roc_auc"]) == 5


@pytest.mark.parametrize("batchnorm", [False, True])
def test_an_update_does_not_depend_on_the_sizes_of_the_batches_before_a_checkpoint(
    make_batch, tmp_path, batchnorm
) -> None:
    # TensorFlow compiles for one size and later for any, and jax pads to a size that it knows: both round otherwise.
    def built() -> SimpleFCModel:
        made = SimpleFCModel().build((1, 400), batchnorm=batchnorm)
        made.model.compile(loss="categorical_crossentropy", optimizer="adam")
        return made

    going, seven, three = built(), make_batch(7), make_batch(3, seed=8)
    going.train_on_batch(seven)
    going.save_state(tmp_path)
    resumed = built()
    resumed.load_state(tmp_path)
    assert resumed.train_on_batch(three) == going.train_on_batch(three)
    assert resumed.test_on_batch(three) == going.test_on_batch(three)
    np.testing.assert_array_equal(resumed.predict_on_batch(three), going.predict_on_batch(three))
    for mine, theirs in zip(resumed.get_weights(), going.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("batchnorm", [False, True])
def test_updates_equal_those_of_a_plain_keras_loop_at_any_batch_size(make_batch, batchnorm) -> None:
    ours, bare = (SimpleFCModel().build((1, 400), batchnorm=batchnorm) for _ in range(2))
    for built in (ours, bare):
        # Not the binary one, which the bare loop takes of other probabilities on TensorFlow.
        built.model.compile(loss="categorical_crossentropy", optimizer="adam")
    for n in (16, 10, 16, 7):
        batch = make_batch(n, seed=n)
        ours.train_on_batch(batch)
        bare.model.train_on_batch(np.array(batch.signal.dense()), batch.target)
    for a, b in zip(ours.model.get_weights(), bare.model.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("network", ["dense", "fft_inception"])
def test_a_batch_is_learned_by_heart(make_batch, trained_fft, network) -> None:
    built = SimpleFCModel().build((1, 400), batchnorm=True) if network == "dense" else trained_fft
    built.set_learning_rate(0.01)
    batch = make_batch(8)
    first = built.train_on_batch(batch)["loss"]
    # Less on average over the last ones, because some features are dropped out in each.
    losses = [built.train_on_batch(batch, "accuracy")["loss"] for _ in range(50)]
    assert np.mean(losses[-5:]) < 0.3 * first
    assert np.mean(built.hist["train_metric"][-5:]) == 1.0
    built.set_learning_rate(0.001)


def test_several_labels_per_record_work_with_keras_metrics(make_batch) -> None:
    model, batch = SimpleFCModel().build((1, 400)), make_batch(12, several=True)
    model.model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    result = model.train_on_batch(batch, f1_score, average="macro", zero_division=0)
    assert 0 <= result["metric"] <= 1


def test_calling_keras_fit_before_or_after_is_harmless(make_batch) -> None:
    model, batch = SimpleFCModel().build((1, 400)), make_batch(8)
    x = np.array(batch.signal.dense())
    model.model.fit(x, batch.target, verbose=0)
    assert set(model.train_on_batch(batch, f1_score, average="macro")) == {"loss", "metric"}
    model.model.fit(x, batch.target, verbose=0, batch_size=8)


def test_predictions_are_equal_after_saving_and_loading_in_another_process(
    make_batch, trained_fft, tmp_path: Path
) -> None:
    batch = make_batch(8)
    paths = {}
    for name, built in {"fc": SimpleFCModel().build((1, 400)), "fft": trained_fft}.items():
        built.train_on_batch(batch)
        built.preprocessing = '{"steps": [["standardize", {}]]}'
        built.save(tmp_path / name)
        paths[name] = built
    np.save(tmp_path / "x.npy", batch.signal.dense())
    code = f"""
import numpy as np
from pathlib import Path
from cardioflow.batch import EcgBatch, Ragged
from cardioflow.models import KerasBaseModel
folder = Path({str(tmp_path)!r})
x = np.load(folder / "x.npy")
batch = EcgBatch(ids=tuple(map(str, range(len(x)))), signal=Ragged.from_arrays(list(x)))
for name in ("fc", "fft"):
    model = KerasBaseModel().load(folder / name)
    assert model.classes == ("A", "NO") and len(model.hist["train_loss"]) >= 1
    assert model.preprocessing == '{{"steps": [["standardize", {{}}]]}}'
    np.save(folder / (name + ".npy"), model.predict_on_batch(batch))
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    for name, built in paths.items():
        there = np.load(tmp_path / f"{name}.npy")
        np.testing.assert_allclose(there, built.predict_on_batch(batch), rtol=0, atol=1e-6)


def test_a_loaded_model_continues_training_as_if_it_had_never_been_saved(make_batch, tmp_path: Path) -> None:
    batch = make_batch(10)
    built = find("with_dropout").build(batch.replace(seed=3), None, {})
    built.train_on_batch(batch)
    built.save(tmp_path / "dump")
    again = KerasBaseModel().load(tmp_path / "dump")
    for _ in range(2):
        assert again.train_on_batch(batch) == pytest.approx(built.train_on_batch(batch), rel=1e-6)


def test_a_plain_keras_file_is_loaded(make_batch, tmp_path: Path) -> None:
    model, batch = SimpleFCModel().build((1, 400)), make_batch(10)
    model.model.save(tmp_path / "plain.keras")
    loaded = KerasBaseModel().load(tmp_path / "plain.keras")
    assert np.array_equal(loaded.predict_on_batch(batch), model.predict_on_batch(batch))
    assert loaded.classes is None


def test_a_file_with_code_in_it_is_refused(tmp_path: Path) -> None:
    x = LAYERS.Input((1, 4))
    keras.Model(x, LAYERS.Lambda(lambda v: v * 2)(x)).save(tmp_path / "lambda.keras")
    with pytest.raises(DumpError, match=r"The dump of KerasBaseModel cannot be loaded by Keras"):
        KerasBaseModel().load(tmp_path / "lambda.keras")


@pytest.mark.parametrize(
    ("module", "name", "config"),
    [
        ("subprocess", "Popen", {"args": ["touch", "ran"]}),
        ("os", "system", {"command": "touch ran"}),
        ("keras.layers", "TFSMLayer", {"filepath": "saved_model", "call_endpoint": "serve"}),
        ("keras.layers", "TorchModuleWrapper", {"module": {"class_name": "__bytes__", "config": {"value": "gAS="}}}),
        ("keras.layers", "StringLookup", {"vocabulary": "/etc/hostname"}),
        ("keras.utils", "get_file", {"provenance": "file:///etc/hostname"}),
        ("keras.config", "enable_unsafe_deserialization", {}),
    ],
)
def test_a_file_that_refers_to_more_than_layers_is_refused(tmp_path: Path, monkeypatch, module, name, config) -> None:
    monkeypatch.chdir(tmp_path)
    x = LAYERS.Input((1, 4))
    keras.Model(x, LAYERS.Dense(2)(x)).save("good.keras")
    with zipfile.ZipFile("good.keras") as good, zipfile.ZipFile("evil.keras", "w") as evil:
        for entry in good.namelist():
            content = good.read(entry)
            if entry == "config.json":
                tree = json.loads(content)
                hostile = {"module": module, "class_name": name, "config": config, "registered_name": None}
                tree["config"]["layers"][1].update(hostile)
                content = json.dumps(tree).encode()
            evil.writestr(entry, content)
    with pytest.raises(DumpError, match="cannot be loaded by Keras"):
        KerasBaseModel().load("evil.keras")
    assert {p.name for p in tmp_path.iterdir()} == {"good.keras", "evil.keras"}


def test_an_error_for_an_unregistered_layer_names_it_and_the_remedy(tmp_path: Path) -> None:
    class Own(LAYERS.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs

    x = LAYERS.Input((1, 4))
    keras.Model(x, Own()(x)).save(tmp_path / "own.keras")
    with pytest.raises(DumpError, match=r"(?s)Own.*register_keras_serializable\) and import their module"):
        KerasBaseModel().load(tmp_path / "own.keras")


@model(mode="dynamic")
def with_dropout(batch, config=None):
    made = KerasBaseModel()
    x = LAYERS.Input(batch.signal[0].shape)
    hidden = LAYERS.Dropout(0.5)(LAYERS.Dense(8, activation="relu")(LAYERS.Flatten()(x)))
    made.model = keras.Model(x, LAYERS.Dense(2, activation="softmax")(hidden))
    made.model.compile(loss="binary_crossentropy", optimizer="adam")
    return made


def test_the_same_seed_gives_the_same_weights_to_the_bit(make_batch) -> None:
    def trained(seed: int) -> list[Any]:
        built = find("with_dropout").build(make_batch(8).replace(seed=seed), None, {})
        for k in range(3):
            built.train_on_batch(make_batch(8, seed=k))
        return built.model.get_weights()

    first, again, other = trained(5), trained(5), trained(6)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_fft_inception_has_the_published_parameters_and_shapes() -> None:
    model = FftInception().build((1, 3000)).model
    assert model.count_params() == 5954
    shapes = {layer.name.rpartition("_")[0] or layer.name: layer.output.shape[1:] for layer in model.layers}
    blocks = [layer.output.shape[1:] for layer in model.layers if isinstance(layer, Inception2D)]
    assert blocks == [(128, 32, 16), (32, 16, 28), (8, 8, 40)]
    assert next(v.output.shape[1:] for v in model.layers if isinstance(v, RFFT)) == (184, 32)
    assert shapes


def test_fft_inception_stays_finite_on_a_flat_record(make_batch, trained_fft) -> None:
    batch = make_batch(8)
    flat = batch.replace(signal=Ragged(np.zeros(8 * 400, np.float32), batch.signal.shapes))
    for _ in range(2):
        assert np.isfinite(trained_fft.train_on_batch(flat)["loss"])
    assert all(np.isfinite(w).all() for w in trained_fft.model.get_weights())
    assert np.isfinite(trained_fft.predict_on_batch(batch)).all()


def test_fft_inception_takes_twelve_leads_and_nine_labels(make_batch) -> None:
    classes = tuple("ABCDEFGHI")
    model = find("fft_inception").build(make_batch(9, (12, 301), classes=classes), None, {"dropout": 0.0})
    assert model.predict_on_batch(make_batch(4, (12, 301))).shape == (4, 9)
    with pytest.raises(InputError, match=r"signals of 300 samples, but needs at least 301\. Cut longer segments"):
        FftInception().build((1, 300))


@pytest.mark.parametrize("n", [8, 9])
def test_rfft_equals_the_lower_half_of_numpys_magnitude(n) -> None:
    x = np.random.default_rng(0).normal(size=(2, n, 3)).astype(np.float32)
    found = keras.ops.convert_to_numpy(RFFT()(x))
    expected = np.abs(np.fft.rfft(x, axis=1))[:, : n // 2]
    assert found.shape == expected.shape == RFFT().compute_output_shape(x.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-6)


def test_a_model_whose_output_has_another_width_than_the_targets_is_refused(make_batch) -> None:
    model = SimpleFCModel().build((1, 400), n_classes=16)
    with pytest.raises(ModelError) as error:
        model.train_on_batch(make_batch(4))
    assert str(error.value) == (
        "The model returns (16,) per record, and the targets have (2,). For the loss 'binary_crossentropy', let it end "
        "in as many numbers as the targets have, such as Flatten() and then Dense(2)."
    )


@pytest.mark.parametrize("kind", ["sequential", "subclass"])
def test_a_model_that_infers_its_shape_from_the_first_batch_is_accepted(make_batch, tmp_path, kind) -> None:
    @keras.saving.register_keras_serializable(package="cardioflow-tests")
    class Subclass(keras.Model):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.flatten, self.dense = LAYERS.Flatten(), LAYERS.Dense(2, activation="softmax")

        def call(self, inputs: Any) -> Any:
            return self.dense(self.flatten(inputs))

    made, batch = KerasBaseModel(), make_batch(8)
    layers = [LAYERS.Flatten(), LAYERS.Dense(2, activation="softmax")]
    made.model = keras.Sequential(layers) if kind == "sequential" else Subclass()
    made.model.compile(loss="categorical_crossentropy", optimizer="adam")
    assert set(made.train_on_batch(batch, "f1")) == {"loss", "metric"}
    made.save(tmp_path / "dump")
    loaded = KerasBaseModel().load(tmp_path / "dump")
    np.testing.assert_allclose(loaded.predict_on_batch(batch), made.predict_on_batch(batch), atol=1e-6)


def test_signals_of_any_length_are_accepted_if_the_model_accepts_them(make_batch) -> None:
    made, x = KerasBaseModel(), LAYERS.Input((1, None))
    pooled = LAYERS.GlobalMaxPooling1D()(LAYERS.Conv1D(4, 3)(LAYERS.Permute((2, 1))(x)))
    made.model = keras.Model(x, LAYERS.Dense(2, activation="softmax")(pooled))
    made.model.compile(loss="categorical_crossentropy", optimizer="adam")
    for n_samples in (400, 300):
        assert np.isfinite(made.train_on_batch(make_batch(6, (1, n_samples)))["loss"])
    with pytest.raises(BadRecordsError, match=r"takes signals of shape \(1, any\), .* 'A00000' has \(2, 300\)"):
        # From records whose leads are known, the model would take its own by name.
        made.predict_on_batch(make_batch(6, (2, 300)).replace(meta=None))


def test_a_model_with_two_outputs_is_refused(make_batch) -> None:
    made, x = KerasBaseModel(), LAYERS.Input((1, 400))
    made.model = keras.Model(x, [LAYERS.Dense(2)(LAYERS.Flatten()(x)) for _ in range(2)])
    made.model.compile(loss="mse", optimizer="adam")
    for step in (made.train_on_batch, made.predict_on_batch):
        with pytest.raises(ModelError, match=r"The model has 2 outputs, and one was expected\. Concatenate"):
            step(make_batch(4))


def test_a_model_that_is_not_compiled_is_refused(make_batch) -> None:
    model = SimpleFCModel()
    x = LAYERS.Input((1, 400))
    model.model = keras.Model(x, LAYERS.Dense(2)(LAYERS.Flatten()(x)))
    with pytest.raises(ModelError, match=r"SimpleFCModel is not compiled. Call self.model.compile"):
        model.train_on_batch(make_batch(4))


def test_signals_of_another_length_than_the_models_are_refused(make_batch) -> None:
    batch = make_batch(4)
    mixed = batch.replace(signal=Ragged.from_arrays([*batch.signal[:3], np.zeros((1, 300), np.float32)]))
    built = SimpleFCModel().build((1, 400))
    before = built.model.get_weights()
    for step in (built.train_on_batch, built.test_on_batch, built.predict_on_batch):
        with pytest.raises(InputError) as error:
            step(mixed)
        assert error.value.record == "A00003"
        assert str(error.value) == (
            "The model takes signals of shape (1, 400), (lead, time), and record 'A00003' has (1, 300). "
            "Cut them to one length first, with split_signals or random_split_signals."
        )
    assert all(np.array_equal(a, b) for a, b in zip(built.model.get_weights(), before, strict=True))
    assert built.hist["train_loss"] == []


def test_model_summary_prints_the_layers(capsys) -> None:
    SimpleFCModel().build((1, 400)).model_summary()
    assert "dense" in capsys.readouterr().out


def test_the_config_path_loads_the_dump_and_the_builder_is_not_called(make_batch, trained_fft, tmp_path: Path) -> None:
    trained_fft.save(tmp_path / "dump")
    loaded = find("fft_inception").build(None, None, {"path": tmp_path / "dump"})
    assert isinstance(loaded, FftInception)
    batch = make_batch(8)
    assert np.array_equal(loaded.predict_on_batch(batch), trained_fft.predict_on_batch(batch))
