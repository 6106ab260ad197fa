"""Where the machine code of compiled functions is kept between processes.

Code is read from the first of these folders that holds it, and written to the
first that can be written:

1. ``NUMBA_CACHE_DIR``, where it is set;
2. ``__pycache__`` beside the source file, which an installation that is later
   made read-only may bring along filled;
3. the user's cache folder (``XDG_CACHE_HOME``, or ``~/.cache``; ``LOCALAPPDATA`` on Windows).

Where none can be written, every process compiles anew, and a warning says so once.
Like Python's own ``.pyc`` files these are trusted: who can write to such a folder
can run code.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import platform
import sys
import uuid
import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numba
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

__all__ = ["KernelCache", "folders"]

# Numba types its internals in part.
_compile_result: Any = CompileResult
_dumps: Any = dumps

_SUFFIX: Final = ".nbc"


def folders(source: Path) -> Iterator[Path]:
    """Yield the folders in which code compiled from the file ``source`` may lie, in the order of preference."""
    own = f"{source.parent.name}-{hashlib.blake2b(os.fsencode(source.parent), digest_size=8).hexdigest()}"
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(chosen) / own
    yield source.parent / "__pycache__"
    with contextlib.suppress(RuntimeError):  # no home
        yield _user_folder() / "cardioflow" / own


def _user_folder() -> Path:
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    return Path(chosen) if Path(chosen).is_absolute() else Path.home() / ".cache"


@lru_cache(maxsize=16)
def _sources(folder: Path) -> bytes:
    """Return a digest of all source files of ``folder``: what a kernel calls may stand in another than its own."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(folder.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.digest()


@lru_cache(maxsize=1)
def _warn_unsaved() -> None:
    warnings.warn(
        "No folder for compiled code can be written, so that each process compiles anew, which takes a second or two. "
        "Set NUMBA_CACHE_DIR to a writable folder.",
        RuntimeWarning,
        stacklevel=2,
    )


class KernelCache:
    """The compiled forms of one function, one file each; stands in a Numba dispatcher for Numba's own cache."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._source = Path(function.__code__.co_filename).absolute()
        self._name = f"{self._source.stem}.{function.__qualname__}-{sys.implementation.cache_tag}"

    @property
    def cache_path(self) -> str:
        """The folder that is preferred."""
        return str(next(folders(self._source)))

    def load_overload(self, signature: Any, target: Any) -> Any:
        """Return the result of compiling for ``signature``, or ``None`` where no folder holds it."""
        target.refresh()
        name = self._file_name(signature, target.codegen())
        for folder in folders(self._source):
            try:
                payload = pickle.loads((folder / name).read_bytes())  # noqa: S301 -- trusted, as .pyc files are
            except (OSError, EOFError, pickle.UnpicklingError):
                continue  # not there, not readable, or cut short by a full disk
            return _compile_result._rebuild(target, *payload)
        return None

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Write the result of compiling for ``signature`` to the first folder that takes it."""
        if compiled.library.has_dynamic_globals:
            return  # it holds addresses of this process
        name, content = self._file_name(signature, compiled.codegen), _dumps(compiled._reduce())
        for folder in folders(self._source):
            with contextlib.suppress(OSError):
                _write(folder, name, content)
                self._remove_outdated(folder)
                return
        _warn_unsaved()

    def enable(self) -> None:
        """Do nothing: the cache is always on."""

    def disable(self) -> None:
        """Do nothing: the cache is always on."""

    def flush(self) -> None:
        """Remove the function's files from every folder that can be written."""
        for folder in folders(self._source):
            for path in folder.glob(f"{self._name}-*{_SUFFIX}"):
                with contextlib.suppress(OSError):
                    path.unlink()

    def _stamp(self) -> str:
        versions = (numba.__version__, platform.python_version())
        return hashlib.blake2b(_sources(self._source.parent) + repr(versions).encode(), digest_size=6).hexdigest()

    def _file_name(self, signature: Any, codegen: Any) -> str:
        key = repr((signature, codegen.magic_tuple())).encode()
        return f"{self._name}-{self._stamp()}-{hashlib.blake2b(key, digest_size=8).hexdigest()}{_SUFFIX}"

    def _remove_outdated(self, folder: Path) -> None:
        for path in folder.glob(f"{self._name}-*{_SUFFIX}"):
            if not path.name.startswith(f"{self._name}-{self._stamp()}-"):
                with contextlib.suppress(OSError):
                    path.unlink()


def _write(folder: Path, name: str, content: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{name}.{uuid.uuid4().hex[:12]}"
    try:
        # With the permissions of any file: who may read the source may read this.
        part.write_bytes(content)
        part.replace(folder / name)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
