"""Weights that take less room: how far they are off, and which stay as they are."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from cardioflow.recipe.graphs import with_small_weights


def graph(w, b=None, *, more=()):
    """Return x · w + b as ONNX."""
    w = np.asarray(w, np.float32)
    b = np.zeros(w.shape[1], np.float32) if b is None else np.asarray(b, np.float32)
    made = helper.make_graph(
        [helper.make_node("Gemm", ["x", "w", "b"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", w.shape[0]])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", w.shape[1]])],
        [numpy_helper.from_array(w, "w"), numpy_helper.from_array(b, "b"), *more],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()


def weights(content):
    """Return what the graph multiplies with: its answer to the unit vectors, less that to zero."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content)
    n = onnx.load_from_string(content).graph.input[0].type.tensor_type.shape.dim[1].dim_value
    zero = session.run(None, {"x": np.zeros((1, n), np.float32)})[0]
    return session.run(None, {"x": np.eye(n, dtype=np.float32)})[0] - zero


def types(content):
    return {t.name: t.data_type for t in onnx.load_from_string(content).graph.initializer}


@pytest.fixture
def large():
    return np.random.default_rng(0).normal(size=(16, 8)).astype(np.float32) * np.logspace(-3, 3, 16)[:, None]


def test_float32_leaves_every_byte():
    content = graph(np.ones((16, 8)))
    assert with_small_weights(content, "float32") is content


def test_int8_is_off_by_at_most_half_a_step_of_its_row_and_float16_by_its_last_bit(large):
    exact = weights(graph(large))
    np.testing.assert_allclose(exact, large, rtol=1e-6)
    step = np.abs(large).max(axis=1, keepdims=True) / 127
    error = np.abs(weights(with_small_weights(graph(large), "int8")) - large)
    assert (error <= step / 2 * (1 + 1e-3)).all()
    assert error.max() > 0
    half = weights(with_small_weights(graph(large), "float16"))
    np.testing.assert_allclose(half, large, rtol=2**-11, atol=2**-25)


def test_the_largest_weight_of_a_row_keeps_its_value_and_zero_stays_zero(large):
    large[3] = 0.0
    found = weights(with_small_weights(graph(large), "int8"))
    rows = np.arange(16)
    top = np.abs(large).argmax(axis=1)
    np.testing.assert_allclose(found[rows, top], large[rows, top], rtol=1e-5)
    assert (found[3] == 0).all()


@pytest.mark.parametrize(
    ("shape", "small"),
    [((8, 8), True), ((8, 7), False), ((63, 1), False), ((64, 1), True)],
)
def test_only_weights_of_64_numbers_and_more_are_made_smaller(shape, small):
    content = with_small_weights(graph(np.ones(shape)), "int8")
    assert (types(content).get("w") is None) is small
    assert types(content)["b"] == TensorProto.FLOAT  # a bias has one axis


def test_a_smaller_type_takes_less_room():
    content = graph(np.random.default_rng(0).normal(size=(128, 64)))
    sizes = [len(with_small_weights(content, stored)) for stored in ("float32", "float16", "int8")]
    assert sizes[0] > 1.9 * sizes[1] > 3.3 * sizes[2]


def test_a_weight_that_float16_cannot_hold_stays_as_it_is_instead_of_becoming_infinite():
    w = np.ones((16, 8), np.float32)
    w[0, 0] = 7e4  # above 65 504
    assert types(with_small_weights(graph(w), "float16"))["w"] == TensorProto.FLOAT
    np.testing.assert_allclose(weights(with_small_weights(graph(w), "float16")), w)
    assert "w" not in types(with_small_weights(graph(w), "int8"))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("stored", ["float16", "int8"])
def test_weights_that_are_not_numbers_are_not_turned_into_numbers(bad, stored):
    w = np.ones((16, 8), np.float32)
    w[2, 2] = bad
    content = with_small_weights(graph(w), stored)
    assert types(content)["w"] == TensorProto.FLOAT


def test_integers_stay_as_they_are():
    table = numpy_helper.from_array(np.arange(100, dtype=np.int64).reshape(10, 10), "table")
    content = with_small_weights(graph(np.ones((16, 8)), more=(table,)), "int8")
    assert types(content)["table"] == TensorProto.INT64


def test_the_units_of_a_recurrent_layer_have_a_scale_each():
    from cardioflow.recipe.graphs import _scales

    values = np.random.default_rng(0).normal(size=(2, 6, 10)).astype(np.float32)
    scale = _scales(values)
    assert scale.shape == (2, 6, 1)
    np.testing.assert_allclose(scale[..., 0], np.abs(values).max(axis=2) / 127, rtol=1e-6)
    assert _scales(np.ones((4, 3, 5), np.float32)).shape == (4, 1, 1)
    assert (_scales(np.zeros((2, 2), np.float32)) > 0).all()
