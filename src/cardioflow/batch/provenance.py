"""Where the rows of a batch came from: the way back from a segment to its record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.random_keys import record_keys, segment_keys

__all__ = ["Provenance"]


@dataclass(frozen=True, eq=False)
class Provenance:
    """The record that each row of a batch was cut from, and where.

    A row is a whole record, or one segment of it after ``unstack_signals``.
    """

    record_id: tuple[str, ...]
    """The id of the record behind each row."""
    key: NDArray[np.uint64]
    """What the row's random numbers are keyed by: the record's id, after unstacking with the segment's number."""
    segment: NDArray[np.int64]
    """The segment's number within its record; 0 for a whole record."""
    n_segments: NDArray[np.int64]
    """Into how many rows the record was unstacked; 1 for a whole record."""
    segment_start_s: tuple[NDArray[np.float64], ...]
    """Where each segment of the row begins, in seconds from the record's first sample: one number per segment."""

    @classmethod
    def whole(cls, ids: Sequence[str], keys: NDArray[np.uint64] | None = None) -> Self:
        """Return the provenance of uncut records; ``keys`` are those of their ids, where they are known already."""
        n = len(ids)
        zero = np.zeros(1)
        return cls(
            tuple(ids),
            record_keys(ids) if keys is None else keys,
            np.zeros(n, np.int64),
            np.ones(n, np.int64),
            (zero,) * n,
        )

    def take(self, rows: NDArray[np.intp]) -> Self:
        """Return the rows ``rows``, in that order."""
        return replace(
            self,
            record_id=tuple(self.record_id[i] for i in rows),
            key=self.key[rows],
            segment=self.segment[rows],
            n_segments=self.n_segments[rows],
            segment_start_s=tuple(self.segment_start_s[i] for i in rows),
        )

    def cut(self, starts_s: Sequence[NDArray[np.float64]]) -> Self:
        """Return the provenance after each row was cut at ``starts_s``, in seconds from the row's first sample.

        A row that was cut before keeps counting from its record's first sample.
        """
        moved = tuple(old[0] + new for old, new in zip(self.segment_start_s, starts_s, strict=True))
        return replace(self, segment_start_s=moved)

    def unstacked(self, counts: NDArray[np.int64]) -> Self:
        """Return the provenance after row ``i`` became ``counts[i]`` rows, one per segment."""
        rows = np.repeat(np.arange(len(self.record_id)), counts)
        number = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        starts = []
        for row, i in zip(rows, number, strict=True):
            known = self.segment_start_s[row]
            # Rows that are no segments (apply_transform made more of them) keep their row's start.
            starts.append(known[i : i + 1] if len(known) == counts[row] else known[:1])
        return replace(
            self,
            record_id=tuple(self.record_id[i] for i in rows),
            key=segment_keys(self.key[rows], number),
            segment=self.segment[rows] * counts[rows] + number,
            n_segments=self.n_segments[rows] * counts[rows],
            segment_start_s=tuple(starts),
        )

    @classmethod
    def concat(cls, parts: Sequence[Provenance]) -> Provenance:
        """Return the rows of ``parts``, one after another."""
        join: Any = np.concatenate
        return Provenance(
            record_id=tuple(r for p in parts for r in p.record_id),
            key=join([p.key for p in parts]),
            segment=join([p.segment for p in parts]),
            n_segments=join([p.n_segments for p in parts]),
            segment_start_s=tuple(s for p in parts for s in p.segment_start_s),
        )
