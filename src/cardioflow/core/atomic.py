"""Files and folders that appear under their final name only when they are complete.

Everything is written under a temporary name beside the final one and then
renamed, so a crash or a full disk never leaves half a file. The temporary name
begins with a dot, which globs and ``cardioflow convert`` skip, and identifies
the process that is writing. If a process is killed, the next one that writes to
the same folder removes its leftovers.

Before it is renamed, the content is synced to the disk, and afterwards the folder,
so that a power failure does not leave an empty file under the final name. That takes
about 10 ms per file; those who write thousands of files use ``unsynced``.
"""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import re
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Final

from cardioflow.errors import WriteError

__all__ = [
    "folder_beside",
    "is_temporary",
    "put_in_place",
    "remove_leftovers",
    "sync_all",
    "unsynced",
    "whole_file",
    "whole_folder",
]

_NAME: Final = re.compile(
    r"\..*\.(?P<host>[0-9a-f]{8})-(?P<pid>\d+)-(?P<process>[0-9a-f]{8})-\d+\.part(?:\.[^.]{1,15})?", re.DOTALL
)
# File systems allow 255 bytes per name, and a character can take 4 of them.
_LONGEST_STEM: Final = 40
_LONGEST_SUFFIX: Final = 16
# A process id alone is not enough: it is reused, in containers soon.
_PROCESS: Final = secrets.token_hex(4)
_numbers = itertools.count()
_syncs: Final = ContextVar("_syncs", default=True)

_REMEDIES: Final = {
    errno.ENOSPC: "Free some space, or choose a folder on another disk.",
    errno.EDQUOT: "Free some of your quota, or choose a folder on another disk.",
    errno.EFBIG: "Choose another disk, or raise the limit of this process (ulimit -f).",
    errno.EACCES: "Check the permissions of the folder, or choose another one.",
    errno.EPERM: "Check the permissions of the folder, or choose another one.",
    errno.EROFS: "Choose a folder that is not read-only.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
    errno.ENOTDIR: "A part of the path is a file; choose another folder.",
    errno.EEXIST: "A part of the path is a file; choose another folder.",
    errno.EISDIR: "A folder has that name; choose another one, or remove the folder first.",
    errno.ENOTEMPTY: "A folder has that name; choose another one, or remove the folder first.",
}


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``, which is renamed to ``path`` if the block succeeds.

    Missing folders are created. If the block raises, nothing is left behind.

    Raises:
        WriteError: for an ``OSError`` in the block, such as a full disk or missing permissions.
    """
    with _explained(path):
        temporary = _beside(path)
        try:
            # Not tempfile, which makes files that only their owner may read.
            temporary.open("xb").close()
            yield temporary
            put_in_place(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield a new temporary folder beside ``path``, which is renamed to ``path`` if the block succeeds.

    Missing parents are created. If the block raises, nothing is left behind.

    Raises:
        WriteError: for an ``OSError`` in the block, or if ``path`` is a folder that is not empty.
    """
    with folder_beside(path) as temporary:
        yield temporary
        put_in_place(temporary, path)


def put_in_place(temporary: Path, path: Path) -> None:
    """Rename ``temporary``, a complete file or folder, to ``path``; both are on the disk afterwards.

    Raises:
        OSError: if it cannot be synced or renamed.
    """
    if _syncs.get():
        for own in (*temporary.rglob("*"), temporary) if temporary.is_dir() else (temporary,):
            _sync(own)
    temporary.replace(path)
    if _syncs.get():
        _sync(path.parent)


@contextmanager
def unsynced() -> Iterator[None]:
    """Leave it to the operating system when the files written inside, by this thread, reach the disk.

    They are still whole or absent if the process is killed. After a power failure,
    those of the last seconds may be missing or empty, unless ``sync_all`` was called.
    """
    token = _syncs.set(False)
    try:
        yield
    finally:
        _syncs.reset(token)


def sync_all() -> None:
    """Wait until all files that were written, by any process, are on the disk."""
    if os.name == "posix":
        os.sync()


@contextmanager
def folder_beside(path: Path) -> Iterator[Path]:
    """Yield a new temporary folder beside ``path``, for files needed to write it; it is removed at the end.

    Raises:
        WriteError: for an ``OSError`` in the block.
    """
    with _explained(path):
        temporary = _beside(path)
        try:
            temporary.mkdir()
            yield temporary
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def is_temporary(path: Path) -> bool:
    """Return whether ``path`` has a name that this module gives to incomplete files and folders.

    >>> is_temporary(Path("out/.100.dat.0badc0de-17-5eed5eed-0.part.dat")), is_temporary(Path("out/.hidden"))
    (True, False)
    """
    return _NAME.fullmatch(path.name) is not None


def remove_leftovers(folder: Path) -> list[Path]:
    """Remove the files that processes which no longer run left in ``folder``, and return their paths.

    Only processes of this machine (and container) are considered; the files of others stay.
    """
    found = [path for path in folder.iterdir() if is_temporary(path) and _is_left_over(path.name)]
    for path in found:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return found


def _beside(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    _clean_once(str(path.parent.absolute()), os.getpid())
    suffix = path.suffix if len(path.suffix) <= _LONGEST_SUFFIX else ""
    writer = f"{_host()}-{os.getpid()}-{_PROCESS}-{next(_numbers)}"
    return path.with_name(f".{path.name[:_LONGEST_STEM]}.{writer}.part{suffix}")


def _sync(path: Path) -> None:
    if os.name != "posix":
        # Windows opens no folders, and syncs only files that are open for writing.
        if path.is_file():
            with path.open("r+b") as file:
                os.fsync(file.fileno())
        return
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    except OSError as error:
        # Some file systems, such as those of containers and networks, cannot sync a folder.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP) or not path.is_dir():
            raise
    finally:
        os.close(number)


@cache
def _clean_once(folder: str, pid: int) -> None:  # noqa: ARG001 -- once per folder and process: listing is slow
    try:
        remove_leftovers(Path(folder))
    except OSError:
        # Writing to the folder reports what is wrong with it.
        return


def _is_left_over(name: str) -> bool:
    writer = _NAME.fullmatch(name)
    if writer is None or writer["host"] != _host():
        return False
    pid = int(writer["pid"])
    if pid == os.getpid():
        return writer["process"] != _PROCESS
    return not _is_running(pid)


def _is_running(pid: int) -> bool:
    if os.name != "posix":
        # On Windows, os.kill ends the process.
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


@cache
def _host() -> str:
    """Return 8 hex digits that identify the machine or container, within which process ids are unique."""
    try:
        space = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 -- the link's target is not a path
    except OSError:
        space = ""
    return hashlib.blake2b(f"{socket.gethostname()} {space}".encode(), digest_size=4).hexdigest()


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except WriteError:
        raise
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error).rstrip(".")
        # All that NumPy's tofile reports of a full disk.
        number = errno.ENOSPC if "requested and" in reason else error.errno
        remedy = _REMEDIES.get(number or 0, "Check the folder and the disk.")
        raise WriteError(f"{str(path)!r} cannot be written: {reason}. {remedy}") from error
