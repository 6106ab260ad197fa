"""From a trained model of any adapter to an ``.onnx`` file that gives the same predictions."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, final

from cardioflow.core.atomic import folder_beside, put_in_place
from cardioflow.errors import InputError, ModelError
from cardioflow.models._onnx.file import METADATA_KEY
from cardioflow.models.adapter import BackendModel
from cardioflow.models.dump_header import DumpHeader
from cardioflow.models.export.comparing import Comparison, compare
from cardioflow.models.export.graph import with_metadata
from cardioflow.models.inputs import InputShape
from cardioflow.models.onnx import OnnxModel

__all__ = ["Exported", "export_onnx"]

_WRITERS: Final = {
    "keras": "from_keras",
    "sklearn": "from_sklearn",
    "trees": "from_trees",
    "torch": "from_torch",
}
"""The module of this package that writes the graph of an adapter's model."""

_CANNOT: Final = {
    "jax": "Predict with JAX, or write the model in Keras, which runs on JAX and can be exported.",
    "tensorflow": "Predict with TensorFlow, or write the model in Keras, which runs on TensorFlow and can be exported.",
}


@final
@dataclass(frozen=True)
class Exported:
    """What was written."""

    path: Path
    opset: int
    n_bytes: int
    free_time: bool
    """Whether it takes signals of any length; otherwise those of the model's input shape."""
    compared: Comparison
    preprocessing: Path | None
    """The file with the preprocessing, as JSON of a pipeline; ``None`` where the model has none."""


def export_onnx(model: BackendModel, path: str | Path) -> Exported:
    """Write a trained ``model`` to ``path`` as ONNX, if the graph gives the same predictions.

    The graph is run by ONNX Runtime on noise of three lengths and two batch
    sizes (one length where the model takes only one), and nothing is written
    where a prediction differs by more than 1e-5. The file holds the model's
    header, labels, leads, units and preprocessing among them, so that
    ``cardioflow.load(path)`` predicts files with it and needs no framework. The
    preprocessing is also written beside it, ``model.json`` beside
    ``model.onnx``, for programs that are not CardioFlow's.

    Raises:
        InputError: when ``path`` does not end in ``.onnx``.
        ModelError: when the model cannot be exported, or its graph differs.
        MissingDependencyError: when onnx is not installed.
    """
    path = Path(path)
    if path.suffix != ".onnx":
        raise InputError(f"{str(path)!r} does not end in .onnx. Pass the name of the file to write, such as af.onnx.")
    if not path.parent.is_dir():
        raise InputError(f"The folder {str(path.parent)!r} does not exist. Create it first.")
    model._require_model()
    shape = _trained_shape(model)
    graph, compared, takes = _graph_of(model, shape)
    content = with_metadata(graph.model or b"", METADATA_KEY, _header(model).to_json())
    with folder_beside(path) as folder:
        (folder / "graph").write_bytes(content)
        put_in_place(folder / "graph", path)
        beside = None
        if model.preprocessing is not None:
            beside = path.with_suffix(".json")
            (folder / "preprocessing").write_text(model.preprocessing, encoding="utf-8")
            put_in_place(folder / "preprocessing", beside)
    return Exported(path, graph.opset, len(content), takes[-1] is None, compared, beside)


def _graph_of(model: BackendModel, shape: tuple[int, ...]) -> tuple[OnnxModel, Comparison, InputShape]:
    """Return the graph, with a free length if the model takes one, what was compared, and the shape that it takes."""
    write = _writer(model)
    expected = model._takes_shape()
    wide = shape if expected is None and len(shape) == 1 else (shape[0], None)
    tried: list[InputShape] = [expected] if expected is not None else [wide, shape]
    if tried[0] != shape and shape not in tried:
        tried.append(shape)
    for takes in tried:
        try:
            graph = OnnxModel(threads=1).build(write(model, takes))
            graph._seen, graph.inputs = model.targets or model._seen, model.inputs
            return graph, compare(model, graph, shape, free=takes[-1] is None), takes
        except ModelError:
            # With a free length some models cannot be exported, and with their own they can.
            if takes == tried[-1]:
                raise
    raise AssertionError


def _writer(model: BackendModel) -> Callable[[Any, InputShape], bytes]:
    if model.adapter not in _WRITERS:
        remedy = _CANNOT.get(model.adapter, "Write the model in Keras, PyTorch or scikit-learn.")
        raise ModelError(
            f"{type(model).__name__} is a {model.adapter} model, and such models cannot be exported to ONNX. {remedy}"
        )
    module = importlib.import_module(f"cardioflow.models.export.{_WRITERS[model.adapter]}")
    found: Callable[[Any, InputShape], bytes] = module.write_graph
    return found


def _trained_shape(model: BackendModel) -> tuple[int, ...]:
    shape = model._signature.input_shape or model._takes_shape()
    if shape is None or any(size is None for size in shape):
        raise ModelError(
            f"{type(model).__name__} was not trained yet, so that the shape of its signals is not known. "
            "Train it first, or build it for signals of one shape."
        )
    return tuple(int(size) for size in shape if size is not None)


def _header(model: BackendModel) -> DumpHeader:
    """Return the header for the file: of the history only the last figures, because it is for prediction."""
    last = {name: values[-1:] for name, values in model.hist.items() if values}
    header = model._header()
    source = f"Exported from {header.model} ({model.backend or model.adapter})."
    return replace(
        header,
        adapter="onnx",
        model="OnnxModel",
        hist={name: tuple(values) for name, values in last.items()},
        notes=f"{header.notes}\n{source}".strip(),
    )
