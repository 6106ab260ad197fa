"""Models: one adapter per backend, and the zoo, one file per model.

Nothing here imports a backend until it is asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cardioflow.models.base import BaseModel
    from cardioflow.models.declaration import model, names
    from cardioflow.models.ensemble import Ensemble
    from cardioflow.models.hmm import HMModel
    from cardioflow.models.jax import JaxBaseModel
    from cardioflow.models.keras import KerasBaseModel
    from cardioflow.models.onnx import OnnxModel
    from cardioflow.models.sklearn import SklearnBaseModel
    from cardioflow.models.tensorflow import TensorFlowBaseModel
    from cardioflow.models.test_time_augmentation import TestTimeAugmentation
    from cardioflow.models.torch import TorchBaseModel
    from cardioflow.models.training import TrainingOptions

__all__ = [
    "BaseModel",
    "Ensemble",
    "HMModel",
    "JaxBaseModel",
    "KerasBaseModel",
    "OnnxModel",
    "SklearnBaseModel",
    "TensorFlowBaseModel",
    "TestTimeAugmentation",
    "TorchBaseModel",
    "TrainingOptions",
    "model",
    "names",
]

_MODULES = {
    "BaseModel": "base",
    "Ensemble": "ensemble",
    "HMModel": "hmm",
    "JaxBaseModel": "jax",
    "KerasBaseModel": "keras",
    "OnnxModel": "onnx",
    "SklearnBaseModel": "sklearn",
    "TensorFlowBaseModel": "tensorflow",
    "TestTimeAugmentation": "test_time_augmentation",
    "TorchBaseModel": "torch",
    "TrainingOptions": "training",
    "model": "declaration",
    "names": "declaration",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
