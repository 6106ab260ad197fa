"""Values that do not depend on time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.columns.base import Column, Ints, Kind, Windows
from cardioflow.batch.meta import Meta
from cardioflow.batch.ragged import Ragged
from cardioflow.errors import InputError

__all__ = ["Static", "concat_values", "take_values"]


@final
@dataclass(frozen=True, eq=False)
class Static(Column):
    """One value per row, whatever it is: a score, a label, a vector, a spectrum.

    What changes time leaves it alone; segments that become rows repeat it.
    """

    kind: ClassVar[Kind] = "static"
    data: Any
    """An array, a tuple, a ``Ragged`` or a ``Meta`` with one entry per row."""

    @property
    def values(self) -> Any:
        return self.data

    def take(self, rows: NDArray[np.intp]) -> Self:
        return type(self)(take_values(self.data, rows))

    @classmethod
    def concat(cls, name: str, parts: Sequence[Any]) -> Self:
        return cls(concat_values(name, [part.data for part in parts]))

    def unstack(self, counts: Ints) -> Self:
        return self if (counts == 1).all() else self.take(np.repeat(np.arange(len(self)), counts))

    def stack(self, rows: Sequence[Sequence[int]]) -> Self:
        return self.take(np.array([own[0] for own in rows], np.intp))

    def squeeze(self) -> Self:
        return self

    def cut(self, windows: Windows, blank: float | None) -> Self:  # noqa: ARG002 -- time does not matter here
        return self

    def slice_time(self, part: slice[Any, Any, Any], lengths: Ints, fs: NDArray[np.float64]) -> Self:  # noqa: ARG002
        return self

    def pad(self, before: Ints, after: Ints, blank: float | None) -> Self:  # noqa: ARG002
        return self

    def tile(self, reps: int, lengths: Ints) -> Self:  # noqa: ARG002
        return self

    def resample(self, old: NDArray[np.float64], new: NDArray[np.float64], lengths: Ints) -> Self:  # noqa: ARG002
        return self

    def warp(self, places: Sequence[NDArray[np.float64]], fs: NDArray[np.float64]) -> Self:  # noqa: ARG002
        return self


def take_values(values: Any, rows: NDArray[np.intp]) -> Any:
    """Return the entries ``rows`` of an array, a tuple, a ``Ragged`` or a ``Meta``."""
    if isinstance(values, Ragged | Meta):
        return values.take(rows)
    return values[rows] if isinstance(values, np.ndarray) else tuple(values[i] for i in rows)


def concat_values(name: str, parts: Sequence[Any]) -> Any:
    """Return the entries of ``parts``, which are all of one type, one after another.

    Raises:
        InputError: when they differ in type, in the shape of an entry, or in a type of number that NumPy would change
            into text.
    """
    types = {"tuple" if isinstance(part, list | tuple) else type(part).__name__ for part in parts}
    if len(types) > 1:
        raise InputError(
            f"Batches whose component {name!r} differs in type ({', '.join(sorted(types))}) cannot be joined. "
            "Convert it to one type first."
        )
    if isinstance(parts[0], Ragged):
        return Ragged.concat(parts, name=name)
    if isinstance(parts[0], Meta):
        return Meta.concat(parts)
    if not isinstance(parts[0], np.ndarray):
        return tuple(value for part in parts for value in part)
    shapes, families = {part.shape[1:] for part in parts}, {_family(part.dtype) for part in parts}
    if len(shapes) > 1 or len(families) > 1:
        found = sorted({f"{part.dtype} of shape {part.shape[1:]}" for part in parts})
        raise InputError(
            f"Batches whose component {name!r} holds different arrays ({', '.join(found)} per row) cannot be joined. "
            "Convert it to one type and shape first."
        )
    return np.concatenate(parts)


def _family(dtype: np.dtype[Any]) -> str:
    """Return the same text for types of numbers that NumPy joins without a loss of meaning."""
    return "number" if dtype.kind in "iufc" else dtype.kind
