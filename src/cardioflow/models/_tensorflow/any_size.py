"""Steps that TensorFlow compiles for batches of any size from the first one on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import tensorflow as tf
from numpy.typing import NDArray

__all__ = ["AnySize", "Shapes", "any_length"]

Shapes = tuple[tuple[int | None, ...], ...]
"""The shape of each argument; ``None`` is a size that may be any."""


@final
class AnySize:
    """A compiled function whose result depends on the batch alone, and not on the sizes of the batches before it.

    ``tf.function`` compiles for the size of the first batch, and for any size
    once a second one comes. The two can round differently, so that a run that
    goes on from a checkpoint with the short last batch of an epoch would end with
    other weights. Here the first batch is compiled for any size as well. Where
    that fails, because the function needs a size, it is compiled for every size.
    """

    def __init__(
        self, function: Callable[..., Any], free: Callable[[Shapes], Shapes], *, jit_compile: bool | None = None
    ) -> None:
        """Compile nothing yet.

        Args:
            function: A function of tensors, of which all but scalars have a row per row of the batch.
            free: Returns the shapes of arguments with ``None`` for what may vary, from batch to batch, besides the
                number of rows.
            jit_compile: As in ``tf.function``.
        """
        self._function = function
        self._free = free
        self._jit_compile = jit_compile
        self._compiled: dict[Any, Any] = {}
        self._refused: set[Any] = set()

    def __call__(self, *arrays: NDArray[Any]) -> Any:
        given = [tf.convert_to_tensor(array) for array in arrays]
        return self._of(given)(*given)

    def _of(self, given: list[Any]) -> Any:
        """Return what was compiled for the sizes of ``given``."""
        exact: Shapes = tuple(tuple(tensor.shape) for tensor in given)
        types = tuple(tensor.dtype for tensor in given)
        for shapes in (_any_rows(self._free(exact)), _any_rows(exact), exact):
            key = shapes, types
            if key in self._refused:
                continue
            if key not in self._compiled:
                specs = [tf.TensorSpec(shape, dtype) for shape, dtype in zip(shapes, types, strict=True)]
                # A new one each, because one that has failed is left half made.
                function = tf.function(self._function, jit_compile=self._jit_compile)
                try:
                    self._compiled[key] = function.get_concrete_function(*specs)
                except Exception:  # Whatever the function raises, with sizes it may not.
                    if shapes == exact:
                        raise
                    self._refused.add(key)
                    continue
            return self._compiled[key]
        raise AssertionError("the exact sizes are never skipped")


def any_length(shapes: Shapes) -> Shapes:
    """Return ``shapes`` with ``None`` for the last axis of the first, which is time, and for axes that are as long."""
    first, *others = shapes
    if len(first) < 3:
        return shapes
    return (*first[:-1], None), *(tuple(None if n == first[-1] else n for n in shape) for shape in others)


def _any_rows(shapes: Shapes) -> Shapes:
    return tuple((None, *shape[1:]) if shape else shape for shape in shapes)
