"""The kinds of transforms: fixed, random, and random with partners from the data set."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.action import Action
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.partners import BatchPartners, Partners

__all__ = ["PartnerTransform", "RandomTransform", "Transform"]


@dataclass(frozen=True)
class Transform(Action):
    """A pure action: the same batch gives the same result, anywhere and any number of times.

    A subclass is a frozen dataclass, checks its parameters in
    ``__post_init__`` and implements ``apply``. It never changes its input
    batch, moves annotations with the signal, and names the record in its
    errors, so that a run with ``on_error="skip"`` can go on without it.
    """

    @final
    def __call__(self, batch: EcgBatch) -> EcgBatch:
        done = self.apply(batch)
        return done.after_step(batch, self.action_name)

    @abstractmethod
    def apply(self, batch: EcgBatch) -> EcgBatch:
        """Return the transformed batch."""


@dataclass(frozen=True)
class RandomTransform(Action):
    """A pure action that draws random numbers from its keys, and from nothing else."""

    @final
    def __call__(self, batch: EcgBatch) -> EcgBatch:
        done = self.apply(batch, batch.keys(self.action_name))
        return done.after_step(batch, self.action_name)

    @abstractmethod
    def apply(self, batch: EcgBatch, keys: NDArray[np.uint64]) -> EcgBatch:
        """Return the transformed batch; ``keys`` holds one 64-bit key per row.

        ``core.random_keys.uniform(keys, n)`` draws for all rows at once, compiled
        kernels hash onward from the key, and ``core.random_keys.generator(key)``
        has NumPy's distributions.
        """


@dataclass(frozen=True)
class PartnerTransform(Action):
    """A pure random action that sets other records beside each row, such as ``random_mix_up``.

    A pipeline draws the partners from its whole data set and runs them through
    the same steps, so that a row's result depends on seed, epoch, record and
    step alone. Called on a batch directly, it draws from the rows of that batch.
    """

    allowed_expressions: ClassVar[str] = "C"

    @final
    def __call__(self, batch: EcgBatch) -> EcgBatch:
        return self.beside(batch, BatchPartners(batch, self.action_name))

    @final
    def beside(self, batch: EcgBatch, partners: Partners) -> EcgBatch:
        """Return the transformed batch, with partners drawn from ``partners``."""
        done = self.apply(batch, batch.keys(self.action_name), partners)
        return done.after_step(batch, self.action_name)

    @abstractmethod
    def apply(self, batch: EcgBatch, keys: NDArray[np.uint64], partners: Partners) -> EcgBatch:
        """Return the transformed batch; ``keys`` holds one 64-bit key per row."""
