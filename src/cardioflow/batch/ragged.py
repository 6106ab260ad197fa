"""Records of different shape in one contiguous buffer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Self, final, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from cardioflow.core.buffers import empty
from cardioflow.errors import InputError

__all__ = ["Ragged"]


@final
class Ragged:
    """Arrays of equal ``ndim`` and different lengths, one after another in one flat buffer.

    ``r[i]`` is a view of record ``i``, of shape (lead, time), or (segment,
    lead, time) after cutting; nothing is copied. Kernels take ``data``,
    ``offsets`` and ``shapes`` and run once for the whole batch. The arrays are
    read-only.

    >>> r = Ragged.from_arrays([np.zeros((1, 3)), np.ones((2, 2))])
    >>> len(r), r[1].shape, r.data.size
    (2, (2, 2), 7)
    """

    __slots__ = ("data", "offsets", "shapes")

    data: NDArray[Any]
    """The samples of all records, one-dimensional."""
    offsets: NDArray[np.int64]
    """Where each record begins in ``data``, and after the last one its end: n + 1 numbers."""
    shapes: NDArray[np.int64]
    """The shape of each record, (n, axes)."""

    def __init__(self, data: NDArray[Any], shapes: ArrayLike) -> None:
        shapes_ = np.ascontiguousarray(shapes, dtype=np.int64)
        if shapes_.ndim != 2:
            raise InputError(f"Ragged(shapes=…) has {shapes_.ndim} axes; expected one row per record: (n, axes).")
        offsets = np.zeros(len(shapes_) + 1, dtype=np.int64)
        np.cumsum(shapes_.prod(axis=1), out=offsets[1:])
        data = np.ascontiguousarray(data).reshape(-1)
        if data.size != offsets[-1]:
            raise InputError(f"Ragged data holds {data.size} samples, but its shapes need {offsets[-1]}.")
        # A view, so that locking it does not lock the caller's own array.
        self.data = _locked(data.view())
        self.offsets = _locked(offsets)
        self.shapes = _locked(shapes_ if shapes_ is not shapes else shapes_.copy())

    @classmethod
    def from_arrays(cls, arrays: Sequence[NDArray[Any]], *, ndim: int = 2, dtype: DTypeLike | None = None) -> Self:
        """Copy ``arrays``, each (lead, time), one after another; ``ndim`` counts only when there are none.

        Without ``dtype``, float64 and integers become float32, and complex numbers complex64.

        Raises:
            InputError: when the arrays differ in their number of axes.
        """
        if not arrays:
            return cls(np.empty(0, np.float32 if dtype is None else dtype), np.empty((0, ndim), np.int64))
        axes = {a.ndim for a in arrays}
        if len(axes) > 1:
            raise InputError(f"Arrays of {sorted(axes)} axes do not fit into one Ragged. Pass arrays of equal ndim.")
        if dtype is None:
            dtype = np.complex64 if any(np.iscomplexobj(a) for a in arrays) else np.float32
        data = empty(sum(a.size for a in arrays), dtype)
        start = 0
        for a in arrays:
            data[start : start + a.size] = a.reshape(-1)
            start += a.size
        return cls(data, np.array([a.shape for a in arrays], np.int64))

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.data.dtype

    @property
    def ndim(self) -> int:
        """The axes of one record: 2 for (lead, time), 3 for (segment, lead, time)."""
        return int(self.shapes.shape[1])

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The samples of each record along time."""
        return self.shapes[:, -1]

    @property
    def is_dense(self) -> bool:
        """Whether all records have one shape."""
        return len(self) > 0 and bool((self.shapes == self.shapes[0]).all())

    def dense(self) -> NDArray[Any]:
        """Return all records as one array (record, lead, time), without a copy.

        Raises:
            InputError: when the records differ in shape.
        """
        if not self.is_dense:
            found = sorted({tuple(int(v) for v in s) for s in self.shapes})
            shown = ", ".join(map(str, found[:4])) + (", …" if len(found) > 4 else "")
            raise InputError(
                f"Records of different shape ({shown or 'no records'}) do not make one array. "
                "Cut them to one length first, with split_signals or random_split_signals."
            )
        return self.data.reshape(len(self), *(int(v) for v in self.shapes[0]))

    def runs(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return where each run along the last axis starts in ``data``, its length, and the record it belongs to."""
        counts = self.shapes[:, :-1].prod(axis=1)
        row = np.repeat(np.arange(len(self)), counts)
        lengths = self.lengths[row]
        starts = np.zeros(len(row), np.int64)
        np.cumsum(lengths[:-1], out=starts[1:])
        return starts, lengths, row

    def with_data(self, data: NDArray[Any]) -> Ragged:
        """Return a Ragged of the same shapes over other samples."""
        data = np.ascontiguousarray(data).reshape(-1)
        if data.size != self.data.size:
            raise InputError(f"Ragged data holds {data.size} samples, but its shapes need {self.data.size}.")
        # Shapes and offsets are read-only, so both can have them; making them anew took a fifth of an action's time.
        new = object.__new__(Ragged)
        new.data, new.offsets, new.shapes = _locked(data.view()), self.offsets, self.shapes
        return new

    def take(self, rows: NDArray[np.intp] | Sequence[int]) -> Ragged:
        """Return the records at ``rows``, in that order; a run of neighbours is not copied.

        Negative numbers count from the last record.

        Raises:
            IndexError: for a record that there is not.
        """
        # Normalised by NumPy, because a negative number would also be a place in ``offsets``, which has one more.
        rows = np.arange(len(self))[np.asarray(rows, dtype=np.intp)]
        if rows.size and np.array_equal(rows, np.arange(rows[0], rows[0] + rows.size)):
            span = self.data[self.offsets[rows[0]] : self.offsets[rows[-1] + 1]]
            return Ragged(span, self.shapes[rows])
        if not rows.size:
            return Ragged(self.data[:0], self.shapes[:0])
        return Ragged(_joined([self._flat(int(i)) for i in rows]), self.shapes[rows])

    @classmethod
    def concat(cls, parts: Sequence[Ragged], *, name: str = "signal") -> Ragged:
        """Return the records of ``parts``, one after another; ``name`` is the component's name for error messages.

        Raises:
            InputError: when the parts differ in their number of axes or in the type of their samples.
        """
        filled = [p for p in parts if len(p)] or list(parts[:1])
        if len({p.ndim for p in filled}) > 1:
            raise InputError(
                f"Batches whose component {name!r} has {sorted({p.ndim for p in filled})} axes cannot be joined: "
                "some are cut into segments and some are not. Call unstack_signals first."
            )
        if len({p.dtype for p in filled}) > 1:
            found = ", ".join(sorted(str(dtype) for dtype in {p.dtype for p in filled}))
            raise InputError(
                f"Batches whose component {name!r} differs in the type of its samples ({found}) cannot be joined. "
                "Apply the same actions to each of them first."
            )
        return Ragged(_joined([p.data for p in filled]), np.concatenate([p.shapes for p in filled]))

    def _flat(self, i: int) -> NDArray[Any]:
        return self.data[self.offsets[i] : self.offsets[i + 1]]

    def __len__(self) -> int:
        return len(self.shapes)

    @overload
    def __getitem__(self, i: int | np.integer[Any]) -> NDArray[Any]: ...
    @overload
    def __getitem__(self, i: slice) -> Ragged: ...
    def __getitem__(self, i: int | np.integer[Any] | slice) -> NDArray[Any] | Ragged:
        if isinstance(i, slice):
            return self.take(np.arange(len(self))[i])
        n = len(self)
        if not -n <= i < n:
            # The built-in, so that iteration and unpacking end where they should.
            raise IndexError(f"record {i} of a batch of {n}")
        i = int(i) % n
        return self._flat(i).reshape(self.shapes[i])

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return (self[i] for i in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Ragged):
            return NotImplemented
        same_shape = self.shapes.shape == other.shapes.shape and bool((self.shapes == other.shapes).all())
        return same_shape and self.dtype == other.dtype and np.array_equal(self.data, other.data, equal_nan=True)

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[type, tuple[NDArray[Any], NDArray[np.int64]]]:
        return Ragged, (np.asarray(self.data), np.asarray(self.shapes))

    def __repr__(self) -> str:
        if not len(self):
            return f"Ragged(0 records, {self.ndim} axes, {self.dtype})"
        low, high = self.shapes.min(axis=0), self.shapes.max(axis=0)
        axes = ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in zip(low, high, strict=True))
        return f"Ragged({len(self)} records of ({axes}), {self.dtype})"


def _joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(parts, out=empty(sum(p.size for p in parts), np.result_type(*parts)))


def _locked(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array
