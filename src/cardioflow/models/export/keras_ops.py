"""The operations of ``keras.ops`` as nodes of ONNX.

A converter is a function of the graph, Keras's operation and its arguments by
name: a value of the graph as its name with shape and dtype (``Value``), others
as they are. The name of the function is that of Keras's class.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from cardioflow.errors import ModelError
from cardioflow.models.export.graph import Graph, Name

__all__ = ["OPERATIONS", "Value", "as_name"]


class Value(NamedTuple):
    """A value in the graph."""

    name: Name
    shape: tuple[int | None, ...]
    dtype: str


Converter = Callable[..., Any]
"""Of the graph, the operation and its arguments; returns a name, or several as a tuple."""

OPERATIONS: dict[str, Converter] = {}
"""By the name of Keras's class."""


def as_name(graph: Graph, value: Any, dtype: str = "float32") -> Name:
    """Return the name of ``value``, which becomes a constant if it is not in the graph."""
    return value.name if isinstance(value, Value) else graph.constant(value, dtype)


def _converts(*names: str) -> Callable[[Converter], Converter]:
    def add(converter: Converter) -> Converter:
        OPERATIONS.update(dict.fromkeys(names, converter))
        return converter

    return add


def _axis(x: Value, axis: int) -> int:
    return axis + len(x.shape) if axis < 0 else axis


def _axes(x: Value, axis: Any) -> list[int]:
    if axis is None:
        return list(range(len(x.shape)))
    return [_axis(x, int(a)) for a in (axis if isinstance(axis, (tuple, list)) else (axis,))]


# -- element by element ----------------------------------------------------------

_UNARY = {
    "Absolute": "Abs", "Ceil": "Ceil", "Cos": "Cos", "Erf": "Erf", "Exp": "Exp", "Floor": "Floor", "Log": "Log",
    "LogicalNot": "Not", "Negative": "Neg", "Reciprocal": "Reciprocal", "Relu": "Relu", "Selu": "Selu",
    "Sigmoid": "Sigmoid", "Sign": "Sign", "Sin": "Sin", "Softplus": "Softplus", "Softsign": "Softsign", "Sqrt": "Sqrt",
    "Tanh": "Tanh", "StopGradient": "Identity", "Copy": "Identity", "ConvertToTensor": "Identity",
}  # fmt: skip
_BINARY = {
    "Add": "Add", "Divide": "Div", "Equal": "Equal", "Greater": "Greater", "GreaterEqual": "GreaterOrEqual",
    "Less": "Less", "LessEqual": "LessOrEqual", "LogicalAnd": "And", "LogicalOr": "Or", "Maximum": "Max",
    "Minimum": "Min", "Multiply": "Mul", "Power": "Pow", "Subtract": "Sub", "TrueDivide": "Div",
}  # fmt: skip
_REDUCTIONS = {"Max": "ReduceMax", "Amax": "ReduceMax", "Min": "ReduceMin", "Amin": "ReduceMin", "Mean": "ReduceMean"}


def _unary(operator: str) -> Converter:
    return lambda graph, op, **given: graph.node(operator, as_name(graph, next(iter(given.values()))))


def _binary(operator: str) -> Converter:
    def convert(graph: Graph, op: Any, **given: Any) -> Name:
        pair = list(given.values())
        dtypes = [v.dtype for v in pair if isinstance(v, Value)]
        # Of two types Keras takes the floating one.
        dtype = next((d for d in dtypes if d.startswith("float")), dtypes[0])
        names = [
            graph.cast(v.name, dtype) if isinstance(v, Value) and v.dtype != dtype else as_name(graph, v, dtype)
            for v in pair
        ]
        found: Name = graph.node(operator, *names)
        return found

    return convert


def _reduction(operator: str) -> Converter:
    def convert(graph: Graph, op: Any, x: Value) -> Name:
        found: Name = graph.node(operator, x.name, axes=_axes(x, op.axis), keepdims=int(bool(op.keepdims)))
        return found

    return convert


OPERATIONS.update({name: _unary(operator) for name, operator in _UNARY.items()})
OPERATIONS.update({name: _binary(operator) for name, operator in _BINARY.items()})
OPERATIONS.update({name: _reduction(operator) for name, operator in _REDUCTIONS.items()})


@_converts("Silu")
def _silu(graph: Graph, op: Any, x: Value) -> Any:
    return graph.node("Mul", x.name, graph.node("Sigmoid", x.name))


@_converts("Square")
def _square(graph: Graph, op: Any, x: Value) -> Any:
    return graph.node("Mul", x.name, x.name)


@_converts("Rsqrt")
def _rsqrt(graph: Graph, op: Any, x: Value) -> Any:
    return graph.node("Reciprocal", graph.node("Sqrt", x.name))


@_converts("Log1p")
def _log1p(graph: Graph, op: Any, x: Value) -> Any:
    return graph.node("Log", graph.node("Add", x.name, graph.constant(1.0)))


@_converts("LeakyRelu")
def _leaky_relu(graph: Graph, op: Any, x: Value) -> Any:
    return graph.node("LeakyRelu", x.name, alpha=float(op.negative_slope))


