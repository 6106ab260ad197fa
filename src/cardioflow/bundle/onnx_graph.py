"""An ONNX graph that predicts rows, run by ONNX Runtime on one thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import DumpError, InputError
from cardioflow.models.inputs import Signals
from cardioflow.models.onnx import OnnxModel

__all__ = ["OnnxGraph"]

Doubles = NDArray[np.float64]

_ROWS: Final = 32
"""Rows in one call; more need more memory and gain no time on one thread."""


@final
class OnnxGraph:
    """The first output of a graph for rows of a batch.

    Args:
        content: The bytes of the ONNX file.
        name: Its name, for errors.
        component: What it takes from a batch: the signal as (row, lead, time), or a table of features as
            (row, feature), in which NaN stands for what could not be measured.
        activation: What makes probabilities of its output.

    Raises:
        DumpError: when ONNX Runtime cannot load it, or it is not a graph that may be used; see ``OnnxModel``.
    """

    def __init__(self, content: bytes, name: str, *, component: str = "signal", activation: str = "none") -> None:
        try:
            # One thread gives the same sums each time; what runs beside it are records.
            self._model = OnnxModel(threads=1).build(content)
        except DumpError as error:
            raise DumpError(f"The graph {name!r} cannot be used. {error}") from error
        self._shape = self._model._takes_shape() or ()
        self._name = name
        self._component = component
        self._activation = activation

    def predict(self, rows: EcgBatch) -> NDArray[np.float64]:
        """Return a row of probabilities, or of numbers, for each row of the unstacked batch ``rows``.

        Raises:
            InputError: when the rows do not have the shape that the graph takes.
        """
        x = self._encoded(rows)
        parts = [self._model._predict(x[k : k + _ROWS]) for k in range(0, len(x), _ROWS)]
        found: NDArray[np.float64] = np.concatenate(parts).astype(np.float64)
        if found.ndim != 2:
            raise InputError(f"The graph {self._name!r} gives an array of shape {found.shape}; expected (row, class).")
        return _ACTIVATIONS[self._activation](found)

    def _encoded(self, rows: EcgBatch) -> NDArray[np.float32]:
        if self._component == "signal":
            return Signals().encode(rows, self._shape, None)
        table = np.asarray(rows.component(self._component), np.float32)
        if table.ndim != 2 or self._shape[0] not in (None, table.shape[1]):
            raise InputError(
                f"The graph {self._name!r} takes {self._shape[0]} features per row, and component "
                f"{self._component!r} has the shape {table.shape}. Use the preparation that the bundle was made with."
            )
        return np.ascontiguousarray(table)


def _softmax(x: NDArray[np.float64]) -> NDArray[np.float64]:
    raised: Any = np.exp(x - x.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -500, 500))))


_ACTIVATIONS: Final[dict[str, Callable[[Doubles], Doubles]]] = {
    "none": lambda x: x,
    "softmax": _softmax,
    "sigmoid": _sigmoid,
}
