"""Sets of annotations: the file's reference, detected beats, delineated waves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Self, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.annotation import Annotation
from cardioflow.batch.columns.base import Column, Ints, Kind, Windows
from cardioflow.errors import InputError

__all__ = ["Events", "Marks"]

Marks = Annotation | tuple[Annotation, ...]

_TURNED: Final = {"(": ")", ")": "("}


@final
@dataclass(frozen=True, eq=False)
class Events(Column):
    """One ``Annotation`` per row, and a tuple of them, one per segment, after cutting.

    Each event stays at the sample of the signal that it marks; events whose
    sample is gone are dropped.
    """

    kind: ClassVar[Kind] = "events"
    marks: tuple[Marks, ...]

    @property
    def values(self) -> tuple[Marks, ...]:
        return self.marks

    def move(self, move: Callable[[Annotation, int], Annotation]) -> Self:
        """Return the column with ``move(annotation, row)`` in place of every annotation, segment by segment."""
        return type(self)(
            tuple(
                tuple(move(m, i) for m in own) if isinstance(own, tuple) else move(own, i)
                for i, own in enumerate(self.marks)
            )
        )

    # -- rows ---------------------------------------------------------------

    def take(self, rows: NDArray[np.intp]) -> Self:
        return type(self)(tuple(self.marks[i] for i in rows))

    @classmethod
    def concat(cls, name: str, parts: Sequence[Any]) -> Self:  # noqa: ARG003 -- sets of annotations always join
        return cls(tuple(own for part in parts for own in part.marks))

    def unstack(self, counts: Ints) -> Self:
        for own, n in zip(self.marks, counts.tolist(), strict=True):
            found = len(own) if isinstance(own, tuple) else 1
            if found != n:
                raise InputError(
                    f"A record of {n} segments has annotations for {found}, so that they cannot be told apart. Cut "
                    "with split_signals or its like, which cut annotations too, or remove the annotations first."
                )
        return type(self)(tuple(mark for own in self.marks for mark in (own if isinstance(own, tuple) else (own,))))

    def stack(self, rows: Sequence[Sequence[int]]) -> Self:
        return type(self)(tuple(tuple(_single(self.marks[i]) for i in own) for own in rows))

    def squeeze(self) -> Self:
        return type(self)(tuple(_single(own) for own in self.marks))

    # -- time ---------------------------------------------------------------

    def cut(self, windows: Windows, blank: float | None) -> Self:  # noqa: ARG002 -- no event stands outside a record
        spans = zip(self.marks, windows.per_row(), windows.row_lengths(), strict=True)
        return type(self)(
            tuple(tuple(_single(own).window(s, s + n) for s in starts.tolist()) for own, starts, n in spans)
        )

    def slice_time(self, part: slice[Any, Any, Any], lengths: Ints, fs: NDArray[np.float64]) -> Self:
        kept = [range(n)[part] for n in lengths.tolist()]
        return self.move(lambda marks, i: _sliced(marks, kept[i], float(fs[i])))

    def pad(self, before: Ints, after: Ints, blank: float | None) -> Self:  # noqa: ARG002
        return self.move(lambda marks, i: replace(marks, sample=marks.sample + int(before[i])))

    def tile(self, reps: int, lengths: Ints) -> Self:
        return self.move(lambda marks, i: _repeated(marks, reps, int(lengths[i])))

    def resample(self, old: NDArray[np.float64], new: NDArray[np.float64], lengths: Ints) -> Self:
        return self.move(lambda marks, i: marks.resampled(float(new[i] / old[i]), int(lengths[i])))

    def warp(self, places: Sequence[NDArray[np.float64]], fs: NDArray[np.float64]) -> Self:
        return self.move(lambda marks, i: _warped(marks, places[i], float(fs[i])))


def _single(own: Marks) -> Annotation:
    return own[0] if isinstance(own, tuple) else own


def _sliced(marks: Annotation, kept: range, fs: float) -> Annotation:
    """Return the marks between the first and the last sample of ``kept``, each at the nearest one of them."""
    if not kept:
        return marks.take(np.arange(0))
    inside = marks.take((marks.sample >= min(kept[0], kept[-1])) & (marks.sample <= max(kept[0], kept[-1])))
    inside = replace(inside, sample=np.rint((inside.sample - kept[0]) / kept.step).astype(np.int64))
    if kept.step > 0:
        return inside
    # In reversed time an onset is an offset, and what has a duration begins where it ended.
    begins = inside.sample + np.rint(inside.duration_s * fs / kept.step).astype(np.int64)
    # What lay behind the record would lie before it now, and is not part of it.
    lost = np.maximum(-begins, 0)
    lasting = np.maximum(inside.duration_s - lost * (-kept.step / fs), 0)
    begins += lost
    symbol = np.array([_TURNED.get(c, c) for c in inside.symbol.tolist()], np.str_)
    inside = replace(inside, sample=begins, symbol=symbol, duration_s=lasting).take(np.arange(len(inside))[::-1])
    return inside.take(np.argsort(inside.sample, kind="stable"))


def _repeated(marks: Annotation, reps: int, period: int) -> Annotation:
    turn = np.repeat(np.arange(reps), len(marks))
    many = marks.take(np.tile(np.arange(len(marks)), reps))
    return replace(many, sample=many.sample + turn * period)


def _warped(marks: Annotation, places: NDArray[np.float64], fs: float) -> Annotation:
    if not places.size:
        return marks
    # Sample t is read at places[t], so that a mark goes to the sample that is read at its own.
    samples = np.arange(places.size)
    at = np.interp(marks.sample, places, samples)
    end = marks.sample + marks.duration_s * fs
    # Behind the record, where a duration may reach, time is not warped.
    new_end = np.where(end > samples[-1], end, np.interp(end, places, samples))
    lasting = np.where(marks.duration_s > 0, (new_end - at) / fs, marks.duration_s)
    return replace(marks, sample=np.rint(at).astype(np.int64), duration_s=lasting)
