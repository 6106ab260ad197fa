"""Processes that train one Keras model on JAX together: a batch is one array over the devices of all of them."""

from __future__ import annotations

from typing import Any, Final, cast, final

import jax
import numpy as np
from jax.experimental import multihost_utils
from numpy.typing import NDArray

from cardioflow.errors import ModelError
from cardioflow.models._buckets import Buckets
from cardioflow.models.replicas import Replicas

__all__ = ["JaxReplicas"]

Array = NDArray[Any]

_MOST_AXES: Final = 4
_TYPES: Final = ("float32", "float64", "int32", "int64", "uint8", "bool")
"""What arrays of a batch are made of; processes tell one another by the place here."""


@final
class JaxReplicas(Replicas):
    """The processes of ``jax.distributed``, under ``keras.distribution.DataParallel``, which must be set already.

    The compiled step is that of the whole batch, and JAX adds what the devices
    need of one another. All processes must have as many rows, so that those
    that have fewer are given rows of weight 0.
    """

    def __init__(self) -> None:
        super().__init__(jax.process_index(), jax.process_count())
        self._sizes = Buckets()

    def exchange(self, content: bytes) -> list[bytes]:
        lengths = self._gathered(np.array([len(content)], np.int32))[:, 0]
        # Few sizes, because each is compiled.
        padded = np.zeros(1 << int(lengths.max()).bit_length(), np.uint8)
        padded[: len(content)] = np.frombuffer(content, np.uint8)
        return [row[:n].tobytes() for row, n in zip(self._gathered(padded), lengths, strict=True)]

    def fill(
        self, x: Array | None, y: Array | None, weight: Array | None, *, pads: bool
    ) -> tuple[Array, Array, Array | None] | None:
        """Return the rows of this process, as many as every other one has; ``None`` where none has any.

        Args:
            x: The rows here; ``None`` for no rows.
            y: Their targets.
            weight: Their weights, ``None`` if all weigh the same.
            pads: Whether rows of weight 0 leave the loss and the update as they are.

        Raises:
            ModelError: in all processes, when rows are missing and cannot be padded.
        """
        counts, kinds = self._kinds(x, y)
        most = int(counts.max())
        if not most:
            return None
        if not pads:
            if (counts != most).any():
                raise ModelError(
                    f"The processes have {', '.join(map(str, counts))} rows of this batch, and batch normalization, or "
                    "a loss without rows, would count those that fill them up. Pass drop_last=True and a batch_size "
                    "that the number of processes divides, and leave out steps that drop records."
                )
            return cast("Array", x), cast("Array", y), weight
        size, n = self._sizes.size(most), len(x) if x is not None else 0
        filled = [np.zeros((size, *shape), dtype) for shape, dtype in kinds]
        weights = np.zeros(size, np.float32)
        for whole, own in zip(filled, (x, y), strict=True):
            if own is not None:
                # Real rows, because zeros could make a loss that is not a number, which weight 0 does not remove.
                whole[:] = own[np.arange(size) % n]
        # Keras divides by all rows, those of weight 0 included.
        weights[:n] = (1.0 if weight is None else weight) * np.float32(size * self.n / counts.sum())
        return filled[0], filled[1], weights

    def local(self, rows: Any) -> Array:
        """Return the rows of this process of an array over all of them."""
        shards = {shard.index[0].start or 0: np.asarray(shard.data) for shard in rows.addressable_shards}
        return np.concatenate([shards[start] for start in sorted(shards)])

    def _kinds(
        self, x: Array | None, y: Array | None
    ) -> tuple[NDArray[np.int32], list[tuple[tuple[int, ...], np.dtype[Any]]]]:
        """Return how many rows each process has, and shape and type of a row of ``x`` and ``y``: some have none."""
        own = np.full((2, 2 + _MOST_AXES), -1, np.int32)
        own[0, 0] = 0 if x is None else len(x)
        for told, rows in zip(own, (x, y), strict=True):
            if rows is not None:
                told[1] = _TYPES.index(rows.dtype.name)
                told[2 : 1 + rows.ndim] = rows.shape[1:]
        every = self._gathered(own)
        counts = every[:, 0, 0]
        known = every[int(counts.argmax())]
        return counts, [(tuple(int(n) for n in row[2:] if n >= 0), np.dtype(_TYPES[row[1]])) for row in known]

    def _gathered(self, values: Array) -> Array:
        found: Array = np.asarray(multihost_utils.process_allgather(values))
        return found.reshape(self.n, *values.shape)