@_converts("Elu")
def _elu(graph: Graph, op: Any, x: Value) -> Any:
    return graph.node("Elu", x.name, alpha=float(op.alpha))


@_converts("ReLU")
def _full_relu(graph: Graph, op: Any, x: Value) -> Any:
    """Return Keras's activation with a slope below, a threshold and a largest value."""
    if op.threshold:
        raise ModelError("ReLU with a threshold cannot be exported. Use 0, or LeakyReLU.")
    y = graph.node("LeakyRelu", x.name, alpha=float(op.negative_slope)) if op.negative_slope else None
    y = y or graph.node("Relu", x.name)
    return y if op.max_value is None else graph.node("Min", y, graph.constant(float(op.max_value)))


@_converts("Mish")
def _mish(graph: Graph, op: Any, x: Value) -> Any:
    return graph.node("Mul", x.name, graph.node("Tanh", graph.node("Softplus", x.name)))


@_converts("Relu6")
def _relu6(graph: Graph, op: Any, x: Value) -> Any:
    return graph.node("Clip", x.name, graph.constant(0.0), graph.constant(6.0))


@_converts("HardSigmoid")
def _hard_sigmoid(graph: Graph, op: Any, x: Value) -> Any:
    return graph.node("HardSigmoid", x.name, alpha=1 / 6, beta=0.5)


@_converts("HardSilu")
def _hard_silu(graph: Graph, op: Any, x: Value) -> Any:
    return graph.node("Mul", x.name, _hard_sigmoid(graph, op, x))


@_converts("Gelu")
def _gelu(graph: Graph, op: Any, x: Value) -> Any:
    if op.approximate:
        cubed = graph.node(
            "Mul", graph.node("Mul", x.name, x.name), graph.node("Mul", x.name, graph.constant(0.044715))
        )
        inner = graph.node("Mul", graph.node("Add", x.name, cubed), graph.constant(math.sqrt(2 / math.pi)))
        share = graph.node("Tanh", inner)
    else:
        share = graph.node("Erf", graph.node("Mul", x.name, graph.constant(math.sqrt(0.5))))
    half = graph.node("Mul", x.name, graph.constant(0.5))
    return graph.node("Mul", half, graph.node("Add", share, graph.constant(1.0)))


@_converts("Glu")
def _glu(graph: Graph, op: Any, x: Value) -> Any:
    value, gate = graph.node("Split", x.name, n_outputs=2, axis=_axis(x, op.axis))
    return graph.node("Mul", value, graph.node("Sigmoid", gate))


@_converts("Softmax", "LogSoftmax")
def _softmax(graph: Graph, op: Any, x: Value) -> Any:
    return graph.node(type(op).__name__, x.name, axis=int(op.axis))


@_converts("Clip")
def _clip(graph: Graph, op: Any, x: Value) -> Any:
    return graph.node("Clip", x.name, graph.constant(op.x_min, x.dtype), graph.constant(op.x_max, x.dtype))


@_converts("Cast")
def _cast(graph: Graph, op: Any, x: Value) -> Any:
    return graph.cast(x.name, op.dtype)


@_converts("Where")
def _where(graph: Graph, op: Any, condition: Any, x1: Any, x2: Any) -> Any:
    return graph.node("Where", as_name(graph, condition, "bool"), as_name(graph, x1), as_name(graph, x2))


@_converts("ZerosLike", "OnesLike")
def _like(graph: Graph, op: Any, x: Value) -> Any:
    zeros = graph.node("Mul", x.name, graph.constant(0, x.dtype))
    return zeros if type(op).__name__ == "ZerosLike" else graph.node("Add", zeros, graph.constant(1, x.dtype))


# -- sums and products ---------------------------------------------------------------


@_converts("Sum")
def _sum(graph: Graph, op: Any, x: Value) -> Any:
    return graph.node("ReduceSum", x.name, graph.ints(*_axes(x, op.axis)), keepdims=int(bool(op.keepdims)))


@_converts("Var", "Std", "Moments")
def _moments(graph: Graph, op: Any, x: Value) -> Any:
    axes, keep = _axes(x, op.axes if type(op).__name__ == "Moments" else op.axis), int(bool(op.keepdims))
    mean = graph.node("ReduceMean", x.name, axes=axes, keepdims=1)
    away = graph.node("Sub", x.name, mean)
    variance = graph.node("ReduceMean", graph.node("Mul", away, away), axes=axes, keepdims=keep)
    if type(op).__name__ == "Moments":
        return graph.node("ReduceMean", x.name, axes=axes, keepdims=keep), variance
    return graph.node("Sqrt", variance) if type(op).__name__ == "Std" else variance


@_converts("Logsumexp")
def _logsumexp(graph: Graph, op: Any, x: Value) -> Any:
    return graph.node("ReduceLogSumExp", x.name, axes=_axes(x, op.axis), keepdims=int(bool(op.keepdims)))


@_converts("Matmul")
def _matmul(graph: Graph, op: Any, x1: Any, x2: Any) -> Any:
    return graph.node("MatMul", as_name(graph, x1), as_name(graph, x2))


