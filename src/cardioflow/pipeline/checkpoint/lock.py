"""A lock on a folder, which ends with its process however that ends."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import Any, Final, final

from cardioflow.errors import CheckpointError

__all__ = ["FolderLock"]

_NAME: Final = "lock"
_held: set[str] = set()
"""Folders that runs of this process write to: a lock of the operating system does not keep out its own process."""
_guard = threading.Lock()


@final
class FolderLock:
    """Keeps other runs, of this process and others, from writing to ``folder`` until ``release``.

    A lock of the operating system on a file that also says who holds it. It is
    gone when the process ends, so that a killed run leaves nothing to remove.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME
        self._key = str(folder.resolve())
        self._file: Any = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            CheckpointError: naming the process that holds it.
            OSError: when the file cannot be written.
        """
        with _guard:
            if self._key in _held:
                raise self._refusal("another run of this process")
            file = self._path.open("a+", encoding="utf-8")
            if not _locked(file):
                file.seek(0)
                holder = _holder(file.read(1000))
                file.close()
                raise self._refusal(holder)
            _held.add(self._key)
        file.seek(0)
        file.truncate()
        started = datetime.now().astimezone().isoformat(timespec="seconds")
        file.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": started}))
        file.flush()
        self._file = file

    def release(self) -> None:
        """Give the lock back; nothing happens where it is not held."""
        if self._file is None:
            return
        self._file.close()
        self._file = None
        with _guard:
            _held.discard(self._key)

    def _refusal(self, holder: str) -> CheckpointError:
        return CheckpointError(
            f"The checkpoint folder {str(self._path.parent)!r} is in use by {holder}. "
            "Wait until it ends, stop it, or pass another folder."
        )


if sys.platform == "win32":

    def _locked(file: Any) -> bool:
        import msvcrt

        try:
            # One byte far behind the text, which other processes may then still read.
            file.seek(1 << 20)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:

    def _locked(file: Any) -> bool:
        import fcntl

        try:
            # Not flock, which a forked child would keep after this process has been killed.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def _holder(text: str) -> str:
    try:
        found = json.loads(text)
        return f"process {int(found['pid'])} on {str(found['host'])[:80]!r}, since {str(found['since'])[:40]}"
    except (ValueError, TypeError, KeyError):
        return "another process"
