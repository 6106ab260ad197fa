"""Relevance of samples: known answers on models that look at one place, the sum of shares, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from cardioflow.batch import EcgBatch
from cardioflow.errors import ConfigError, InputError, ModelError
from cardioflow.explain import grad_cam, integrated_gradients, occlusion
from cardioflow.models import SklearnBaseModel, TorchBaseModel
from cardioflow.models.onnx import OnnxModel
from cardioflow.models.targets import OneLabel

WHERE = slice(60, 80)
"""The models look at lead 1 there, and nowhere else."""


def batch(n: int = 2) -> EcgBatch:
    signals = np.abs(np.random.default_rng(0).normal(size=(n, 2, 200))).astype(np.float32) + 0.1
    return EcgBatch.from_arrays(signals, fs=100, leads=["I", "II"])


class Window(nn.Module):
    """Two logits: 0, and the mean of one stretch of lead II."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = 3 * x[:, 1, WHERE].mean(dim=1) - 1
        return torch.stack([torch.zeros_like(seen), seen], dim=1)


def torch_model(module: nn.Module) -> TorchBaseModel:
    made = TorchBaseModel()
    made.model, made.targets = module, OneLabel()
    made.leads = ("I", "II")
    return made


def test_hiding_a_part_matters_where_the_model_looks_and_nowhere_else() -> None:
    found = occlusion(torch_model(Window()), batch(), 1, window_s=0.1, per_lead=True, fill="zero")
    assert found.values.shape == (2, 2, 200)
    assert found.leads == ("I", "II")
    assert (found.values[:, 1, WHERE] > 0).all()
    assert (found.values[:, 0] == 0).all()
    # A window of 10 samples that ends before, or begins after, hides nothing that counts.
    assert (found.values[:, 1, :50] == 0).all()
    assert (found.values[:, 1, 90:] == 0).all()
    # The window from 65 to 75 hides ten of the twenty samples.
    x = batch().signal.dense()
    logit = 3 * x[:, 1, WHERE].mean(axis=1) - 1
    left = 3 * np.where((np.arange(60, 80) >= 65) & (np.arange(60, 80) < 75), 0, x[:, 1, WHERE]).mean(axis=1) - 1
    p, hidden = (1 / (1 + np.exp(-z)) for z in (logit, left))
    np.testing.assert_allclose(found.score, p, rtol=1e-5)
    whole = occlusion(torch_model(Window()), batch(), 1, window_s=0.1, step_s=0.1, fill="zero")
    assert np.array_equal(whole.values[:, 0], whole.values[:, 1])
    by_fives = occlusion(torch_model(Window()), batch(), 1, window_s=0.1, step_s=0.05, fill="zero", per_lead=True)
    # Sample 67 is hidden by the windows from 60 to 70 and from 65 to 75.
    first = 3 * np.where(np.arange(60, 80) < 70, 0, x[:, 1, WHERE]).mean(axis=1) - 1
    expected = ((p - hidden) + (p - 1 / (1 + np.exp(-first)))) / 2
    np.testing.assert_allclose(by_fives.values[:, 1, 67], expected, rtol=1e-4)


def test_a_line_in_the_window_begins_and_ends_at_the_samples_beside_it() -> None:
    seen: list[np.ndarray] = []

    def predict(rows: EcgBatch) -> np.ndarray:
        seen.append(rows.signal.dense().copy())
        return np.full((len(rows), 2), 0.5)

    ramp = np.arange(50, dtype=np.float32)[None, None]
    occlusion(predict, EcgBatch.from_arrays(ramp, fs=50, leads=["I"]), window_s=0.2, step_s=0.2)
    # A ramp is a line: where a window with samples beside it hides a part, nothing changes.
    np.testing.assert_allclose(seen[1][1, 0], ramp[0, 0], atol=1e-4)
    assert seen[1].shape == (5, 1, 50)
    given = EcgBatch.from_arrays(ramp, fs=50, leads=["I"])
    mean = occlusion(_sums, given, 0, window_s=0.2, step_s=0.2, fill="mean")
    np.testing.assert_allclose(mean.values[0, 0, :10], 45 - 245, rtol=1e-5)


def _sums(rows: EcgBatch) -> np.ndarray:
    return np.stack([rows.signal.dense().sum(axis=(1, 2))] * 2, axis=1)


