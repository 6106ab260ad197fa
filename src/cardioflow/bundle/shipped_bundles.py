"""The bundles that come with the package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from cardioflow.bundle.package import DESCRIPTION

__all__ = ["shipped_names", "shipped_path"]


def shipped_names() -> tuple[str, ...]:
    """Return the names that ``cardioflow.load`` knows without a path."""
    folder = _folder()
    found = folder.iterdir() if folder.is_dir() else ()
    return tuple(sorted(path.name for path in found if (path / DESCRIPTION).is_file()))


def shipped_path(name: str) -> Path | None:
    """Return the folder of the shipped bundle ``name``; ``None`` if there is none of that name."""
    return _folder() / name if name in shipped_names() else None


def _folder() -> Path:
    return Path(str(files("cardioflow.bundle"))) / "shipped"
