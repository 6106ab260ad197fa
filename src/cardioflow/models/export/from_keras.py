"""The graph of a Keras model on any backend."""

from __future__ import annotations

from cardioflow.models.export.keras_graph import keras_graph
from cardioflow.models.inputs import InputShape
from cardioflow.models.keras import KerasBaseModel

__all__ = ["write_graph"]


def write_graph(model: KerasBaseModel, shape: InputShape) -> bytes:
    """Return the graph for signals of ``shape``, (lead, time).

    Raises:
        ModelError: for an operation that has no counterpart.
    """
    return keras_graph(model.model, shape, shares=model.predicts == "shares")
