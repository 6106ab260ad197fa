"""CardioFlow: from any ECG file to a trained model and back, in one lazy, reproducible pipeline."""

from typing import TYPE_CHECKING, Any

from cardioflow import errors
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.models.declaration import model
from cardioflow.pipeline.data.dataset import EcgDataset
from cardioflow.pipeline.expressions import B, C, F, V
from cardioflow.pipeline.own_actions import action
from cardioflow.pipeline.pipeline import Pipeline

__all__ = ["B", "C", "EcgBatch", "EcgDataset", "F", "Pipeline", "V", "action", "callbacks", "errors", "load", "model"]


if TYPE_CHECKING:
    from cardioflow import callbacks
    from cardioflow.bundle import load


def __getattr__(name: str) -> Any:
    if name == "load":
        # This imports the layers above the pipeline, which a pipeline does not need.
        from cardioflow.bundle import load

        return load
    if name == "callbacks":
        import cardioflow.callbacks

        return cardioflow.callbacks
    if name == "__version__":
        # Reading the installed metadata is slower than most imports, and the version is rarely used.
        from importlib.metadata import version

        return version("cardioflow")
    from cardioflow.core.former_names import where_now

    raise AttributeError(f"module 'cardioflow' has no attribute {name!r}. {where_now('module', name)}".rstrip())
