"""Padding of batches to a few sizes, for a backend that compiles the model for each size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Buckets"]

_STATE = "padded_sizes"

Array = NDArray[np.float32]


class Buckets:
    """The batch sizes that a model was compiled for.

    jax compiles for 4–5 s for every new size, and a step takes 0.2 s. The first
    size is used as it is, so that full batches are never padded.
    """

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def size(self, n: int) -> int:
        """Return the size to which a batch of ``n`` rows is padded: a known one of at most 2 n, or a new one."""
        known = [s for s in self.sizes if n <= s <= 2 * n]
        if known:
            return min(known)
        new = n if not self.sizes else _next(n)
        self.sizes.append(new)
        return new

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the sizes: the numbers of a padded batch are rounded otherwise than those of the batch alone."""
        return {_STATE: np.array(self.sizes, np.int64)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on with the sizes of ``state``; where they are missing, go on with those known."""
        if _STATE in state:
            self.sizes = [int(size) for size in state[_STATE]]

    def rows(self, x: Array) -> Array:
        """Return ``x`` with its rows repeated up to the padded size."""
        size = self.size(len(x))
        return x if size == len(x) else x[np.arange(size) % len(x)]

    def fill(self, x: Array, y: Array, weights: Array | None = None) -> tuple[Array, Array, Array]:
        """Return ``x`` and ``y`` padded, and the sample weights with which loss and gradient stay the same.

        ``weights`` are those of the rows, 1 if there are none.

        Keras divides by the padded size, so the weights are padded/n for the
        real rows and 0 for the others; with 1 and 0 the loss would be too small.
        """
        n, size = len(x), self.size(len(x))
        weight = np.zeros(size, np.float32)
        weight[:n] = size / n if weights is None else weights * (size / n)
        rows = np.arange(size) % n
        return (x, y, weight) if size == n else (x[rows], y[rows], weight)


def _next(n: int) -> int:
    """Return the smallest of 8, 12, 16, 24, 32, 48 … that is at least ``n``."""
    size = 8
    while size < n:
        size = size * 3 // 2 if size & (size - 1) == 0 else size * 4 // 3
    return size
