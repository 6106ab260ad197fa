"""The random numbers of one step of training, from the model's seed and the number of the step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from cardioflow.core.random_keys import record_keys
from cardioflow.models._keras.backend import keras
from cardioflow.models._seed import isolated

__all__ = ["seeded_step"]


@contextmanager
def seeded_step(model: Any, seed: int, step: int) -> Iterator[None]:
    """Train one step of ``model`` inside.

    Keras does not save the state of dropout's generators, so a loaded model
    would continue differently from the one that was saved. On torch it draws
    dropout from torch's global generator; steps of several threads then run
    one at a time.
    """
    for number, generator in enumerate(_generators(model)):
        # 31 bits, because the state is int32 on torch.
        generator.state.assign(np.array([_key(seed, step, number) >> 33, 0]))
    if keras.config.backend() != "torch":
        yield
        return
    from cardioflow.models._torch.seed import seed_step  # torch, on which Keras runs here

    with isolated():
        seed_step(_key(seed, step, -1) >> 1)
        yield


def _generators(model: Any) -> list[Any]:
    """Return the seed generators of all layers, each once."""
    found = {id(g): g for layer in model._flatten_layers() for g in layer._seed_generators}
    return list(found.values())


def _key(seed: int, step: int, number: int) -> int:
    return int(record_keys([f"{seed}/{step}/{number}"])[0])
