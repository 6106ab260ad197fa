"""A model's first weights from a seed, leaving everybody else's random numbers alone."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

__all__ = ["seeded"]


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Build inside: the global generators that backends draw first weights from begin at ``seed``, and are put back.

    Keras draws the seeds of all its initializers and dropouts from Python's
    ``random``. TensorFlow's global seed cannot be read, so that it stays set.
    """
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 -- the global one is what others draw from
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 -- as above
    # Only what is loaded already: a builder's own import would not be seeded by ours either.
    torch, tensorflow = sys.modules.get("torch"), sys.modules.get("tensorflow")
    torch_state = torch.get_rng_state() if torch else None
    if torch:
        torch.manual_seed(seed)
    if tensorflow:
        tensorflow.random.set_seed(seed % 2**63)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002 -- as above
        if torch:
            torch.set_rng_state(torch_state)
