"""Functions for worker processes, which import them by name."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import numpy as np

from cardioflow.errors import InputError


class UnpicklableError(Exception):
    """An exception that neither pickles nor loads again: of what a user's library may raise."""

    def __init__(self, limit: float, *, name: str) -> None:
        super().__init__(f"above {limit}")
        self.limit = limit
        self.name = name
        self.lock = __import__("threading").Lock()


class OwnError(InputError):
    """A subclass of one of ours that holds what cannot be pickled."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.generator = (i for i in range(3))


def fails(signal: np.ndarray, name: str) -> np.ndarray:
    if name in ("sim00001", "sim00007", "sim00008"):
        raise ValueError(f"{name} is no good")
    return signal


def raises_unpicklable(batch: Any) -> Any:
    raise UnpicklableError(3.0, name="x")


def raises_own(batch: Any) -> Any:
    raise OwnError("It is flat.")


def raises_exit(batch: Any) -> Any:
    raise SystemExit(3)


def dies(batch: Any) -> Any:
    if "sim00004" in batch.ids:
        os.kill(os.getpid(), signal.SIGKILL)
    return batch


def sleeps(batch: Any) -> Any:
    time.sleep(0.02)
    return batch


def hangs(batch: Any) -> Any:
    # Says that the steps have been loaded, without a lock that two processes would share.
    os.write(1, b"hangs\n")
    time.sleep(600)
    return batch


def with_generator(batch: Any) -> Any:
    return batch.with_component("odd", [(i for i in range(2)) for _ in batch.ids])


def with_process_id(batch: Any) -> Any:
    return batch.with_component("pid", np.full(len(batch), os.getpid()))


def grown(batch: Any) -> Any:
    """Return the batch with a component whose size depends on the batch, up to 5 MB."""
    n = 1 + 400 * int(batch.ids[0][3:]) ** 2
    return batch.with_component("grown", [np.full(n, float(i[3:])) for i in batch.ids])
