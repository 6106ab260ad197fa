"""Callbacks for ``run(callbacks=[…])``, each imported when its name is first used.

They lie in ``pipeline/callbacks/``, one file each, and are found by the names
of the files. ``Callback`` is the base class of your own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cardioflow import registry
from cardioflow.errors import nearest

if TYPE_CHECKING:
    from cardioflow.pipeline.callbacks.base import BatchLogs, Callback
    from cardioflow.pipeline.callbacks.best_model import BestModel
    from cardioflow.pipeline.callbacks.csv_log import CsvLog
    from cardioflow.pipeline.callbacks.early_stopping import EarlyStopping
    from cardioflow.pipeline.callbacks.evaluate import Evaluate
    from cardioflow.pipeline.callbacks.learning_rate import LearningRate
    from cardioflow.pipeline.callbacks.m_lflow import MLflow
    from cardioflow.pipeline.callbacks.tensor_board import TensorBoard
    from cardioflow.pipeline.callbacks.weight_average import WeightAverage

__all__ = [
    "BatchLogs",
    "BestModel",
    "Callback",
    "CsvLog",
    "EarlyStopping",
    "Evaluate",
    "LearningRate",
    "MLflow",
    "TensorBoard",
    "WeightAverage",
]


def __getattr__(name: str) -> Any:
    if name in ("BatchLogs", "Callback"):
        from cardioflow.pipeline.callbacks import base

        return getattr(base, name)
    for member in registry.callbacks.names():
        if registry.class_name(member) == name:
            return registry.callbacks.get(member)
    known = map(registry.class_name, registry.callbacks.names())
    raise AttributeError(f"There is no callback {name!r}. {nearest(name, known)}")


def __dir__() -> list[str]:
    return sorted(__all__)
