"""CardioFlow: from any ECG file to a trained model and back, in one lazy, reproducible pipeline."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cardioflow import errors
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.pipeline.data.dataset import EcgDataset
from cardioflow.pipeline.expressions import B, C, F, V
from cardioflow.pipeline.pipeline import Pipeline

if TYPE_CHECKING:
    from cardioflow import callbacks
    from cardioflow.bundle import load
    from cardioflow.models.declaration import model
    from cardioflow.pipeline.own_actions import action

__all__ = ["B", "C", "EcgBatch", "EcgDataset", "F", "Pipeline", "V", "action", "callbacks", "errors", "load", "model"]

_LAZY = {
    "action": "cardioflow.pipeline.own_actions",
    "load": "cardioflow.bundle",
    "model": "cardioflow.models.declaration",
}
"""Where the names are that most programs do not use, so that importing the package stays quick."""


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    if name == "callbacks":
        return import_module("cardioflow.callbacks")
    if name == "__version__":
        # Reading the installed metadata is slower than most imports, and the version is rarely used.
        from importlib.metadata import version

        return version("cardioflow")
    from cardioflow.core.former_names import where_now

    raise AttributeError(f"module 'cardioflow' has no attribute {name!r}. {where_now('module', name)}".rstrip())


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
