"""Batches for your own loops, as arrays of a library."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.core.optional import needed

if TYPE_CHECKING:
    from cardioflow.pipeline.array_batches import ArrayBatches
    from cardioflow.pipeline.torch_batches import TorchBatches

__all__ = ["Loops"]


class Loops(ABC):
    """What gives its batches again and again, an epoch or more in each loop."""

    @abstractmethod
    def next_pass(self) -> None:
        """Let the next loop begin, also after one that was left early."""

    @abstractmethod
    def __iter__(self) -> Iterator[EcgBatch]: ...

    @abstractmethod
    def __len__(self) -> int: ...

    def to_torch(self, *, ids: bool = False) -> TorchBatches:
        """Return the batches as PyTorch tensors, ``(signal, target)`` each, for a loop or a ``DataLoader``.

        A second loop gives the next epochs. ``ids=True`` adds the rows' ids.
        """
        from cardioflow.pipeline.torch_batches import TorchBatches

        return TorchBatches(self, ids=ids)

    def to_numpy(self, *, ids: bool = False) -> ArrayBatches:
        """Return the batches as NumPy arrays, ``(signal, target)`` each, of which the caller may keep or change any.

        A second loop gives the next epochs. ``ids=True`` adds the rows' ids.
        """
        from cardioflow.pipeline.array_batches import ArrayBatches

        return ArrayBatches(self, lambda array: array, ids=ids)

    def to_jax(self, *, ids: bool = False) -> ArrayBatches:
        """Return the batches as JAX arrays on JAX's default device; otherwise as ``to_numpy`` does.

        Raises:
            MissingDependencyError: when JAX is not installed.
        """
        from cardioflow.pipeline.array_batches import ArrayBatches

        return ArrayBatches(self, needed("jax.numpy", extra="jax").asarray, ids=ids)

    def to_tf(self, *, ids: bool = False) -> ArrayBatches:
        """Return the batches as TensorFlow tensors; otherwise as ``to_numpy`` does.

        Raises:
            MissingDependencyError: when TensorFlow is not installed.
        """
        from cardioflow.pipeline.array_batches import ArrayBatches

        return ArrayBatches(self, needed("tensorflow", extra="tensorflow").convert_to_tensor, ids=ids)
