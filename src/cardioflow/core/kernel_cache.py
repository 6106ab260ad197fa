"""A cache of compiled functions' machine code, shared between processes.

Code is read from the first of these folders that has it, and written to the
first that is writable:

1. ``NUMBA_CACHE_DIR``, if it is set;
2. ``__pycache__`` beside the source file, which can be filled before an
   installation is made read-only;
3. the user's cache folder (``XDG_CACHE_HOME``, or ``~/.cache``; ``LOCALAPPDATA`` on Windows).

If none is writable, every process compiles anew and warns once. Like Python's own
``.pyc`` files, the files are trusted: anyone who can write to such a folder can
run code.
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

# Numba's internals are only partly typed.
_compile_result: Any = CompileResult
_dumps: Any = dumps

_SUFFIX: Final = ".nbc"


def folders(source: Path) -> Iterator[Path]:
    """Yield the folders that may hold code compiled from the file ``source``, in order of preference."""
    own = f"{source.parent.name}-{hashlib.blake2b(os.fsencode(source.parent), digest_size=8).hexdigest()}"
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(chosen) / own
    yield source.parent / "__pycache__"
    with contextlib.suppress(RuntimeError):  # there is no home folder
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
    """Return a digest of all source files in ``folder``, because a kernel may call helpers from other files."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(folder.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.digest()


@lru_cache(maxsize=1)
def _warn_unsaved() -> None:
    warnings.warn(
        "No folder for compiled code is writable, so each process compiles anew, which takes a second or two. "
        "Set NUMBA_CACHE_DIR to a writable folder.",
        RuntimeWarning,
        stacklevel=2,
    )


class KernelCache:
    """The compiled forms of one function, one file each; replaces Numba's own cache in a dispatcher."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._source = Path(function.__code__.co_filename).absolute()
        self._name = f"{self._source.stem}.{function.__qualname__}-{sys.implementation.cache_tag}"

    @property
    def cache_path(self) -> str:
        """The preferred folder."""
        return str(next(folders(self._source)))

    def load_overload(self, signature: Any, target: Any) -> Any:
        """Return the function compiled for ``signature``, or ``None`` if no folder has it."""
        target.refresh()
        name = self._file_name(signature, target.codegen())
        for folder in folders(self._source):
            try:
                payload = pickle.loads((folder / name).read_bytes())  # noqa: S301 -- trusted, as .pyc files are
            except (OSError, EOFError, pickle.UnpicklingError):
                continue  # missing, unreadable, or truncated by a full disk
            return _compile_result._rebuild(target, *payload)
        return None

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Write the function compiled for ``signature`` to the first writable folder."""
        if compiled.library.has_dynamic_globals:
            return  # it contains addresses in this process
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
        """Remove the function's files from every writable folder."""
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
        # With default permissions: whoever may read the source may read this.
        part.write_bytes(content)
        part.replace(folder / name)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
