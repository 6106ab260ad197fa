"""Writing a file whole or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["atomically", "with_ending"]


def with_ending(path: Path, ending: str) -> Path:
    """Return ``path`` with ``ending`` (``".npz"``) behind it, unless it ends so; a dot in a record's name stays."""
    return path if path.suffix.lower() == ending else path.with_name(path.name + ending)


@contextmanager
def atomically(path: Path) -> Iterator[Path]:
    """Give a temporary name beside ``path``; what was written under it is renamed when all went well, else removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}{path.suffix}")
    # Made here, and not by tempfile, so that it is as open as the process makes its files.
    temporary.open("xb").close()
    try:
        yield temporary
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
