"""Whether a file can be written, asked before the work whose result it is to hold."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["why_not_writable"]


def why_not_writable(path: Path) -> str | None:
    """Return why no file can be written as ``path``, and the remedy; ``None`` where one can."""
    if path.is_dir():
        return "it is a folder. Pass the name of a file"
    if not path.parent.is_dir():
        return f"there is no folder {str(path.parent)!r}. Make it first"
    if not os.access(path.parent, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        return "you may not write there. Change its permissions, or pass another path"
    return None
