"""A Keras model as a graph of ONNX, on any backend: Keras's symbolic calls say which operations it consists of."""

from __future__ import annotations

import inspect
from typing import Any, final

from keras import KerasTensor, Variable
from keras.src import tree
from keras.src.activations.activations import Mish
from keras.src.ops.function import Function

from cardioflow.errors import ModelError
from cardioflow.models._keras.backend import keras
from cardioflow.models.export import keras_convolutions, keras_shapes  # noqa: F401 -- they add to OPERATIONS
from cardioflow.models.export.graph import Graph, Name
from cardioflow.models.export.keras_layers import LAYERS
from cardioflow.models.export.keras_ops import OPERATIONS, Value

__all__ = ["keras_graph"]


def keras_graph(model: Any, shape: tuple[int | None, ...], *, shares: bool = False) -> bytes:
    """Return the graph of a ``keras.Model``.

    Args:
        model: The model.
        shape: (lead, time) of the signals; ``None`` where any size will do.
        shares: Whether the prediction is what the model outputs, divided by its sum.

    Raises:
        ModelError: for an operation that has no counterpart here.
    """
    writer = _Writer()
    signal = KerasTensor((None, *shape), "float32")
    layers = list(model._flatten_layers())
    # A symbolic call leaves a node in each layer, after which layer.output is ambiguous.
    counts = [(len(own._inbound_nodes), len(own._outbound_nodes)) for own in layers]
    activations = [(vars(own), vars(own).get("activation")) for own in layers]
    for own in layers:
        # Keras takes no losses outside of a call of its own, and a prediction needs none.
        vars(own)["add_loss"] = _no_loss
    for attributes, activation in activations:
        if activation in _SYMBOLIC:
            attributes["activation"] = _SYMBOLIC[activation]
    try:
        (prediction,) = writer.layer(model, (signal,), {"training": False}, {id(signal): "signal"})
    finally:
        for own, (n_in, n_out) in zip(layers, counts, strict=True):
            del own._inbound_nodes[n_in:]
            del own._outbound_nodes[n_out:]
            vars(own).pop("add_loss")
        for attributes, activation in activations:
            if activation in _SYMBOLIC:
                attributes["activation"] = activation
    graph, output = writer.graph, prediction.name
    if shares:
        output = graph.node("Div", output, graph.node("ReduceSum", output, graph.ints(-1), keepdims=1))
    return graph.written(output, shape, len(prediction.shape))


# Keras 3.15 computes these two on tensors alone, and not symbolically.
_SYMBOLIC = {keras.activations.mish: Mish(), keras.activations.hard_silu: keras.ops.hard_silu}


def _no_loss(loss: Any) -> None:
    """Take the loss that a layer adds, and do nothing."""