@_converts("Einsum")
def _einsum(graph: Graph, op: Any, **given: Any) -> Any:
    (operands,) = given.values()
    return graph.node("Einsum", *(as_name(graph, v) for v in operands), equation=op.subscripts)


@_converts("BatchNorm")
def _batch_norm(
    graph: Graph, op: Any, x: Value, mean: Any, variance: Any, offset: Any = None, scale: Any = None
) -> Any:
    """Return x · a + b: the means are constants when a model predicts."""
    mean, variance = (np.asarray(v, np.float64) for v in (mean, variance))
    a = (1.0 if scale is None else np.asarray(scale, np.float64)) / np.sqrt(variance + op.epsilon)
    b = (0.0 if offset is None else np.asarray(offset, np.float64)) - mean * a
    shape = [1] * len(x.shape)
    shape[_axis(x, op.axis)] = -1
    scaled = graph.node("Mul", x.name, graph.constant(a.reshape(shape)))
    return graph.node("Add", scaled, graph.constant(b.reshape(shape)))


@_converts("LayerNorm")
def _layer_norm(graph: Graph, op: Any, x: Value, gamma: Any = None, beta: Any = None) -> Any:
    axes = _axes(x, op.axis)
    if getattr(op, "rms_scaling", False):
        raise ModelError("LayerNormalization with rms_scaling cannot be exported. Use RMSNormalization's own layer.")
    mean = graph.node("ReduceMean", x.name, axes=axes, keepdims=1)
    away = graph.node("Sub", x.name, mean)
    variance = graph.node("ReduceMean", graph.node("Mul", away, away), axes=axes, keepdims=1)
    deviation = graph.node("Sqrt", graph.node("Add", variance, graph.constant(op.epsilon)))
    y = graph.node("Div", away, deviation)
    shape = [x.shape[a] if a in axes else 1 for a in range(len(x.shape))]
    for operator, value in (("Mul", gamma), ("Add", beta)):
        if value is not None:
            own = np.asarray(value)
            y = graph.node(operator, y, graph.constant(own.reshape(shape) if own.ndim < len(shape) else own))
    return y


@_converts("DotProductAttention")
def _attention(graph: Graph, op: Any, query: Value, key: Value, value: Value, **given: Any) -> Any:
    """Return softmax(q kᵀ · scale) v; all are (record, time, head, feature)."""
    unusual = [name for name in ("bias", "mask") if given.get(name) is not None]
    if unusual or op.is_causal or getattr(op, "attn_logits_soft_cap", None):
        raise ModelError("Attention with a mask or a bias cannot be exported yet. Remove it, or export from PyTorch.")
    scale = given.get("scale") or 1 / math.sqrt(query.shape[-1] or 1)
    scores = graph.node("Einsum", query.name, key.name, equation="bthd,bshd->bhts")
    shares = graph.node("Softmax", graph.node("Mul", scores, graph.constant(scale)), axis=-1)
    return graph.node("Einsum", shares, value.name, equation="bhts,bshd->bthd")


# -- Fourier transforms, as products with matrices --------------------------------------


@_converts("RFFT")
def _rfft(graph: Graph, op: Any, x: Value) -> tuple[Name, Name]:
    """Return the real and imaginary part: ONNX Runtime's own transform is wrong by 3e-3 at a length of 700."""
    n = op.fft_length or x.shape[-1]
    if n is None or x.shape[-1] is None:
        raise ModelError("A Fourier transform over a free length cannot be exported. Build the model for one length.")
    angle = 2 * np.pi * np.outer(np.arange(min(n, x.shape[-1])), np.arange(n // 2 + 1)) / n
    own = x.name
    if n < x.shape[-1]:
        own = graph.node("Slice", own, graph.ints(0), graph.ints(n), graph.ints(len(x.shape) - 1))
    return (
        graph.node("MatMul", own, graph.constant(np.cos(angle))),
        graph.node("MatMul", own, graph.constant(-np.sin(angle))),
    )


@_converts("IRFFT")
def _irfft(graph: Graph, op: Any, x: Sequence[Any]) -> Any:
    real, imaginary = x
    m = next(v.shape[-1] for v in x if isinstance(v, Value))
    if m is None:
        raise ModelError("A Fourier transform over a free length cannot be exported. Build the model for one length.")
    n = op.fft_length or 2 * (m - 1)
    used = min(m, n // 2 + 1)
    angle = 2 * np.pi * np.outer(np.arange(used), np.arange(n)) / n
    # Each frequency between the first and the last stands for its mirror, too.
    share = np.full((used, 1), 2.0 / n)
    share[0] = 1.0 / n
    if n % 2 == 0 and used == n // 2 + 1:
        share[-1] = 1.0 / n
    parts = []
    for value, wave in ((real, np.cos(angle)), (imaginary, -np.sin(angle))):
        own = as_name(graph, value)
        if used < m:
            own = graph.node("Slice", own, graph.ints(0), graph.ints(used), graph.ints(-1))
        parts.append(graph.node("MatMul", own, graph.constant(wave * share)))
    return graph.node("Add", *parts)
