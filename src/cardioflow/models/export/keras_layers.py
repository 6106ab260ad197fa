"""Layers of Keras that do not consist of its operations, as operators of ONNX: the recurrent ones above all.

Traced as loops, they would take the better part of a minute.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cardioflow.errors import ModelError
from cardioflow.models.export.graph import Graph, Name
from cardioflow.models.export.keras_ops import Value

__all__ = ["LAYERS"]

_LAST = 2**62


def _gates(weights: Any, order: tuple[int, ...], units: int) -> np.ndarray[Any, Any]:
    """Return Keras's (input, gates · unit) as ONNX's (1, gates · unit, input), the gates in another order."""
    parts = [weights[..., g * units : (g + 1) * units] for g in order]
    return np.asarray(np.concatenate(parts, axis=-1).T[None])


def _recurrent(graph: Graph, layer: Any, x: Value, operator: str, order: tuple[int, ...], **attributes: Any) -> Name:
    if layer.activation.__name__ != "tanh" or layer.recurrent_activation.__name__ != "sigmoid":
        raise ModelError(
            f"A {type(layer).__name__} with activations of its own cannot be exported. Use tanh and sigmoid."
        )
    if layer.return_state or layer.stateful:
        raise ModelError(f"A {type(layer).__name__} that returns or keeps its state cannot be exported.")
    units, cell = layer.units, layer.cell
    kernel, own = (np.asarray(w) for w in (cell.kernel, cell.recurrent_kernel))
    n = len(order)
    bias = np.zeros((2, n * units), np.float32)
    if cell.use_bias:
        given = np.asarray(cell.bias)
        bias[: 1 if given.ndim == 1 else 2] = given
    both = np.concatenate([_gates(b[None], order, units)[..., 0] for b in bias], axis=-1)
    by_time = graph.node("Transpose", x.name, perm=[1, 0, 2])
    constants = [graph.constant(w) for w in (_gates(kernel, order, units), _gates(own, order, units), both)]
    direction = "reverse" if layer.go_backwards else "forward"
    states = graph.node(operator, by_time, *constants, hidden_size=units, direction=direction, **attributes)
    y = graph.node("Transpose", graph.node("Squeeze", states, graph.ints(1)), perm=[1, 0, 2])
    if not layer.return_sequences:
        # The state after the last step, which for a layer that goes backwards stands first.
        at = 0 if layer.go_backwards else -1
        found: Name = graph.node("Gather", y, graph.constant(np.array(at)), axis=1)
        return found
    if layer.go_backwards:
        # Keras gives the states in the order in which they were computed.
        y = _turned(graph, y)
    in_order: Name = y
    return in_order


def _turned(graph: Graph, y: Name) -> Name:
    """Return (record, time, unit) with the last time first."""
    found: Name = graph.node("Slice", y, graph.ints(_LAST), graph.ints(-_LAST), graph.ints(1), graph.ints(-1))
    return found


def _rescaling(graph: Graph, layer: Any, x: Value) -> Name:
    """Return x · scale + offset, which Keras computes outside its own operations."""
    scaled = graph.node("Mul", x.name, graph.constant(np.asarray(layer.scale, np.float32)))
    found: Name = graph.node("Add", scaled, graph.constant(np.asarray(layer.offset, np.float32)))
    return found


def _lstm(graph: Graph, layer: Any, x: Value) -> Name:
    """Keras has the gates input, forget, cell, output; ONNX input, output, forget, cell."""
    return _recurrent(graph, layer, x, "LSTM", (0, 3, 1, 2))


def _gru(graph: Graph, layer: Any, x: Value) -> Name:
    return _recurrent(graph, layer, x, "GRU", (0, 1, 2), linear_before_reset=int(layer.reset_after))


def _bidirectional(graph: Graph, layer: Any, x: Value) -> Name:
    """Return what both directions give, in the order of time, merged as the layer says."""
    if layer.merge_mode not in _MERGED or layer.return_state:
        raise ModelError(f"Bidirectional with merge_mode={layer.merge_mode!r} cannot be exported. Use 'concat'.")
    both = []
    for own in (layer.forward_layer, layer.backward_layer):
        kind = type(own).__name__
        if kind not in ("GRU", "LSTM"):
            raise ModelError(f"Bidirectional with a {kind} cannot be exported. Use LSTM or GRU.")
        both.append(LAYERS[kind](graph, own, x))
    if layer.return_sequences:
        both[1] = _turned(graph, both[1])
    operator, attributes = _MERGED[layer.merge_mode]
    found: Name = graph.node(operator, *both, **attributes)
    if layer.merge_mode == "ave":
        found = graph.node("Mul", found, graph.constant(0.5))
    return found


_MERGED: dict[str, tuple[str, dict[str, Any]]] = {
    "concat": ("Concat", {"axis": -1}),
    "sum": ("Add", {}),
    "mul": ("Mul", {}),
    "ave": ("Add", {}),
}

LAYERS: dict[str, Callable[[Graph, Any, Value], Name]] = {
    "Bidirectional": _bidirectional,
    "GRU": _gru,
    "LSTM": _lstm,
    "Rescaling": _rescaling,
}
"""By the name of Keras's class."""
