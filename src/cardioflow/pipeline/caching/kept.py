"""Where rows are kept: by the record and what it was made of."""

from __future__ import annotations

import threading
import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, NoReturn, final

from cardioflow.pipeline.caching.rows import RowPool, Span

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch

__all__ = ["Kept", "KeptInMemory", "RecordKey"]

_BYTES_OF_A_ROW = 1024
"""About what the metadata of one row takes."""


class RecordKey(NamedTuple):
    """A record as it was when it was made."""

    id: str
    digest: str
    """Of its files and its label."""


class Kept(ABC):
    """Rows by record; used by several threads."""

    @abstractmethod
    def find(self, keys: Sequence[RecordKey | None], epoch: int) -> tuple[list[Span | None], EcgBatch | None]:
        """Return how many rows there are of each record, as (first, last) among those returned; and the rows.

        A record that is not kept is ``None``. A record of which all rows were
        filtered out has a span of no rows.
        """

    @abstractmethod
    def add(self, keys: Sequence[RecordKey], counts: Sequence[int], rows: EcgBatch) -> None:
        """Keep ``rows``: ``counts[i]`` rows of record ``keys[i]``, record after record."""


class _Limited:
    """Says once that there is no more room."""

    def __init__(self, max_bytes: float, where: str) -> None:
        self._max_bytes = max_bytes
        self._where = where
        self._is_full = False

    def has_room(self, n_bytes: int) -> bool:
        if n_bytes <= self._max_bytes:
            return True
        if not self._is_full:
            self._is_full = True
            warnings.warn(
                f"cache(): {self._max_bytes / 2**20:.0f} MiB are full {self._where}; further records are made anew "
                "each time. Pass max_mb=… for more, or cache fewer records.",
                stacklevel=2,
            )
        return False


def n_bytes(rows: EcgBatch) -> int:
    """Return about how much memory ``rows`` take."""
    samples = 0 if rows.signal is None else rows.signal.data.nbytes
    held = (getattr(column.values, "data", None) for column in rows.columns.values())
    return samples + sum(int(getattr(own, "nbytes", 0)) for own in held) + _BYTES_OF_A_ROW * len(rows)


def spans_of(found: Sequence[Span | None]) -> list[Span | None]:
    """Return where the rows of each of ``found`` are once they are taken one after another."""
    spans: list[Span | None] = []
    start = 0
    for span in found:
        if span is None:
            spans.append(None)
            continue
        n = span[1] - span[0]
        spans.append((start, start + n))
        start += n
    return spans


@final
class KeptInMemory(Kept):
    """Rows in the memory of this process."""

    def __init__(self, max_bytes: float) -> None:
        self._lock = threading.Lock()
        self._pool = RowPool()
        self._index: dict[RecordKey, Span] = {}
        self._n_bytes = 0
        self._limit = _Limited(max_bytes, "in memory")

    def __reduce__(self) -> NoReturn:
        raise TypeError("cache() keeps records in the memory of one process. Pass a folder: cache('folder')")

    def find(
        self,
        keys: Sequence[RecordKey | None],
        epoch: int,  # noqa: ARG002 -- of a folder, others may add to it
    ) -> tuple[list[Span | None], EcgBatch | None]:
        with self._lock:
            found = [None if key is None else self._index.get(key) for key in keys]
            own = [span for span in found if span is not None and span[1] > span[0]]
            return spans_of(found), self._pool.take(own) if own else None

    def add(self, keys: Sequence[RecordKey], counts: Sequence[int], rows: EcgBatch) -> None:
        with self._lock:
            size = n_bytes(rows)
            if not self._limit.has_room(self._n_bytes + size):
                return
            self._n_bytes += size
            first = self._pool.add(rows) if len(rows) else 0
            for key, n in zip(keys, counts, strict=True):
                self._index[key] = first, first + n
                first += n
