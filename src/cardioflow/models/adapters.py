"""Which class loads a dump: one of the zoo, or the adapter of its backend."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cardioflow import registry
from cardioflow.errors import ModelError
from cardioflow.models import dump
from cardioflow.models.base import BaseModel
from cardioflow.models.dump_header import DumpHeader
from cardioflow.models.persistence import PersistentModel

__all__ = ["adapter_class", "from_dump", "model_class"]

_MODULES = {
    "ensemble": "Ensemble",
    "hmm": "HMModel",
    "jax": "JaxBaseModel",
    "keras": "KerasBaseModel",
    "onnx": "OnnxModel",
    "sklearn": "SklearnBaseModel",
    "tensorflow": "TensorFlowBaseModel",
    "test_time_augmentation": "TestTimeAugmentation",
    "torch": "TorchBaseModel",
}
"""The module of each adapter, which has its name, and its class there. A dump names the adapter, never a module."""


def adapter_class(header: DumpHeader) -> type[PersistentModel] | None:
    """Return the class that adapts the dump's backend; ``None`` for a backend that is not imported.

    Raises:
        MissingDependencyError: when the backend is one of ours and is not installed.
    """
    if header.adapter in _MODULES:
        module = importlib.import_module(f"cardioflow.models.{header.adapter}")
        found: type[PersistentModel] = getattr(module, _MODULES[header.adapter])
        return found
    return next((own for own in _subclasses(PersistentModel) if own.__dict__.get("adapter") == header.adapter), None)


def model_class(header: DumpHeader) -> type[BaseModel] | None:
    """Return the class that can load the dump without a builder; ``None`` if only the code that built it can."""
    for name in registry.models.names():
        if registry.class_name(name) == header.model:
            zoo: type[BaseModel] = registry.models.get(name)
            return zoo if zoo.holds_architecture else None
    adapter = adapter_class(header)
    return adapter if adapter is not None and adapter.holds_architecture else None


def from_dump(path: str | Path) -> BaseModel:
    """Return the model that is saved in ``path``, if its dump holds the architecture.

    Raises:
        DumpError: when ``path`` is missing or is not a dump.
        ModelError: when only the code that built the model can build it again.
    """
    header = dump.read_header(path)
    found = model_class(header)
    if found is None:
        raise ModelError(
            f"{str(path)!r} holds the weights of {header.model}, which only its own code can build. "
            "Predict with it in Python: Pipeline(config={name: {'path': …}}).predict_on_batch(name)."
        )
    return found.from_dump(path)


def _subclasses(cls: Any) -> Iterator[type[PersistentModel]]:
    for own in cls.__subclasses__():
        yield own
        yield from _subclasses(own)
