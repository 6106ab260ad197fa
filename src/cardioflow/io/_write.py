"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
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
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp lets only the owner read; a new file is as open as the process makes files.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
