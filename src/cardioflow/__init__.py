"""CardioFlow: from any ECG file to a trained model and back, in one lazy, reproducible pipeline."""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cardioflow import callbacks, errors
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.bundle import load
    from cardioflow.models.declaration import model
    from cardioflow.pipeline.data.dataset import EcgDataset
    from cardioflow.pipeline.data.leaks.audit import audit
    from cardioflow.pipeline.expressions import B, C, F, V
    from cardioflow.pipeline.own_actions import action
    from cardioflow.pipeline.pipeline import Pipeline

__all__ = [
    "B",
    "C",
    "EcgBatch",
    "EcgDataset",
    "F",
    "Pipeline",
    "V",
    "action",
    "audit",
    "callbacks",
    "errors",
    "load",
    "model",
]

_HOMES = {
    **dict.fromkeys(("B", "C", "F", "V"), "cardioflow.pipeline.expressions"),
    "EcgBatch": "cardioflow.batch.ecg_batch",
    "EcgDataset": "cardioflow.pipeline.data.dataset",
    "Pipeline": "cardioflow.pipeline.pipeline",
    "action": "cardioflow.pipeline.own_actions",
    "audit": "cardioflow.pipeline.data.leaks.audit",
    "load": "cardioflow.bundle",
    "model": "cardioflow.models.declaration",
}
"""Where the names are: each is imported when it is first used, so that importing the package takes no time."""


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        found = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return found
    if not name.startswith("_") and find_spec(f"cardioflow.{name}") is not None:
        return import_module(f"cardioflow.{name}")
    if name == "__version__":
        # Reading the installed metadata is slower than most imports, and the version is rarely used.
        from importlib.metadata import version

        return version("cardioflow")
    from cardioflow.core.former_names import where_now

    raise AttributeError(f"module 'cardioflow' has no attribute {name!r}. {where_now('module', name)}".rstrip())


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
