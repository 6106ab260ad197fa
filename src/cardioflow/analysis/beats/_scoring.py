"""The two small networks that turn evidence into a score, and their weights."""
# ruff: noqa: PLR0917 -- compiled functions take their arrays by position

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.compiled import kernel

__all__ = ["Network", "networks", "score", "trained_on"]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

_WEIGHTS: Final = Path(__file__).with_name("_weights.npz")


class Network(NamedTuple):
    """One hidden layer of rectified units; the score is the log-odds of a beat."""

    hidden: Floats
    """Weights of shape (number of evidence, unit)."""
    hidden_bias: Floats
    output: Floats
    output_bias: Floats
    """One number."""


@cache
def networks() -> tuple[Network, Network]:
    """Return the networks of both passes, as ``tools/train_beat_detector.py`` trained them."""
    with np.load(_WEIGHTS, allow_pickle=False) as file:
        first, second = (
            Network(*(file[f"{name}_{field}"] for field in Network._fields)) for name in ("first", "second")
        )
    return first, second


@cache
def trained_on() -> tuple[str, ...]:
    """Return the recordings that the networks were trained on, as ``"mitdb/101"``."""
    with np.load(_WEIGHTS, allow_pickle=False) as file:
        return tuple(file["trained_on"].tolist())


@kernel(fastmath={"reassoc", "contract", "nsz"})
def score(
    own: Floats,
    more: Floats,
    refused: Doubles,
    begin: int,
    end: int,
    hidden: Floats,
    hidden_bias: Floats,
    output: Floats,
    output_bias: Floats,
    out: Doubles,
    certainty: Doubles,
) -> None:
    """Write the score of the candidates [begin, end), and how certain it is, from 0 to 1.

    The evidence is ``own`` and after it ``more``, which may have no columns. A
    candidate whose ``refused`` is not 0 scores -20.
    """
    units = np.empty(hidden_bias.size, np.float32)
    for i in range(begin, end):
        for u in range(units.size):
            units[u] = hidden_bias[u]
        for f in range(own.shape[1]):
            value = own[i, f]
            for u in range(units.size):
                units[u] += value * hidden[f, u]
        for f in range(more.shape[1]):
            value = more[i, f]
            for u in range(units.size):
                units[u] += value * hidden[own.shape[1] + f, u]
        total = output_bias[0]
        for u in range(units.size):
            total += max(units[u], np.float32(0.0)) * output[u]
        out[i] = -20.0 if refused[i] > 0.0 else min(max(np.float64(total), -20.0), 20.0)
        certainty[i] = abs(np.tanh(0.5 * out[i]))
