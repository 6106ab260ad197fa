"""What a column of a batch must be able to do when rows are chosen or their time changes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["Column", "Ints", "Kind", "Windows", "split_rows"]

Kind = Literal["static", "time series", "events"]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Windows:
    """The windows that are cut from each row and become its segments."""

    starts: Ints
    """The first sample of every window, row after row; a window may begin before its record and end after it."""
    counts: Ints
    """The number of windows of each row."""
    lengths: Ints | int
    """The samples of each window, of all rows or one number per row."""

    @property
    def length(self) -> int | None:
        """The samples of every window; ``None`` when the rows differ."""
        return self.lengths if isinstance(self.lengths, int) else None

    def are_whole(self, lengths: Ints) -> bool:
        """Return whether every window is a whole row, of ``lengths[i]`` samples."""
        return self.length is None and not self.starts.any() and np.array_equal(self.lengths, lengths)

    def row_lengths(self) -> list[int]:
        """Return the samples of each row's windows."""
        lengths: list[int] = np.broadcast_to(self.lengths, len(self.counts)).tolist()
        return lengths

    def per_row(self) -> list[Ints]:
        """Return the starts of each row's windows."""
        return split_rows(self.starts, self.counts)


class Column(ABC):
    """One value per row of a batch, of one kind; never changed in place.

    The methods from ``cut`` on change time. ``cardioflow.batch.timeline`` calls
    them for all columns of a batch, so that they stay aligned with the signal.
    """

    kind: ClassVar[Kind]

    @property
    @abstractmethod
    def values(self) -> Any:
        """The value that the user passed, with one entry per row."""

    def __len__(self) -> int:
        return len(self.values)

    @abstractmethod
    def take(self, rows: NDArray[np.intp]) -> Self:
        """Return the rows ``rows``, in that order."""

    @classmethod
    @abstractmethod
    def concat(cls, name: str, parts: Sequence[Any]) -> Self:
        """Return the rows of ``parts``, one after another; ``name`` is the column's name for error messages."""

    @abstractmethod
    def unstack(self, counts: Ints) -> Self:
        """Return a column with a row per segment; row ``i`` has ``counts[i]`` of them."""

    @abstractmethod
    def stack(self, rows: Sequence[Sequence[int]]) -> Self:
        """Return a column with a row per group of rows, each of which becomes a segment."""

    @abstractmethod
    def squeeze(self) -> Self:
        """Return the column without its segment axis; every row has one segment."""

    @abstractmethod
    def cut(self, windows: Windows, blank: float | None) -> Self:
        """Return the column cut into segments.

        ``blank`` stands where a window reaches outside its record; ``None`` is
        the kind's own value for no data.
        """

    @abstractmethod
    def slice_time(self, part: slice[Any, Any, Any], lengths: Ints, fs: NDArray[np.float64]) -> Self:
        """Return the samples ``part`` of every row, which has ``lengths[i]`` samples at ``fs[i]`` Hz."""

    @abstractmethod
    def pad(self, before: Ints, after: Ints, blank: float | None) -> Self:
        """Return every row with ``before[i]`` blank samples in front and ``after[i]`` behind."""

    @abstractmethod
    def tile(self, reps: int, lengths: Ints) -> Self:
        """Return every row, of ``lengths[i]`` samples, ``reps`` times end to end."""

    @abstractmethod
    def resample(self, old: NDArray[np.float64], new: NDArray[np.float64], lengths: Ints) -> Self:
        """Return every row brought from ``old[i]`` to ``new[i]`` Hz, where it has ``lengths[i]`` samples."""

    @abstractmethod
    def warp(self, places: Sequence[NDArray[np.float64]], fs: NDArray[np.float64]) -> Self:
        """Return every row, at ``fs[i]`` Hz, read at the positions ``places[i]``.

        They are in samples, and rise from the first to the last one.
        """


def split_rows(values: NDArray[Any], counts: Ints) -> list[NDArray[Any]]:
    """Return ``values`` in parts of ``counts[i]`` entries."""
    ends = np.cumsum(counts)
    return [values[a:b] for a, b in zip((ends - counts).tolist(), ends.tolist(), strict=True)]
