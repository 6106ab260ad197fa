"""Rows that are kept, and the rows of one batch out of many chunks of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.columns import Column, TimeSeries
from cardioflow.batch.columns.static import Static
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.ragged import Ragged
from cardioflow.core.buffers import empty

__all__ = ["RowPool"]

Ints = NDArray[np.int64]
Span = tuple[int, int]


@final
class RowPool:
    """Chunks of rows, whose small components are joined once, and whose samples stay where they are.

    Joining a batch of rows from as many chunks would take longer than reading
    most files does: every chunk has its own columns of metadata.
    """

    def __init__(self) -> None:
        self._n_rows = 0
        self._joined: EcgBatch | None = None
        self._waiting: list[EcgBatch] = []
        self._samples: dict[str, _Samples] = {}

    def __len__(self) -> int:
        return self._n_rows

    def add(self, rows: EcgBatch) -> int:
        """Take rows and return the number of the first of them."""
        first = self._n_rows
        light, samples = _parted(rows)
        for name, values in samples.items():
            self._samples.setdefault(name, _Samples()).add(values)
        self._waiting.append(light)
        self._n_rows += len(rows)
        return first

    def take(self, spans: Sequence[Span]) -> EcgBatch:
        """Return the rows of all ``spans``, each from a first row to before a last one, in that order."""
        light = self._all()
        rows = np.concatenate([np.empty(0, np.int64), *(np.arange(*span) for span in spans)]).astype(np.int64)
        found = light.take(rows)
        samples = {name: own.take(rows) for name, own in self._samples.items()}
        return _whole(found, samples)

    def _all(self) -> EcgBatch:
        if self._waiting:
            parts = self._waiting if self._joined is None else [self._joined, *self._waiting]
            self._joined = parts[0] if len(parts) == 1 else type(parts[0]).concat(parts)
            self._waiting = []
        assert self._joined is not None  # noqa: S101 -- rows are taken where there are some
        return self._joined


@final
class _Samples:
    """One ragged component of all rows, chunk by chunk."""

    def __init__(self) -> None:
        self._chunks: list[Ragged] = []
        self._shapes: list[Ints] = []
        self._known: tuple[Ints, Ints, Ints] | None = None

    def add(self, values: Ragged) -> None:
        self._chunks.append(values)
        self._known = None

    def take(self, rows: Ints) -> Ragged:
        chunk_of, row_of, shapes = self._places()
        chunks, own = chunk_of[rows], row_of[rows]
        if len(rows) and (chunks == chunks[0]).all():
            first: Ragged = self._chunks[int(chunks[0])]
            return first.take(own)
        taken = shapes[rows]
        ends = np.cumsum(taken.prod(axis=1))
        out = empty(int(ends[-1]) if len(ends) else 0, self._chunks[0].dtype)
        start = 0
        for chunk, row, end in zip(chunks.tolist(), own.tolist(), ends.tolist(), strict=True):
            held = self._chunks[chunk]
            out[start:end] = held.data[held.offsets[row] : held.offsets[row + 1]]
            start = end
        return Ragged(out, taken)

    def _places(self) -> tuple[Ints, Ints, Ints]:
        """Return the chunk of every row, its place there, and its shape."""
        if self._known is None:
            sizes = [len(chunk) for chunk in self._chunks]
            self._known = (
                np.repeat(np.arange(len(sizes)), sizes),
                np.concatenate([np.arange(n) for n in sizes]),
                np.concatenate([chunk.shapes for chunk in self._chunks]),
            )
        return self._known


def _parted(rows: EcgBatch) -> tuple[EcgBatch, dict[str, Ragged]]:
    """Return ``rows`` without their ragged components, and these by name; columns by ``"column name"``."""
    samples: dict[str, Ragged] = {}
    if rows.signal is not None:
        samples["signal"] = rows.signal
    columns: dict[str, Column] = {}
    for name, column in rows.columns.items():
        if isinstance(column.values, Ragged):
            samples[f"column {name}"] = column.values
            # The kind, and whether it is cut, are kept with a value that takes no room.
            columns[name] = _with_values(column, _hollow(column.values))
        else:
            columns[name] = column
    return rows.replace(signal=None, columns=columns, locations=None, skipped=()), samples


def _hollow(values: Ragged) -> Ragged:
    return Ragged(np.empty(0, values.dtype), np.zeros((len(values), values.ndim), np.int64))


def _with_values(column: Column, values: Ragged) -> Column:
    return replace(column, samples=values) if isinstance(column, TimeSeries) else Static(values)


def _whole(light: EcgBatch, samples: Mapping[str, Ragged]) -> EcgBatch:
    columns: dict[str, Any] = dict(light.columns)
    for name, values in samples.items():
        if name != "signal":
            columns[name[7:]] = _with_values(columns[name[7:]], values)
    return light.replace(signal=samples.get("signal"), columns=columns)