def test_integrated_gradients_add_up_to_the_score_above_the_baseline() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv1d(2, 4, 9), nn.GELU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4, 3))
    model = torch_model(module)
    found = integrated_gradients(model, batch(), n_steps=200)
    with torch.no_grad():
        base = torch.softmax(module(torch.zeros(1, 2, 200)), 1).numpy()[0]
    np.testing.assert_allclose(found.values.sum(axis=(1, 2)), found.score - base[found.target], atol=1e-4)
    np.testing.assert_allclose(found.missing, 0, atol=1e-4)
    assert np.array_equal(found.target, model.predict_on_batch(batch()).argmax(axis=1))
    one = integrated_gradients(torch_model(Window()), batch(), 1)
    assert (one.values[:, 1, WHERE] > 0).all()
    assert np.count_nonzero(one.values) == 2 * 20


def test_leads_come_out_in_the_order_in_which_the_model_takes_them() -> None:
    swapped = EcgBatch.from_arrays(batch().signal.dense()[:, ::-1].copy(), fs=100, leads=["II", "I"])
    with pytest.warns(UserWarning, match="They are taken by name"):
        found = integrated_gradients(torch_model(Window()), swapped, 1)
    assert found.leads == ("I", "II")
    np.testing.assert_allclose(found.values, integrated_gradients(torch_model(Window()), batch(), 1).values)


def spike_module() -> nn.Module:
    """One convolution that copies lead II, and the mean over time of what is above 1."""
    module = nn.Sequential(nn.Conv1d(2, 1, 1, bias=False), nn.Flatten(), nn.Linear(200, 2, bias=False))
    with torch.no_grad():
        module[0].weight[:] = torch.tensor([[[0.0], [1.0]]])
        module[2].weight[:] = torch.stack([torch.zeros(200), torch.ones(200) / 100])
    return module


def test_grad_cam_shows_the_stretch_that_made_the_last_layer_answer() -> None:
    signals = np.zeros((1, 2, 200), np.float32)
    signals[0, 1, 120:130] = 5
    signals[0, 0, 20:30] = 50
    given = EcgBatch.from_arrays(signals, fs=100, leads=["I", "II"])
    found = grad_cam(torch_model(spike_module()), given, 1)
    # One channel: the weight is the mean gradient p(1 - p)/100, and the map follows lead II.
    p = 1 / (1 + np.exp(-0.5))
    np.testing.assert_allclose(found.values[0, 1, 121:129], 5 * p * (1 - p) / 100, rtol=1e-4)
    assert np.array_equal(found.values[0, 0], found.values[0, 1])
    assert found.values[0, 0, 20:30].max() == 0
    assert found.for_plot().max() == 1
    assert found.for_plot().argmax() in range(120, 130)
    with pytest.raises(ModelError, match="The module has no layer 'conv'"):
        grad_cam(torch_model(spike_module()), given, layer="conv")
    with pytest.raises(ModelError, match=r"does not give \(record, channel, step\)"):
        grad_cam(torch_model(spike_module()), given, layer="2")


def test_keras_networks_of_the_zoo_are_explained_by_all_three_methods() -> None:
    from cardioflow.models.zoo.resnet1d_wang import Resnet1dWang

    model = Resnet1dWang(filters=4, leads="any", units="any").build((2, 200), n_outputs=3)
    found = integrated_gradients(model, batch(), 2, n_steps=100)
    np.testing.assert_allclose(found.missing, 0, atol=5e-3)
    zero = batch().replace(signal=batch().signal.with_data(0 * batch().signal.data))
    base = model.predict_on_batch(zero)[:, 2]
    np.testing.assert_allclose(found.values.sum(axis=(1, 2)), found.score - base, atol=5e-3)
    cam = grad_cam(model, batch(), 2)
    assert cam.values.shape == (2, 2, 200)
    assert cam.values.min() >= 0
    assert np.array_equal(grad_cam(model, batch(), 2, layer="block3-relu").values, cam.values)
    with pytest.raises(ModelError, match="because a connection passes it by"):
        grad_cam(model, batch(), 2, layer=_inside(model))
    with pytest.raises(ModelError, match=r"has no layer 'blck3-relu' .* Did you mean 'block3-relu'"):
        grad_cam(model, batch(), layer="blck3-relu")
    assert occlusion(model, batch()).values.shape == (2, 2, 200)


