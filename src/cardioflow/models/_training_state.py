"""Arrays by name, in a safetensors file: what training has come to, besides the weights of a model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from cardioflow.errors import DumpError

__all__ = ["read_training", "write_training"]

_EMPTY = "_"


def write_training(arrays: Mapping[str, NDArray[Any]], path: Path) -> None:
    """Write ``arrays`` to ``path``.

    Raises:
        OSError: when the file cannot be written.
    """
    # A file without any array cannot be written.
    own = {_EMPTY: np.zeros(1, np.uint8), **{name: np.array(array, order="C") for name, array in arrays.items()}}
    try:
        save_file(own, path)
    except SafetensorError as error:
        raise OSError(str(error)) from error


def read_training(path: Path) -> dict[str, NDArray[Any]]:
    """Return what ``write_training`` wrote.

    Raises:
        DumpError: when the file is damaged.
    """
    try:
        found: dict[str, NDArray[Any]] = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise DumpError(f"The saved state of the training is damaged: {error}. Go on from an earlier one.") from error
    found.pop(_EMPTY, None)
    return found
