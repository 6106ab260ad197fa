"""Samples along the record's time: signals, masks, states, saliency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.columns.base import Column, Ints, Kind, Windows
from cardioflow.batch.columns.static import concat_values
from cardioflow.batch.ragged import Ragged
from cardioflow.errors import InputError

__all__ = ["TimeSeries"]


@final
@dataclass(frozen=True, eq=False)
class TimeSeries(Column):
    """Samples at the record's rate, along the last axis of each row: (time,) or (channel, time).

    Numbers with a fraction are resampled and warped as a signal is. Truth
    values and integers (masks, states) take the nearest sample and keep their
    type. Where there is no sample, floats are NaN, integers 0 and truth values
    False, unless a value is given, as it is for the signal.
    """

    kind: ClassVar[Kind] = "time series"
    samples: Ragged
    is_cut: bool = False
    """Whether the first axis of a row is the segment."""

    @property
    def values(self) -> Ragged:
        return self.samples

    @property
    def is_continuous(self) -> bool:
        """Whether there are values between two samples: true of floats, not of states and masks."""
        return self.samples.dtype.kind in "fc"

    def check_along(self, signal: Ragged, name: str, ids: Sequence[str], remedy: str) -> None:
        """Check that every row has a sample for each sample of its ``signal``, in as many segments.

        Raises:
            InputError: naming the first record of which it does not.
        """
        own = self.samples
        if self.is_cut != (signal.ndim == 3):
            state = "cut into segments" if self.is_cut else "not cut into segments"
            raise InputError(f"The time series {name!r} is {state}, unlike the signal. {remedy}")
        same = own.lengths == signal.lengths
        if self.is_cut:
            same &= own.shapes[:, 0] == signal.shapes[:, 0]
        if not same.all():
            i = int(np.flatnonzero(~same)[0])
            raise InputError(
                f"The time series {name!r} has the shape {_text(own.shapes[i])} for record {ids[i]!r}, but the "
                f"signal has {_text(signal.shapes[i])}. {remedy}",
                record=ids[i],
            )

    # -- rows ---------------------------------------------------------------

    def take(self, rows: NDArray[np.intp]) -> Self:
        return type(self)(self.samples.take(rows), self.is_cut)

    @classmethod
    def concat(cls, name: str, parts: Sequence[Any]) -> Self:
        if len({part.is_cut for part in parts}) > 1:
            raise InputError(
                f"Batches whose component {name!r} is cut into segments in some and not in others cannot be joined. "
                "Call unstack_signals first."
            )
        return cls(concat_values(name, [part.samples for part in parts]), parts[0].is_cut)

    def unstack(self, counts: Ints) -> Self:
        shapes = np.repeat(self.samples.shapes[:, 1:], counts, axis=0)
        return type(self)(Ragged(self.samples.data, shapes))

    def stack(self, rows: Sequence[Sequence[int]]) -> Self:
        order = np.array([i for own in rows for i in own], np.intp)
        first = np.array([own[0] for own in rows], np.intp)
        counts = np.array([len(own) for own in rows], np.int64).reshape(-1, 1)
        shapes = np.hstack([counts, self.samples.shapes[first]])
        return type(self)(Ragged(self.samples.take(order).data, shapes), is_cut=True)

    def squeeze(self) -> Self:
        return type(self)(Ragged(self.samples.data, self.samples.shapes[:, 1:]))

    # -- time ---------------------------------------------------------------

    def cut(self, windows: Windows, blank: float | None) -> Self:
        own, value = self.samples, self._blank(blank)
        if windows.are_whole(own.lengths):
            rows = np.repeat(np.arange(len(own)), windows.counts)
            return type(self)(Ragged(own.take(rows).data, np.column_stack([windows.counts, own.shapes])), is_cut=True)
        length = windows.length
        if length is None or not self.is_continuous:
            # The compiled kernel is for floats in windows of one length; others are rare and not worth its compiling.
            inside = [s[:, None] + np.arange(n) for s, n in zip(windows.per_row(), windows.row_lengths(), strict=True)]
            arrays = [np.moveaxis(_read(x, p, value), -2, 0) for x, p in zip(own, inside, strict=True)]
            return self._of(arrays, is_cut=True)
        return type(self)(_kernels().cut_floats(own, windows, length, value), is_cut=True)

    def slice_time(self, part: slice[Any, Any, Any], lengths: Ints, fs: NDArray[np.float64]) -> Self:  # noqa: ARG002
        return self._of([x[..., part] for x in self.samples])

    def pad(self, before: Ints, after: Ints, blank: float | None) -> Self:
        value = self._blank(blank)
        edges = zip(self.samples, before.tolist(), after.tolist(), strict=True)
        return self._of([np.pad(x, [(0, 0)] * (x.ndim - 1) + [(b, a)], constant_values=value) for x, b, a in edges])

    def tile(self, reps: int, lengths: Ints) -> Self:  # noqa: ARG002
        return self._of([np.tile(x, reps) for x in self.samples])

    def resample(self, old: NDArray[np.float64], new: NDArray[np.float64], lengths: Ints) -> Self:
        own = self.samples
        if not self.is_continuous:
            places = [
                # Halves go up, not to the even number, so that states last equally long.
                np.minimum((np.arange(n) * (a / b) + 0.5).astype(np.intp), max(m - 1, 0))
                for n, m, a, b in zip(lengths, own.lengths, old, new, strict=True)
            ]
            return self._of([_nearest(x, p) for x, p in zip(own, places, strict=True)])
        return self.resample_floats(old, new)

    def resample_floats(self, old: NDArray[np.float64], new: NDArray[np.float64]) -> Self:
        """Return row ``i`` brought from ``old[i]`` to ``new[i]`` Hz with an anti-aliasing filter."""
        return type(self)(_kernels().resample_floats(self.samples, old, new), self.is_cut)

    def warp(self, places: Sequence[NDArray[np.float64]], fs: NDArray[np.float64]) -> Self:  # noqa: ARG002
        own = self.samples
        if not self.is_continuous:
            return self._of([_nearest(x, np.rint(p).astype(np.intp)) for x, p in zip(own, places, strict=True)])
        return type(self)(_kernels().warp_floats(own, places), self.is_cut)

    def _blank(self, given: float | None) -> Any:
        if given is not None:
            return given
        return np.nan if self.is_continuous else self.samples.dtype.type(0)

    def _of(self, arrays: Sequence[NDArray[Any]], *, is_cut: bool | None = None) -> Self:
        cut_now = self.is_cut if is_cut is None else is_cut
        ndim = self.samples.ndim + (cut_now and not self.is_cut)
        return type(self)(Ragged.from_arrays(arrays, ndim=ndim, dtype=self.samples.dtype), cut_now)


def _kernels() -> ModuleType:
    from cardioflow.batch.columns import _kernels as kernels

    return kernels


def _read(x: NDArray[Any], places: NDArray[np.int64], blank: Any) -> NDArray[Any]:
    """Return ``x`` read at ``places`` of its last axis, and ``blank`` where it has no such sample."""
    n = x.shape[-1]
    inside = (places >= 0) & (places < n)
    if inside.all():
        return x[..., places]
    if not n:
        return np.full((*x.shape[:-1], *places.shape), blank, x.dtype)
    return np.where(inside, x[..., np.clip(places, 0, n - 1)], np.asarray(blank, x.dtype))


def _nearest(x: NDArray[Any], places: NDArray[np.intp]) -> NDArray[Any]:
    return x[..., places] if x.shape[-1] else x


def _text(shape: NDArray[np.int64]) -> str:
    return str(tuple(int(v) for v in shape))
