"""What an adapter needs of the other processes that train the same model at the same time."""

from __future__ import annotations

import pickle
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Replicas"]


class Replicas(ABC):
    """Processes with equal models, each of which trains on rows of its own of every batch.

    An update is that of the whole batch: the gradients are averaged over all
    rows. Every process must take part in every exchange, in the same order,
    also when it has no rows.
    """

    def __init__(self, rank: int, n: int) -> None:
        self.rank = rank
        """The number of this process, from 0."""
        self.n = n
        """The number of processes."""

    @abstractmethod
    def exchange(self, content: bytes) -> list[bytes]:
        """Return what every process passed here, by rank."""

    def gather(self, rows: NDArray[Any] | None) -> NDArray[Any]:
        """Return the rows of all processes, by rank: the order of the whole batch. ``None`` stands for no rows."""
        # Between our own processes of one run.
        found = [pickle.loads(content) for content in self.exchange(pickle.dumps(rows))]  # noqa: S301
        return np.concatenate([own for own in found if own is not None])
