"""Trained models as ONNX graphs whose weights take little room."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from cardioflow.models._onnx.trees import require_onnx
from cardioflow.models.export import export_onnx

__all__ = ["graph_of", "with_small_weights"]

_SMALL: Final = 64
"""Weights of fewer numbers stay as they are: biases and scales."""
_LARGEST: Final = 127


def graph_of(model: Any, stored: str = "float32") -> tuple[bytes, Literal["none", "softmax"]]:
    """Return the graph of a trained model, and what makes probabilities of its output.

    A model with a method ``to_onnx`` writes its own; others go through ``export_onnx``, which compares the graph with
    the model first.

    Raises:
        ModelError: when the model cannot be exported.
        MissingDependencyError: when the package ``onnx`` is not installed.
    """
    own = getattr(type(model), "to_onnx", None)
    if own is not None:
        content: bytes = own(model)
        return with_small_weights(content, stored), "softmax" if model.adapter == "torch" else "none"
    if model.training.precision != "float32":
        # A graph computes in float32, and is compared with what the model then gives.
        model.training = replace(model.training, precision="float32")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        export_onnx(model, path)
        return with_small_weights(path.read_bytes(), stored), "none"


def with_small_weights(content: bytes, stored: str) -> bytes:
    """Return the graph with its large float32 weights stored as ``stored``.

    They are made float32 again when the graph is loaded, and all is computed in float32. ``int8`` keeps a scale for
    each row of the first axis, so that a weight is off by at most 1 / 254 of the largest of its row.
    """
    if stored == "float32":
        return content
    require_onnx()
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load_from_string(content)
    nodes, kept = [], []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        large = tensor.data_type == TensorProto.FLOAT and values.size >= _SMALL and values.ndim >= 2
        if not large or not _can_be_stored(values, stored):
            kept.append(tensor)
            continue
        small, name = f"{tensor.name}_{stored}", tensor.name
        if stored == "float16":
            kept.append(numpy_helper.from_array(values.astype(np.float16), small))
            nodes.append(helper.make_node("Cast", [small], [name], to=TensorProto.FLOAT))
            continue
        scale = _scales(values)
        kept += [
            numpy_helper.from_array(np.rint(values / scale).astype(np.int8), small),
            numpy_helper.from_array(scale, f"{small}_scale"),
        ]
        nodes += [
            helper.make_node("Cast", [small], [f"{small}_cast"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{small}_cast", f"{small}_scale"], [name]),
        ]
    whole = [*nodes, *model.graph.node]
    del model.graph.initializer[:], model.graph.node[:], model.graph.value_info[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend(whole)
    onnx.checker.check_model(model)
    done: bytes = model.SerializeToString()
    return done


def _can_be_stored(values: Any, stored: str) -> bool:
    """Return whether no weight becomes infinite in the smaller type; others stay as they are."""
    largest = float(np.abs(values).max())
    return largest <= (float(np.finfo(np.float16).max) if stored == "float16" else float(np.finfo(np.float32).max))


def _scales(values: Any) -> Any:
    """Return a scale for each row; those of a recurrent layer, (direction, gate · unit, input), for each unit."""
    lead = 2 if values.ndim == 3 and values.shape[0] == 2 else 1
    largest = np.abs(values).max(axis=tuple(range(lead, values.ndim)), keepdims=True)
    return (np.maximum(largest, 1e-12) / _LARGEST).astype(np.float32)
