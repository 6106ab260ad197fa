"""Models: one adapter per backend, and the zoo, one file per model.

Nothing here imports a backend until it is asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cardioflow.models.base import BaseModel
    from cardioflow.models.declaration import model, names
    from cardioflow.models.keras import KerasBaseModel
    from cardioflow.models.tensorflow import TensorFlowBaseModel

__all__ = ["BaseModel", "KerasBaseModel", "TensorFlowBaseModel", "model", "names"]

_PLACES = {
    "BaseModel": "base",
    "KerasBaseModel": "keras",
    "TensorFlowBaseModel": "tensorflow",
    "model": "declaration",
    "names": "declaration",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
