"""Keras, with its backend chosen before it is imported, because Keras reads the choice only then."""

from __future__ import annotations

import json
import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path

from cardioflow.errors import MissingDependencyError

__all__ = ["BACKENDS", "choose_backend", "keras", "refuse_unsafe"]

BACKENDS = ("tensorflow", "jax", "torch")
"""The order of choice if several are installed and none is configured: the fastest first, as measured on CPUs."""


def choose_backend() -> str:
    """Return the backend that Keras will run on, and set ``KERAS_BACKEND`` to it if it is not set.

    ``KERAS_BACKEND`` comes first, then ``keras.json`` if the backend that it
    names is installed (Keras itself writes ``"tensorflow"`` there, installed or
    not), then the first of ``BACKENDS`` that is installed.

    Raises:
        MissingDependencyError: when Keras, or each of its backends, is missing.
    """
    if "keras" in sys.modules:
        return str(sys.modules["keras"].config.backend())
    if find_spec("keras") is None:
        raise MissingDependencyError(
            "Keras is not installed, and this model needs it. "
            "Install it with one of its backends: pip install 'cardioflow[tensorflow]' (or [jax], or [torch])."
        )
    configured = os.environ.get("KERAS_BACKEND")
    if configured:
        if configured in BACKENDS and find_spec(configured) is None:
            raise MissingDependencyError(
                f"KERAS_BACKEND is {configured!r}, which is not installed. "
                f"Install it, pip install 'cardioflow[{configured}]', or set KERAS_BACKEND to another."
            )
        return configured
    for backend in (_in_keras_json(), *BACKENDS):
        if backend in BACKENDS and find_spec(backend) is not None:
            os.environ["KERAS_BACKEND"] = backend
            return backend
    raise MissingDependencyError(
        "Keras is installed, but none of its backends is. "
        "Install one: pip install 'cardioflow[tensorflow]' (or [jax], or [torch])."
    )


def _in_keras_json() -> str | None:
    home = os.environ.get("KERAS_HOME")
    path = Path(home) if home else Path.home() / ".keras"
    try:
        backend = json.loads((path / "keras.json").read_text(encoding="utf-8")).get("backend")
    except (OSError, ValueError, AttributeError):
        return None
    return backend if isinstance(backend, str) else None


def refuse_unsafe(version: str) -> None:
    """Refuse a version of Keras that can be made to run code from a file even in safe mode.

    Raises:
        MissingDependencyError: for a version older than 3.15.1.
    """
    if tuple(int(number) for number in re.findall(r"\d+", version)[:3]) < (3, 15, 1):
        raise MissingDependencyError(
            f"Keras {version} is installed; older than 3.15.1, it can be made to run code from a model's file. "
            "Update it: pip install --upgrade keras."
        )


choose_backend()

import keras  # noqa: E402 -- after the choice, because Keras reads KERAS_BACKEND on import

refuse_unsafe(keras.__version__)
