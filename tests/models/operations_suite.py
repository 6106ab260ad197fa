"""Each operation of Keras that ONNX has a counterpart for, by itself; ``test_backends.py`` runs it on torch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from cardioflow.errors import ModelError
from cardioflow.models import KerasBaseModel, OnnxModel
from cardioflow.models.export import export_onnx

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

L, K = keras.layers, keras.ops
WAVE = np.linspace(-1, 1, 4, dtype=np.float32)


class Does(L.Layer):
    """Applies a function of tensors."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__()
        self.function = function

    def call(self, inputs: Any) -> Any:
        return self.function(inputs)


# Of x: (record, time, 4), with numbers from about -4 to 4; each keeps the record as the first axis.
ELEMENTWISE: dict[str, Callable[[Any], Any]] = {
    "relu": K.relu,
    "relu6": K.relu6,
    "sigmoid": K.sigmoid,
    "tanh": K.tanh,
    "softplus": K.softplus,
    "softsign": K.softsign,
    "silu": K.silu,
    "selu": K.selu,
    "elu": K.elu,
    "elu .5": lambda x: K.elu(x, 0.5),
    "leaky relu": K.leaky_relu,
    "leaky relu .3": lambda x: K.leaky_relu(x, 0.3),
    "gelu": lambda x: K.gelu(x, approximate=False),
    "gelu, approximate": lambda x: K.gelu(x, approximate=True),
    "hard sigmoid": K.hard_sigmoid,
    "hard silu": K.hard_silu,
    "exp": lambda x: K.exp(x / 4),
    "log": lambda x: K.log(K.abs(x) + 1),
    "log1p": lambda x: K.log1p(K.abs(x)),
    "sqrt": lambda x: K.sqrt(K.abs(x)),
    "rsqrt": lambda x: K.rsqrt(K.abs(x) + 0.1),
    "square": K.square,
    "abs": K.abs,
    "negative": K.negative,
    "reciprocal": lambda x: K.reciprocal(K.abs(x) + 1),
    "sin": K.sin,
    "cos": K.cos,
    "floor": lambda x: K.floor(x * 1.5),
    "ceil": lambda x: K.ceil(x * 1.5),
    "sign": K.sign,
    "clip": lambda x: K.clip(x, -0.5, 1.25),
    "erf": K.erf,
    "add": lambda x: x + 1.5,
    "subtract": lambda x: 2.0 - x,
    "multiply": lambda x: K.multiply(x, WAVE),
    "divide": lambda x: 1 / (K.abs(x) + 2),
    "power": lambda x: K.power(K.abs(x) + 0.5, 1.5),
    "maximum": lambda x: K.maximum(x, 0.25),
    "minimum": lambda x: K.minimum(x, WAVE),
    "where": lambda x: K.where(x > 0.5, x, -2.0 * x),
    "where of both": lambda x: K.where(K.logical_and(x > 0, x < 1), 1.0, x),
    "equal of signs": lambda x: K.cast(K.equal(K.sign(x), 1.0), "float32"),
    "zeros like": lambda x: x + K.zeros_like(x),
    "ones like": lambda x: x + K.ones_like(x),
    "cast there and back": lambda x: K.cast(K.cast(x * 3, "int32"), "float32"),
}

