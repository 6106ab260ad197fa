"""Convolutions and pooling of ``keras.ops`` as nodes of ONNX.

Padding of "same" is ``SAME_UPPER``, which depends on the length as in
TensorFlow, on every backend of Keras: it is not fixed when a model is exported.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cardioflow.errors import ModelError
from cardioflow.models._keras.backend import keras
from cardioflow.models.export.graph import Graph, Name
from cardioflow.models.export.keras_ops import OPERATIONS, Value, _converts

__all__ = ["OPERATIONS"]

_PADS = {"valid": "VALID", "same": "SAME_UPPER"}


def _each(value: Any, n: int) -> list[int]:
    return [int(v) for v in value] if isinstance(value, (tuple, list)) else [int(value)] * n


def _channels_first(graph: Graph, x: Value, data_format: str | None) -> Name:
    last = len(x.shape) - 1
    if data_format == "channels_first":
        return x.name
    found: Name = graph.node("Transpose", x.name, perm=[0, last, *range(1, last)])
    return found


def _back(graph: Graph, y: Name, x: Value, data_format: str | None) -> Name:
    last = len(x.shape) - 1
    if data_format == "channels_first":
        return y
    found: Name = graph.node("Transpose", y, perm=[0, *range(2, last + 1), 1])
    return found


def _padding(op: Any) -> str:
    if op.padding not in _PADS:
        raise ModelError(f"Padding {op.padding!r} cannot be exported. Use 'same' or 'valid'.")
    return _PADS[op.padding]


def _convolution(graph: Graph, op: Any, x: Name, weight: Any, n: int, groups: int) -> Name:
    strides, dilations = _each(op.strides, n), _each(op.dilation_rate, n)
    padding: dict[str, Any] = {"auto_pad": _padding(op)}
    if op.padding == "same" and max(dilations) > 1:
        # ONNX Runtime has no SAME_UPPER with dilation; without a stride the padding does not depend on the length.
        if max(strides) > 1:
            raise ModelError(
                "A convolution with stride, dilation and 'same' padding cannot be exported. Pad before it."
            )
        total = [d * (k - 1) for d, k in zip(dilations, weight.shape[2:], strict=True)]
        padding = {"pads": [*(t // 2 for t in total), *(t - t // 2 for t in total)]}
    found: Name = graph.node(
        "Conv", x, graph.constant(weight), strides=strides, dilations=dilations, group=groups, **padding
    )
    return found


@_converts("Conv")
def _conv(graph: Graph, op: Any, inputs: Value, kernel: Any) -> Any:
    """Keras's kernel is (…, input, output), ONNX's (output, input, …)."""
    n, weight = len(inputs.shape) - 2, np.asarray(kernel)
    channels = inputs.shape[1 if op.data_format == "channels_first" else -1] or weight.shape[-2]
    own = weight.transpose(n + 1, n, *range(n))
    y = _convolution(graph, op, _channels_first(graph, inputs, op.data_format), own, n, channels // weight.shape[-2])
    return _back(graph, y, inputs, op.data_format)


def _depthwise(graph: Graph, op: Any, x: Name, kernel: Any, n: int) -> Name:
    """Keras's kernel is (…, input, multiplier)."""
    weight = np.asarray(kernel)
    channels, multiplier = weight.shape[-2:]
    own = weight.transpose(n, n + 1, *range(n)).reshape(channels * multiplier, 1, *weight.shape[:-2])
    return _convolution(graph, op, x, own, n, channels)


@_converts("DepthwiseConv")
def _depthwise_conv(graph: Graph, op: Any, inputs: Value, kernel: Any) -> Any:
    y = _depthwise(graph, op, _channels_first(graph, inputs, op.data_format), kernel, len(inputs.shape) - 2)
    return _back(graph, y, inputs, op.data_format)


@_converts("SeparableConv")
def _separable_conv(graph: Graph, op: Any, inputs: Value, depthwise_kernel: Any, pointwise_kernel: Any) -> Any:
    n, weight = len(inputs.shape) - 2, np.asarray(pointwise_kernel)
    y = _depthwise(graph, op, _channels_first(graph, inputs, op.data_format), depthwise_kernel, n)
    y = graph.node("Conv", y, graph.constant(weight.transpose(n + 1, n, *range(n))))
    return _back(graph, y, inputs, op.data_format)


@_converts("ConvTranspose")
def _conv_transpose(graph: Graph, op: Any, inputs: Value, kernel: Any) -> Any:
    """Keras's kernel is (…, output, input), ONNX's (input, output, …)."""
    n, weight = len(inputs.shape) - 2, np.asarray(kernel)
    strides, dilations = _each(op.strides, n), _each(op.dilation_rate, n)
    if op.output_padding is not None or any(d != 1 for d in dilations):
        raise ModelError("A transposed convolution with output_padding or dilation cannot be exported.")
    pads, extra = [], [max(s - k, 0) for s, k in zip(strides, weight.shape, strict=False)]
    if op.padding == "same":
        total = [max(k - s, 0) for s, k in zip(strides, weight.shape, strict=False)]
        pads = [*(t // 2 for t in total), *(t - t // 2 for t in total)]
    own = graph.constant(weight.transpose(n + 1, n, *range(n)))
    x = _channels_first(graph, inputs, op.data_format)
    y = graph.node("ConvTranspose", x, own, strides=strides, pads=pads or None, output_padding=extra)
    return _back(graph, y, inputs, op.data_format)


@_converts("MaxPool", "AveragePool")
def _pool(graph: Graph, op: Any, inputs: Value) -> Any:
    n, kind = len(inputs.shape) - 2, type(op).__name__
    size = _each(op.pool_size, n)
    strides = size if op.strides is None else _each(op.strides, n)
    x, padding = _channels_first(graph, inputs, op.data_format), _padding(op)
    if kind == "AveragePool" and op.padding == "same" and keras.config.backend() == "torch":
        spatial = inputs.shape[2:] if op.data_format == "channels_first" else inputs.shape[1:-1]
        x, padding = _padded_for_torch(graph, x, spatial, size, strides)
    y = graph.node(kind, x, kernel_shape=size, strides=strides, auto_pad=padding)
    return _back(graph, y, inputs, op.data_format)


def _padded_for_torch(
    graph: Graph, x: Name, spatial: tuple[int | None, ...], size: list[int], strides: list[int]
) -> tuple[Name, str]:
    """Return ``x`` and the padding that is left to do, as Keras 3.15 averages on torch.

    Where one side needs more padding than the other, Keras repeats the edges and
    counts them there, and leaves them out of the mean on the other backends.
    """
    if all(k % 2 == 1 and s == 1 for k, s in zip(size, strides, strict=True)):
        return x, "SAME_UPPER"
    lengths = [n for n in spatial if n is not None]
    if len(lengths) < len(spatial):
        raise ModelError(
            "AveragePooling with 'same' padding treats the edges of signals of some lengths in another way on torch, "
            "so that it cannot be exported for any length. Build the model for one length, or use 'valid'."
        )
    needed = [max(0, (-(-n // s) - 1) * s + k - n) for n, k, s in zip(lengths, size, strides, strict=True)]
    before = [total // 2 for total in needed]
    after = [total - left for total, left in zip(needed, before, strict=True)]
    if before == after:
        return x, "SAME_UPPER"
    pads = graph.ints(0, 0, *before, 0, 0, *after)
    return graph.node("Pad", x, pads, mode="edge"), "VALID"
