"""A graph of ONNX while it is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, final

import numpy as np

from cardioflow.errors import MissingDependencyError, ModelError

try:
    import onnx
    from onnx import TensorProto, helper, numpy_helper
except ImportError as error:
    raise MissingDependencyError(
        "onnx is not installed, and exporting needs it. Install it: pip install 'cardioflow[onnx]'."
    ) from error

__all__ = ["OPSET", "Graph", "Name", "with_metadata"]

Name = str
"""The name of a value in the graph."""

OPSET: Final = 17
"""Of the graphs that we write ourselves; ONNX Runtime reads it from version 1.12 (2022) on."""

_IR_VERSION: Final = 8
_TYPES: Final = {
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
    "int64": TensorProto.INT64,
    "int32": TensorProto.INT32,
    "bool": TensorProto.BOOL,
}


@final
class Graph:
    """Nodes and constants, in order; a method adds to them and returns the names of what it added."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._shared: dict[tuple[str, tuple[int, ...], bytes], Name] = {}
        self._n_names = 0

    def node(self, operator: str, *inputs: Name, n_outputs: int = 1, domain: str = "", **attributes: Any) -> Any:
        """Add a node and return the name of its output, or of several a tuple."""
        outputs = [self._name(operator) for _ in range(n_outputs)]
        given = {name: value for name, value in attributes.items() if value is not None}
        self._nodes.append(helper.make_node(operator, list(inputs), outputs, domain=domain, **given))
        return outputs[0] if n_outputs == 1 else tuple(outputs)

    def constant(self, value: Any, dtype: str | None = None) -> Name:
        """Add an array and return its name; equal ones are kept once."""
        array = np.asarray(value)
        if dtype is None:
            dtype = {"f": "float32", "b": "bool"}.get(array.dtype.kind, "int64")
        if dtype not in _TYPES:
            raise ModelError(
                f"The model computes in {dtype}, and graphs are written in float32. Build it with float32 weights."
            )
        array = np.ascontiguousarray(array, dtype=dtype).reshape(array.shape)
        key = (dtype, array.shape, array.tobytes())
        if key not in self._shared:
            self._shared[key] = self._name("constant")
            self._constants.append(numpy_helper.from_array(array, self._shared[key]))
        return self._shared[key]

    def ints(self, *values: int) -> Name:
        """Add whole numbers, such as a shape, and return their name."""
        return self.constant(np.array(values, np.int64))

    def cast(self, value: Name, dtype: str) -> Name:
        """Return the name of ``value`` as ``dtype``."""
        if dtype not in _TYPES:
            raise ModelError(
                f"The model computes in {dtype}, and graphs are written in float32. Build it with float32 weights."
            )
        found: Name = self.node("Cast", value, to=_TYPES[dtype])
        return found

    def written(self, output: Name, shape: Sequence[int | None], n_axes: int) -> bytes:
        """Return the graph with the input ``"signal"`` of ``shape``, without the axis of records, and one output.

        Args:
            output: The name of the value that is put out, as ``"prediction"``.
            shape: The sizes of the input's axes after the first; ``None`` where any size will do.
            n_axes: The number of axes of the output.
        """
        self._nodes.append(helper.make_node("Identity", [output], ["prediction"]))
        names = ("lead", "time") if len(shape) == 2 else ("feature",)
        sizes = ["record", *(name if size is None else size for name, size in zip(names, shape, strict=True))]
        put_in = helper.make_tensor_value_info("signal", TensorProto.FLOAT, sizes)
        put_out = helper.make_tensor_value_info(
            "prediction", TensorProto.FLOAT, ["record", *(f"axis_{i}" for i in range(1, n_axes))]
        )
        graph = helper.make_graph(self._nodes, "model", [put_in], [put_out], self._constants)
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="cardioflow")
        onnx.checker.check_model(model)
        content: bytes = model.SerializeToString()
        return content

    def _name(self, operator: str) -> Name:
        self._n_names += 1
        return f"{operator.lower()}_{self._n_names}"


def with_metadata(content: bytes, key: str, text: str) -> bytes:
    """Return the graph ``content`` with ``text`` among its metadata, under ``key``, and nothing else there."""
    made = onnx.load_from_string(content)
    helper.set_model_props(made, {key: text})
    written: bytes = made.SerializeToString()
    return written