AXES: dict[str, Callable[[Any], Any]] = {
    "softmax": lambda x: K.softmax(x, axis=-1),
    "log softmax": lambda x: K.log_softmax(x, axis=-1),
    "softmax over time": lambda x: K.softmax(x, axis=1),
    "sum": lambda x: K.sum(x, axis=2, keepdims=True) + x,
    "mean": lambda x: x - K.mean(x, axis=1, keepdims=True),
    "max": lambda x: x - K.max(x, axis=1, keepdims=True),
    "min": lambda x: x - K.min(x, axis=-1, keepdims=True),
    "var": lambda x: x / K.sqrt(K.var(x, axis=1, keepdims=True) + 1),
    "std": lambda x: x + K.std(x, axis=2, keepdims=True),
    "moments": lambda x: K.moments(x, axes=[1], keepdims=True)[1] + x,
    "logsumexp": lambda x: K.logsumexp(x, axis=2, keepdims=True) + x,
    "glu": lambda x: K.glu(x, axis=-1),
    "matmul": lambda x: K.matmul(x, np.outer(WAVE, WAVE[:3])),
    "einsum": lambda x: K.einsum("btc,cd->btd", x, np.outer(WAVE, WAVE[:2])),
    "einsum of two": lambda x: K.einsum("btc,bsc->bts", x[:, :8], x[:, 8:16]),
    "transpose": lambda x: K.transpose(x, (0, 2, 1))[:, :, :16],
    "swapaxes": lambda x: K.swapaxes(x, 1, 2)[:, :, 1:9],
    "moveaxis": lambda x: K.moveaxis(x, 2, 1)[:, :, :5],
    "reshape": lambda x: K.reshape(x[:, :16], (-1, 8, 8)),
    "expand and squeeze": lambda x: K.squeeze(K.expand_dims(x, 2), 2),
    "concatenate": lambda x: K.concatenate([x, 2 * x], axis=-1),
    "concatenate over time": lambda x: K.concatenate([x[:, :3], x], axis=1),
    "stack": lambda x: K.max(K.stack([x, -x], axis=3), axis=3),
    "slice": lambda x: x[:, 2:-3],
    "every other": lambda x: x[:, ::2],
    "the last": lambda x: x[:, -8:, 1:3],
    "one channel": lambda x: K.expand_dims(x[..., 2], -1),
    "split": lambda x: K.split(x, 2, axis=-1)[1],
    "repeat": lambda x: K.repeat(x, 2, axis=1),
    "tile": lambda x: K.tile(x, (1, 1, 3)),
    "pad": lambda x: K.pad(x, [[0, 0], [2, 1], [0, 0]]),
    "pad with a number": lambda x: K.pad(x, [[0, 0], [0, 3], [1, 0]], constant_values=0.5),
    "flip": lambda x: K.flip(x, axis=1),
}


def network(function: Callable[[Any], Any]) -> KerasBaseModel:
    """Return a model that gives the mean over time of ``function`` of a few filters."""
    made, x = KerasBaseModel(), L.Input((1, None))
    keras.utils.set_random_seed(0)
    filters = L.Conv1D(4, 3, padding="same", kernel_initializer="random_normal")(L.Permute((2, 1))(x))
    done = Does(function)(filters * 40.0)
    made.model = keras.Model(x, L.GlobalAveragePooling1D()(done))
    made.model.compile(loss="mse", optimizer="adam")
    made._signature.input_shape = (1, 64)
    return made


def exported(function: Callable[[Any], Any], path: Path) -> tuple[KerasBaseModel, OnnxModel]:
    made = network(function)
    found = export_onnx(made, path)
    assert found.compared.difference <= 1e-5
    return made, OnnxModel().load(path)


@pytest.mark.parametrize("name", [*ELEMENTWISE, *AXES])
def test_an_operation_gives_the_same_in_onnx_at_a_length_of_its_own(name: str, tmp_path: Path) -> None:
    function = {**ELEMENTWISE, **AXES}[name]
    made, onnx = exported(function, tmp_path / "net.onnx")
    x = np.random.default_rng(1).normal(size=(3, 1, 72)).astype(np.float32)
    expected = np.asarray(made._predict(x))
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(onnx._predict(x), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["mish", "exponential", "hard_swish", "linear", "gelu", "softplus"])
def test_an_activation_by_name_gives_the_same(name: str, tmp_path: Path) -> None:
    made, x = KerasBaseModel(), L.Input((1, None))
    keras.utils.set_random_seed(0)
    filters = L.Conv1D(4, 3, padding="same", activation=name)(L.Permute((2, 1))(x))
    made.model = keras.Model(x, L.GlobalMaxPooling1D()(filters))
    made.model.compile(loss="mse", optimizer="adam")
    made._signature.input_shape = (1, 64)
    assert export_onnx(made, tmp_path / "net.onnx").compared.difference <= 1e-5


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (L.ReLU(threshold=0.5), "ReLU with a threshold cannot be exported. Use 0, or LeakyReLU"),
        (lambda x: K.prod(x, axis=2, keepdims=True), "The operation Prod of Keras cannot be exported to ONNX yet"),
        (K.log_sigmoid, "The operation LogSigmoid of Keras cannot be exported to ONNX yet"),
    ],
    ids=["threshold", "prod", "log sigmoid"],
)
def test_what_has_no_counterpart_is_refused_by_name_and_nothing_is_written(function, said, tmp_path: Path) -> None:
    made = network(function)
    with pytest.raises(ModelError, match=said):
        export_onnx(made, tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


def test_a_fourier_transform_is_exported_for_the_length_of_the_training(tmp_path: Path) -> None:
    made = network(lambda x: K.swapaxes(K.abs(K.rfft(K.swapaxes(x, 1, 2))[0]), 1, 2))
    found = export_onnx(made, tmp_path / "net.onnx")
    assert not found.free_time
    assert found.compared.lengths == (64,)
    assert found.compared.difference <= 1e-5
