"""The global random generators that backends draw from: seeded for one thread at a time, and restored."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

__all__ = ["isolated", "seeded"]

_LOCK = threading.RLock()
"""Held while the global generators are ours: another thread would draw from our seed, and save it as its own state."""


@contextmanager
def isolated() -> Iterator[None]:
    """Restore Python's, NumPy's and torch's global generators at the end; one thread at a time is inside.

    A thread that draws from them without entering here is not kept out.
    """
    with _LOCK:
        python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 -- backends draw from the global one
        try:
            with _restored_torch():
                yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002 -- as above


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Build a model inside: the global generators start from ``seed`` and are restored at the end.

    Keras draws the seeds of all its initializers and dropout layers from
    Python's ``random``. TensorFlow's global seed cannot be read: it stays set.
    """
    with isolated():
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002 -- backends draw from the global one
        # Only what is imported already: an import inside the builder is not seeded.
        torch, tensorflow = sys.modules.get("torch"), sys.modules.get("tensorflow")
        if torch:
            torch.manual_seed(seed)
        if tensorflow:
            tensorflow.random.set_seed(seed % 2**63)
        yield


def _restored_torch() -> Any:
    """Return a context that restores torch's generators, of the CPU and of every CUDA device."""
    torch = sys.modules.get("torch")
    if torch is None:
        return nullcontext()
    return torch.random.fork_rng(devices=range(torch.cuda.device_count()))
