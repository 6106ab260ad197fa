"""What all methods are given: rows that the model takes, and the class to explain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.unstack import unstack
from cardioflow.errors import InputError, ModelError
from cardioflow.models._leads import leads_of
from cardioflow.models.base import BaseModel

__all__ = ["Asked", "Predict", "asked", "predictor"]

Array = NDArray[Any]
Predict = Callable[[EcgBatch], Array]


class Asked(NamedTuple):
    """The rows, their signals, and the class of each that is to be explained."""

    rows: EcgBatch
    x: NDArray[np.float32]
    """(record, lead, time)"""
    target: NDArray[np.intp]
    score: NDArray[np.float64]

    @property
    def leads(self) -> tuple[str, ...] | None:
        """The names of the leads; ``None`` where they are not known, or the records differ."""
        known = set(leads_of(self.rows))
        return known.pop() if len(known) == 1 else None


def predictor(model: BaseModel | Predict) -> Predict:
    """Return what predicts: the model's method, or a function of a batch itself."""
    if isinstance(model, BaseModel):
        return model.predict_on_batch
    if not callable(model):
        raise InputError(f"A {type(model).__name__} does not predict. Pass a model, or a function of a batch.")
    return model


def asked(predict: Predict, batch: EcgBatch, target: int | None) -> Asked:
    """Return the rows of ``batch`` and the class to explain, by default the one that is predicted.

    Raises:
        InputError: for an empty batch, signals of different shape, or an unknown class.
        ModelError: when the model does not predict one row of numbers per record.
    """
    rows = unstack(batch)
    signal = rows.component("signal")
    if not len(rows) or (signal.shapes != signal.shapes[0]).any():
        raise InputError(
            "The batch is empty, or its signals differ in shape. Pass records of one shape, such as batch[:1]."
        )
    p = np.asarray(predict(rows), np.float64)
    if p.ndim != 2 or len(p) != len(rows):
        raise ModelError(
            f"The model predicts an array of shape {p.shape} for {len(rows)} records, and explanations are of one row "
            "of numbers per record."
        )
    known = isinstance(target, int | np.integer) and not isinstance(target, bool) and 0 <= target < p.shape[1]
    if target is not None and not known:
        raise InputError(f"target={target!r} is not the number of one of the {p.shape[1]} outputs.")
    chosen = p.argmax(axis=1) if target is None else np.full(len(p), target, np.intp)
    x = np.ascontiguousarray(signal.dense(), dtype=np.float32)
    return Asked(rows, x, chosen, p[np.arange(len(p)), chosen])
