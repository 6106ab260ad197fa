"""Packages that are not installed with CardioFlow alone."""

from __future__ import annotations

import importlib
from typing import Any

from cardioflow.errors import MissingDependencyError

__all__ = ["needed"]


def needed(module: str, *, extra: str) -> Any:
    """Return the module of that name, which an extra of CardioFlow installs.

    Raises:
        MissingDependencyError: with the command that installs it, when its package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        # A package that is there and lacks another one has a fault of its own.
        if error.name not in (module, package):
            raise
        raise MissingDependencyError(
            f"{package} is not installed, and this needs it. Install it: pip install 'cardioflow[{extra}]'."
        ) from error
