"""Where the rows of a batch came from: the way back from a segment to its record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.random_keys import record_keys, segment_keys
from cardioflow.errors import InputError

__all__ = ["Provenance"]


@dataclass(frozen=True, eq=False)
class Provenance:
    """The record that each row of a batch was cut from, and where.

    A row is a whole record, or one segment of it after ``unstack_signals``.
    """

    record_id: tuple[str, ...]
    """The id of the record behind each row."""
    key: NDArray[np.uint64]
    """The key of the row's random numbers: a hash of the record's id, after unstacking also of the segment's number."""
    segment: NDArray[np.int64]
    """The segment's number within its record; 0 for a whole record."""
    n_segments: NDArray[np.int64]
    """The number of rows that the record was unstacked into; 1 for a whole record."""
    segment_start_s: tuple[NDArray[np.float64], ...]
    """The start of each segment of the row, in seconds from the record's first sample: one number per segment."""

    def __reduce__(self) -> tuple[Any, ...]:
        # The starts as one array: of many small ones, each takes as long to pickle.
        counts = np.array([len(own) for own in self.segment_start_s], np.int64)
        starts = np.concatenate(self.segment_start_s) if len(counts) else np.zeros(0)
        return _unpickled, ((self.record_id, self.key, self.segment, self.n_segments), counts, starts)

    @classmethod
    def whole(cls, ids: Sequence[str], keys: NDArray[np.uint64] | None = None) -> Self:
        """Return the provenance of uncut records; pass ``keys`` when the keys of their ids are already known."""
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

        The starts of a row that is a segment itself still count from its record's first sample.
        """
        pairs = zip(self.segment_start_s, starts_s, strict=True)
        # Most rows begin with their record, and an addition costs ten times the question.
        moved = tuple(old[0] + new if old[0] else new for old, new in pairs)
        return replace(self, segment_start_s=moved)

    def shifted(self, seconds: Sequence[float] | NDArray[np.float64]) -> Self:
        """Return the provenance after ``seconds[i]`` were cut off in front of every segment of row ``i``.

        A negative number stands for what was put in front.
        """
        starts = zip(self.segment_start_s, seconds, strict=True)
        return replace(self, segment_start_s=tuple(own + s for own, s in starts))

    def unstacked(self, counts: NDArray[np.int64]) -> Self:
        """Return the provenance after row ``i`` became ``counts[i]`` rows, one per segment.

        Where the rows are segments themselves, the new segments are numbered
        through their record: those of its segment 0, then those of segment 1.

        Raises:
            InputError: when that cannot be done, because the segments of a record were cut into different numbers and
                not all of them are in the batch.
        """
        rows = np.repeat(np.arange(len(self.record_id)), counts)
        number = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        starts = []
        for known, n in zip(self.segment_start_s, counts.tolist(), strict=True):
            # Rows that are not segments (a function of the user's made more of them) keep their row's start.
            starts += [known[i : i + 1] for i in range(n)] if len(known) == n else [known[:1]] * n
        first, total = self._numbering(counts)
        return replace(
            self,
            record_id=tuple(self.record_id[i] for i in rows),
            key=segment_keys(self.key[rows], number),
            segment=first[rows] + number,
            n_segments=total[rows],
            segment_start_s=tuple(starts),
        )

    def _numbering(self, counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the number of the first segment that each row becomes, and the number of its record's segments."""
        first, total = self.segment * counts, self.n_segments * counts
        if not (self.n_segments > 1).any():
            return first, total
        groups: dict[str, list[int]] = {}
        for i, record in enumerate(self.record_id):
            groups.setdefault(record, []).append(i)
        for record, own in groups.items():
            if len({int(counts[i]) for i in own}) == 1:
                continue
            own.sort(key=lambda i: int(self.segment[i]))
            here = [int(self.segment[i]) for i in own]
            if here != list(range(int(self.n_segments[own[0]]))):
                raise InputError(
                    f"The segments of record {record!r} were cut into different numbers of segments, and of its "
                    f"{int(self.n_segments[own[0]])} segments only {here} are in this batch, so that the new ones "
                    "cannot be numbered. Cut before rows are dropped or put into other batches.",
                    record=record,
                )
            ends = np.cumsum(counts[own])
            first[own], total[own] = ends - counts[own], ends[-1]
        return first, total

    def stacked(self, rows: Sequence[Sequence[int]]) -> Self:
        """Return the provenance after each group of rows, segments of one record, became one row."""
        first = self.take(np.array([own[0] for own in rows], np.intp))
        return replace(
            first,
            key=record_keys(first.record_id),
            segment=np.zeros(len(rows), np.int64),
            n_segments=np.ones(len(rows), np.int64),
            segment_start_s=tuple(np.concatenate([self.segment_start_s[i] for i in own]) for own in rows),
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


def _unpickled(columns: Any, counts: NDArray[np.int64], starts: NDArray[np.float64]) -> Provenance:
    record_id, key, segment, n_segments = columns
    ends = np.cumsum(counts).tolist()
    rows = tuple([starts[a:b] for a, b in zip([0, *ends], ends, strict=False)])
    return Provenance(record_id, key, segment, n_segments, rows)