def _inside(model: Any) -> str:
    """Return a layer inside of the second block, which a skip connection passes by."""
    return next(layer.name for layer in model.model.layers if layer.name.startswith("block2-1"))


def test_the_gradient_on_jax_and_tensorflow_is_that_of_the_formula() -> None:
    import equinox as eqx
    import jax
    import tensorflow as tf

    from cardioflow.models import JaxBaseModel, TensorFlowBaseModel

    weights = np.random.default_rng(1).normal(size=(2, 200, 2)).astype(np.float32) / 50

    class Linear(eqx.Module):
        weights: jax.Array

        def __call__(self, x: Any) -> Any:
            return jax.numpy.einsum("lt,ltc->c", x, self.weights)

    class Dense(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weights = tf.Variable(weights)

        def __call__(self, x: Any, training: bool = False) -> Any:
            return tf.nn.softmax(tf.einsum("rlt,ltc->rc", x, self.weights))

    jax_model, tf_model = JaxBaseModel(), TensorFlowBaseModel()
    jax_model.model, tf_model.model = Linear(jax.numpy.asarray(weights)), Dense()
    jax_model.targets = tf_model.targets = OneLabel()
    z = np.einsum("rlt,ltc->rc", batch().signal.dense(), weights)
    p = np.exp(z[:, 1]) / np.exp(z).sum(axis=1)
    # Along a straight way the logit grows evenly: the share of a sample is its share of the logit.
    share = batch().signal.dense() * (weights[..., 1] - weights[..., 0])
    expected = share / share.sum(axis=(1, 2), keepdims=True) * (p - 0.5)[:, None, None]
    for model in (jax_model, tf_model):
        found = integrated_gradients(model, batch(), 1, n_steps=200)
        np.testing.assert_allclose(found.values, expected, atol=2e-5)
        with pytest.raises(ModelError, match="modules do not show theirs"):
            grad_cam(model, batch())


def test_an_onnx_model_without_gradients_is_explained_by_occlusion() -> None:
    weights = np.zeros((400, 2), np.float32)
    weights[200 + 60 : 200 + 80, 1] = 3 / 20  # lead II, where Window looks
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["x"], ["flat"]),
            helper.make_node("Gemm", ["flat", "weights", "shift"], ["z"]),
            helper.make_node("Softmax", ["z"], ["p"]),
        ],
        "window",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["record", 2, 200])],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, ["record", 2])],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array([0, -1], np.float32), "shift"),
        ],
    )
    content = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    model = OnnxModel(threads=1).build(content.SerializeToString())
    found = occlusion(model, batch(), 1, window_s=0.1, per_lead=True)
    same = occlusion(torch_model(Window()), batch(), 1, window_s=0.1, per_lead=True)
    np.testing.assert_allclose(found.values, same.values, atol=1e-6)
    with pytest.raises(ModelError, match=r"OnnxModel has none\. Use occlusion"):
        integrated_gradients(model, batch())


def test_what_cannot_be_explained_is_refused_with_what_to_do() -> None:
    model = torch_model(Window())
    with pytest.raises(ModelError, match=r"a SklearnBaseModel has none\. Use occlusion"):
        integrated_gradients(SklearnBaseModel(), batch())
    with pytest.raises(InputError, match="target=2 is not the number of one of the 2 outputs"):
        occlusion(model, batch(), 2)
    with pytest.raises(InputError, match="is not longer than the record"):
        occlusion(model, batch(), window_s=3)
    with pytest.raises(InputError, match="that leaves none out"):
        occlusion(model, batch(), window_s=0.1, step_s=0.5)
    with pytest.raises(ConfigError, match="fill='noise' is not"):
        occlusion(model, batch(), fill="noise")
    with pytest.raises(ConfigError, match="n_steps=0"):
        integrated_gradients(model, batch(), n_steps=0)
    with pytest.raises(InputError, match="A int does not predict"):
        occlusion(3, batch())
    with pytest.raises(InputError, match="differ in shape"):
        occlusion(
            lambda rows: np.ones((len(rows), 2)), EcgBatch.from_arrays([np.ones((1, 50)), np.ones((1, 60))], fs=50)
        )
    with pytest.raises(ModelError, match="predicts an array of shape"):
        occlusion(lambda rows: np.ones(len(rows)), batch())
