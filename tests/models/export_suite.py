"""Keras models as ONNX on the backend that ``KERAS_BACKEND`` names; ``test_backends.py`` runs it for each."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import cardioflow
from cardioflow.batch import EcgBatch, Ragged
from cardioflow.errors import InputError, ModelError
from cardioflow.models import KerasBaseModel, OnnxModel
from cardioflow.models.export import export_onnx
from cardioflow.models.layers.crop_like import CropLike
from cardioflow.models.zoo.fft_inception import FftInception

# Keras 3.15 implements __array__ with the signature of NumPy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

L = keras.layers


def network(layers: Any, n_samples: int | None = None, loss: str = "categorical_crossentropy") -> KerasBaseModel:
    made, x = KerasBaseModel(), L.Input((1, n_samples))
    made.model = keras.Model(x, layers(L.Permute((2, 1))(x)))
    made.model.compile(loss=loss, optimizer="adam")
    return made


def convolutions(x: Any) -> Any:
    x = L.Conv1D(8, 7, strides=2, padding="same", use_bias=False)(x)
    x = L.ReLU()(L.BatchNormalization()(x))
    x = L.MaxPooling1D(3, 2, padding="same")(x)
    x = L.SeparableConv1D(8, 5, padding="same", activation="gelu")(x)
    x = L.Conv1D(8, 5, groups=4, padding="same", dilation_rate=2, activation="silu")(x)
    # On torch, what Keras makes of the edges depends on the length.
    edge = "valid" if keras.backend.backend() == "torch" else "same"
    x = L.AveragePooling1D(3, 2, padding=edge)(L.LayerNormalization()(L.DepthwiseConv1D(3)(x)))
    x = L.Conv1D(8, 5, padding="causal")(L.SpatialDropout1D(0.3)(x))
    x = x + L.MultiHeadAttention(2, 4)(x, x)
    pooled = L.Concatenate()([L.GlobalAveragePooling1D()(x), L.GlobalMaxPooling1D()(x)])
    return L.Dense(2, activation="softmax")(L.Dropout(0.5)(pooled))


def u_net(x: Any) -> Any:
    first = L.Conv1D(4, 9, padding="same", activation="relu")(x)
    deep = L.Conv1D(8, 9, padding="same", activation="leaky_relu")(L.MaxPooling1D(2)(first))
    up = [L.UpSampling1D(2)(deep), CropLike()([L.Conv1DTranspose(4, 8, strides=2, padding="same")(deep), first])]
    return L.Conv1D(2, 1, activation="softmax")(L.Concatenate()([first, *up]))


def test_fft_inception_predicts_the_same_as_onnx_and_needs_no_keras(make_batch, tmp_path: Path) -> None:
    batch = make_batch(8)
    trained = FftInception().build((1, 400))
    trained.classes, trained.leads, trained._signature.input_shape = ("A", "NO"), ("I",), (1, 400)
    exported = export_onnx(trained, tmp_path / "fft.onnx")
    assert exported.compared.lengths == (400,)
    assert exported.compared.difference <= 1e-5
    assert exported.opset == 17
    loaded = cardioflow.load(tmp_path / "fft.onnx").model
    assert isinstance(loaded, OnnxModel)
    assert (loaded.classes, loaded.leads) == (("A", "NO"), ("I",))
    np.testing.assert_allclose(loaded.predict_on_batch(batch), trained.predict_on_batch(batch), rtol=0, atol=1e-5)
    # The layers of the model can be used as before.
    assert trained.model.layers[1].output.shape == (None, 400, 1)


# JAX compiles for seconds at each length.
NETWORKS = [convolutions] if keras.backend.backend() == "jax" else [convolutions, u_net]


@pytest.mark.parametrize("layers", NETWORKS, ids=lambda f: f.__name__)
def test_layers_give_the_same_at_lengths_that_were_not_built(tmp_path: Path, layers) -> None:
    made = network(layers)
    made._signature.input_shape = (1, 256)
    for layer in made.model.layers:
        if isinstance(layer, L.BatchNormalization):
            # As training leaves them, and not 0 and 1.
            layer.set_weights([w + np.arange(1, 9) / 10 for w in layer.get_weights()])
    exported = export_onnx(made, tmp_path / "net.onnx")
    assert exported.free_time
    assert len(exported.compared.lengths) == 3
    assert exported.compared.difference <= 1e-5


@pytest.mark.parametrize("n_samples", [254, 255])
def test_averages_at_the_edges_are_those_of_the_backend_for_signals_of_one_length(tmp_path: Path, n_samples) -> None:
    # Keras on torch counts what lies beyond an edge, where one side needs more of it; for 255 samples both need one.
    made = network(lambda x: L.Flatten()(L.AveragePooling1D(3, 2, padding="same")(x)), n_samples)
    x = np.random.default_rng(0).normal(size=(1, 1, n_samples)).astype(np.float32)
    exported = export_onnx(made, tmp_path / "net.onnx")
    assert exported.compared.difference <= 1e-6
    last = x[0, 0, -2:]
    expected = last.mean() if keras.backend.backend() != "torch" or n_samples == 255 else (last.sum() + last[1]) / 3
    assert OnnxModel().load(tmp_path / "net.onnx")._predict(x)[0, -1] == pytest.approx(expected, abs=1e-6)


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="The edges do not depend on the length elsewhere.")
def test_averages_of_keras_on_torch_are_exported_for_the_length_of_the_training(tmp_path: Path) -> None:
    made = network(lambda x: L.Dense(2)(L.GlobalAveragePooling1D()(L.AveragePooling1D(3, 2, padding="same")(x))))
    made._signature.input_shape = (1, 256)
    exported = export_onnx(made, tmp_path / "net.onnx")
    assert not exported.free_time
    with pytest.raises(InputError, match=r"takes signals of shape \(1, 256\)"):
        OnnxModel().load(tmp_path / "net.onnx").predict_on_batch(
            EcgBatch(ids=("a",), signal=Ragged.from_arrays([np.ones((1, 257), np.float32)]))
        )


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="The layers run in Python loops elsewhere: 30 s.")
def test_recurrent_layers_of_both_directions_give_the_same(make_batch, tmp_path: Path) -> None:
    made = network(
        lambda x: L.Dense(2, activation="softmax")(
            L.Bidirectional(L.LSTM(4))(L.Bidirectional(L.GRU(3, return_sequences=True))(L.AveragePooling1D(10)(x)))
        )
    )
    made._signature.input_shape = (1, 100)
    assert export_onnx(made, tmp_path / "rnn.onnx").free_time


def test_an_operation_without_a_counterpart_is_named_and_nothing_is_written(make_batch, tmp_path: Path) -> None:
    class Sorted(L.Layer):
        def call(self, inputs: Any) -> Any:
            return keras.ops.sort(inputs, axis=1)

    made = network(lambda x: L.Dense(2)(L.GlobalMaxPooling1D()(Sorted()(x))), 64)
    with pytest.raises(ModelError, match=r"The operation Sort of Keras cannot be exported to ONNX yet\. Replace it"):
        export_onnx(made, tmp_path / "net.onnx")
    with pytest.raises(InputError, match=r"'net\.h5' does not end in \.onnx"):
        export_onnx(made, "net.h5")
    assert not list(tmp_path.iterdir())


def test_a_graph_that_differs_from_its_model_is_not_written(monkeypatch, tmp_path: Path) -> None:
    made = network(lambda x: L.Dense(2)(L.GlobalMaxPooling1D()(x)), 64)
    made.model.set_weights([np.ones((1, 2)), np.zeros(2)])
    real = made._predict
    monkeypatch.setattr(made, "_predict", lambda x: real(x) + 2e-5 * np.abs(real(x)).max())
    with pytest.raises(ModelError, match=r"differs from the model by 2\.0e-05 for 4 records .* 1e-05 is allowed"):
        export_onnx(made, tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="The memory of a process is read as Linux has it.")
def test_memory_stays_as_it_is_while_models_are_loaded_and_trained(make_batch, tmp_path: Path) -> None:
    trained, batch = FftInception().build((1, 400)), make_batch(8)
    trained.save(tmp_path / "fft")
    made = network(lambda x: L.Dense(2, activation="softmax")(L.GlobalMaxPooling1D()(x)), 400)

    def grown(step: Any, n: int) -> float:
        for _ in range(3):
            step()
        gc.collect()
        before = resident_mb()
        for _ in range(n):
            step()
        gc.collect()
        return resident_mb() - before

    # TensorFlow kept 4 MB of every model that was loaded.
    assert grown(lambda: KerasBaseModel().load(tmp_path / "fft"), 12) < 24
    assert grown(lambda: made.train_on_batch(batch), 200) < 24


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="Nothing is compiled there.")
def test_further_batch_sizes_are_not_compiled_for(make_batch) -> None:
    traced = []

    class Traced(L.Layer):
        def call(self, inputs: Any) -> Any:
            traced.append(inputs.shape)
            return inputs

    made = network(lambda x: L.Dense(2, activation="softmax")(L.GlobalMaxPooling1D()(Traced()(x))), 40)
    for n in (16, 10, 12):
        made.train_on_batch(make_batch(n, (1, 40)))
    before = len(traced)
    for n in (9, 15, 11):
        made.train_on_batch(make_batch(n, (1, 40)))
    assert len(traced) == before
