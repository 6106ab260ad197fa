"""The names of single files that were compressed."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["inner_name", "is_compressed"]

_SUFFIXES = (".gz", ".zip", ".xz", ".bz2")


def is_compressed(path: str | Path) -> bool:
    """Return whether the name of a file says that it is compressed."""
    return os.fspath(path).lower().endswith(_SUFFIXES)


def inner_name(path: Path) -> Path:
    """Return ``path`` without the suffix of its compression, which is the name that a file in it has."""
    return path.with_suffix("")
