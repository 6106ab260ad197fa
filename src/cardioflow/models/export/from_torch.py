"""The graph of a PyTorch model, by PyTorch's own exporter."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from typing import Any, Final

import torch

from cardioflow.errors import MissingDependencyError, ModelError
from cardioflow.models._torch.state import unwrapped
from cardioflow.models.inputs import InputShape
from cardioflow.models.torch import TorchBaseModel

__all__ = ["write_graph"]

OPSET: Final = 18
"""The oldest that the exporter writes without converting versions."""

_ROWS: Final = 3
_SAMPLES: Final = 1024
"""Of the example where any length will do."""


class _Predicts(torch.nn.Module):
    """A module with what makes predictions of its outputs, which the graph has, too."""

    def __init__(self, model: TorchBaseModel) -> None:
        super().__init__()
        self.module = unwrapped(model.model)
        self.activation = model.activation or model._loss().predict

    def forward(self, signal: torch.Tensor) -> Any:
        return self.activation(self.module(signal))


def write_graph(model: TorchBaseModel, shape: InputShape) -> bytes:
    """Return the graph for signals of ``shape``, (lead, time), in float32.

    Raises:
        MissingDependencyError: when onnxscript is not installed.
        ModelError: when PyTorch cannot export the module.
    """
    try:
        import onnxscript  # noqa: F401 -- what the exporter needs
    except ImportError as error:
        raise MissingDependencyError(
            "onnxscript is not installed, and exporting from PyTorch needs it. Install it: "
            "pip install 'cardioflow[onnx]'."
        ) from error
    model._module()
    module = _Predicts(model).eval()
    example = torch.zeros((_ROWS, *(size or _SAMPLES for size in shape)), device=model._device)
    free = {0: torch.export.Dim("record", min=1)}
    if shape[-1] is None:
        free[example.ndim - 1] = torch.export.Dim.AUTO
    try:
        with _quiet(), torch.no_grad():
            program: Any = torch.onnx.export(
                module,
                (example,),
                dynamo=True,
                opset_version=OPSET,
                dynamic_shapes=(free,),
                input_names=["signal"],
                output_names=["prediction"],
                external_data=False,
            )
    except Exception as error:  # the exporter raises errors of each of its stages.
        raise ModelError(
            f"PyTorch cannot export the module of {type(model).__name__} for signals of shape {shape}: "
            f"{_last_cause(error)}"
        ) from error
    proto = program.model_proto
    for node in proto.graph.node:
        # Where in the program a node came from takes as many bytes as a small network.
        del node.metadata_props[:]
        node.doc_string = ""
    content: bytes = proto.SerializeToString()
    return content


@contextlib.contextmanager
def _quiet() -> Any:
    """Keep the exporter from printing its progress and warning of its own parts."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _last_cause(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:300]}"