@final
class _Writer:
    """Goes through the operations of a call, and into those of each layer."""

    def __init__(self) -> None:
        self.graph = Graph()

    def layer(self, layer: Any, args: Any, kwargs: dict[str, Any], names: dict[int, Name]) -> list[Value]:
        """Return what ``layer`` gives for symbolic arguments that have ``names``."""
        given = {name: value for name, value in kwargs.items() if value is not None}
        if any(isinstance(v, KerasTensor) and "mask" in name for name, v in given.items()):
            raise ModelError(f"The layer {layer.name!r} takes a mask, and models with masks cannot be exported.")
        convert = LAYERS.get(type(layer).__name__)
        if convert is not None:
            (x,) = [a for a in args if isinstance(a, KerasTensor)]
            y = convert(self.graph, layer, Value(names[id(x)], tuple(x.shape), x.dtype))
            shape = layer.compute_output_shape(x.shape)
            return [Value(y, tuple(shape), "float32")]
        if getattr(layer, "groups", 1) > 1 and hasattr(layer, "kernel_size"):
            return [self._grouped_convolution(layer, *(a for a in args if isinstance(a, KerasTensor)), names=names)]
        fresh: dict[int, Name] = {}

        def renewed(value: Any) -> Any:
            if not isinstance(value, KerasTensor):
                return value
            # Without a history, so that the operations of this layer end here.
            own = KerasTensor(value.shape, value.dtype)
            fresh[id(own)] = names[id(value)]
            held.append(own)
            return own

        held: list[Any] = []
        own_args, own_kwargs = tree.map_structure(renewed, (tuple(args), given))
        parameters = inspect.signature(layer.call).parameters
        takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        own_kwargs = {name: v for name, v in own_kwargs.items() if takes_any or name in parameters}
        try:
            outputs = layer.call(*own_args, **own_kwargs)
        except ModelError:
            raise
        except (AttributeError, NotImplementedError, TypeError, ValueError) as error:
            raise ModelError(
                f"The layer {layer.name!r}, a {type(layer).__name__}, cannot be exported to ONNX for signals of this "
                f"shape: {str(error).strip().partition(chr(10))[0][:200]} Compute in it with keras.ops alone, or build "
                "the model for one length."
            ) from error
        self._operations(held, outputs, fresh)
        return [self._value(o, fresh) for o in tree.flatten(outputs)]

    def _grouped_convolution(self, layer: Any, x: Any, *, names: dict[int, Name]) -> Value:
        """Add a convolution in groups, whose symbolic call Keras 3.15 refuses: it compares all channels."""
        if layer.padding == "causal":
            raise ModelError(f"The layer {layer.name!r}, causal and in groups, cannot be exported. Pad before it.")
        kernel = keras.ops.convert_to_numpy(layer.kernel)
        y: Name = OPERATIONS["Conv"](self.graph, layer, self._value(x, names), kernel)
        output = KerasTensor(layer.compute_output_shape(x.shape), x.dtype)
        if layer.use_bias:
            bias = keras.ops.convert_to_numpy(layer.bias)
            n_after = layer.rank if layer.data_format == "channels_first" else 0
            y = self.graph.node("Add", y, self.graph.constant(bias.reshape(-1, *[1] * n_after)))
        own = {id(output): y}
        activated = output if layer.activation is None else layer.activation(output)
        self._operations([output], activated, own)
        found: Value = self._value(activated, own)
        return found

    def _operations(self, inputs: list[Any], outputs: Any, names: dict[int, Name]) -> None:
        """Add all operations between ``inputs`` and ``outputs``; their results get names."""
        wanted = [o for o in tree.flatten(outputs) if isinstance(o, KerasTensor) and id(o) not in names]
        if not wanted:
            return
        # An input of which only the shape was used has no history, and Keras asks for it.
        used = [own for own in inputs if hasattr(own, "_keras_history")]
        by_depth = Function(used, wanted)._nodes_by_depth
        for depth in sorted(by_depth, reverse=True):
            for node in by_depth[depth]:
                if node.is_input:
                    continue
                found = self._node(node, names)
                for output, value in zip(node.outputs, found, strict=True):
                    names[id(output)] = value

    def _node(self, node: Any, names: dict[int, Name]) -> list[Name]:
        operation, arguments = node.operation, node.arguments
        if isinstance(operation, keras.layers.Layer):
            return [v.name for v in self.layer(operation, arguments.args, dict(arguments.kwargs), names)]
        kind = type(operation).__name__
        if kind not in OPERATIONS:
            raise ModelError(
                f"The operation {kind} of Keras cannot be exported to ONNX yet. Replace it by operations that can "
                "(docs/models.md lists them), or save the model and predict with Keras."
            )
        bound = inspect.signature(operation.call).bind(*arguments.args, **arguments.kwargs).arguments
        given = {name: tree.map_structure(lambda v: self._value(v, names), value) for name, value in bound.items()}
        result = OPERATIONS[kind](self.graph, operation, **given)
        return list(result) if isinstance(result, tuple) else [result]

    def _value(self, value: Any, names: dict[int, Name]) -> Any:
        """Return a symbolic value by its name, and an array of the backend as one of NumPy."""
        if isinstance(value, KerasTensor):
            return Value(names[id(value)], tuple(value.shape), value.dtype)
        if isinstance(value, Variable) or keras.ops.is_tensor(value):
            return keras.ops.convert_to_numpy(value)
        return value
