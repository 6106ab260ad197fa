"""Reading a packed store: shards are mapped, and only what is asked for is touched."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, final, get_args

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.annotation import Annotation
from cardioflow.batch.meta import Meta, constant_column
from cardioflow.batch.ragged import Ragged
from cardioflow.core.buffers import empty
from cardioflow.core.equality import same
from cardioflow.errors import FormatError, InputError
from cardioflow.io._packed.columns import from_json
from cardioflow.io._packed.index import BLOCK_BYTES, INDEX, Index
from cardioflow.io._packed.shard import Shard

__all__ = ["Store", "Verify", "check_verify", "open_store", "reopened_store"]

Verify = Literal["open", "read", "never"]
"""When checksums are checked: of the whole store when it is opened, of each block when it is first read, or never."""


@final
class Store:
    """The records of a packed store by number, in the order in which they were packed."""

    def __init__(self, path: Path, verify: Verify = "read") -> None:
        index = Index.read(path)
        self.path = path
        self.verify = verify
        self.has_checksums = index.has_checksums
        self.checksum = index.checksum
        if verify == "open" and not index.has_checksums:
            raise InputError(
                f"{path} has no checksums, so verify='open' cannot check it: an earlier version packed it. Pass "
                "verify='read' or verify='never', or pack the records again."
            )
        self.shards = [Shard(path / entry.file, entry, verify=verify != "never") for entry in index.shards]
        self.shard_of = np.empty(index.n_records, np.int64)
        self.row_of = np.empty(index.n_records, np.int64)
        for number, shard in enumerate(self.shards):
            if shard.at.size and not 0 <= shard.at.min() <= shard.at.max() < len(self.shard_of):
                raise FormatError(f"{path} does not hold what its index says. Pack the records again.")
            self.shard_of[shard.at] = number
            self.row_of[shard.at] = np.arange(len(shard.at))
        if verify == "open":
            for shard in self.shards:
                shard.check()

    def __repr__(self) -> str:
        checked = f"a checksum per {BLOCK_BYTES >> 10} KiB" if self.has_checksums else "no checksums"
        return f"Store({str(self.path)!r}, {len(self)} records in {len(self.shards)} shards, {checked})"

    def __len__(self) -> int:
        return len(self.shard_of)

    def has_changed(self, rows: NDArray[np.int64]) -> bool:
        """Return whether a file that holds ``rows`` is another one than when the store was opened."""
        return any(self.shards[number].has_changed for number in np.unique(self.shard_of[rows]))

    def signals(self, rows: NDArray[np.int64]) -> Ragged:
        """Return the signals at ``rows``, in that order; neighbours stored as float32 are not copied.

        Raises:
            FormatError: when samples do not have their checksum.
        """
        shard_of, row_of = self.shard_of[rows], self.row_of[rows]
        used = np.unique(shard_of)
        if self.verify != "never":
            for number in used:
                self.shards[number].check_samples(row_of[shard_of == number])
        shapes = np.empty((len(rows), 2), np.int64)
        for number in used:
            shapes[shard_of == number] = self.shards[number].shapes[row_of[shard_of == number]]
        if len(used) == 1 and (view := self.shards[used[0]].run(row_of)) is not None:
            return Ragged(view, shapes)
        ends = np.cumsum(shapes.prod(axis=1))
        places = ends - shapes.prod(axis=1)
        out = empty(int(ends[-1]), np.float32)
        for number in used:
            # Each record straight to its place: gathering shard by shard and sorting afterwards copied all twice.
            own = shard_of == number
            self.shards[number].fill(row_of[own], out, places[own])
        return Ragged(out, shapes)

    def meta(self, rows: NDArray[np.int64]) -> Meta:
        """Return the metadata at ``rows``, in that order."""
        shard_of, row_of = self.shard_of[rows], self.row_of[rows]
        used = [(self.shards[number], shard_of == number) for number in np.unique(shard_of)]
        columns: dict[str, Any] = {}
        for key in dict.fromkeys(key for shard, _ in used for key in shard.keys):
            held = [shard.constants[key] for shard, _ in used if key in shard.constants]
            if len(held) == len(used) and all(same(value, held[0]) for value in held):
                columns[key] = constant_column(held[0], len(rows))
                continue
            column = np.empty(len(rows), object)
            for shard, own in used:
                # Through an object array, because NumPy would make tuples of one length a second axis.
                column[own] = _objects(shard.values(key, row_of[own]))
            columns[key] = column.tolist()
        return Meta(columns, len(rows))

    def marks(self, rows: NDArray[np.int64]) -> tuple[Annotation | None, ...]:
        """Return the annotations at ``rows``, in that order."""
        shard_of, row_of = self.shard_of[rows], self.row_of[rows]
        found: dict[int, Annotation | None] = {}
        for number in np.unique(shard_of):
            own = np.flatnonzero(shard_of == number)
            found |= dict(zip(own.tolist(), self.shards[number].marks(row_of[own]), strict=True))
        return tuple(found[i] for i in range(len(rows)))

    def ids(self) -> list[str]:
        """Return the ids of all records, in order."""
        return self._in_order("id")

    def labels(self) -> dict[str, Any]:
        """Return the label of each record that was packed with one."""
        try:
            pairs = list(zip(self.ids(), map(from_json, self._in_order("label")), strict=True))
        except ValueError as error:
            raise FormatError(f"{self.path} has labels that are not JSON: {error}. Pack the records again.") from None
        return {name: label for name, label in pairs if label is not None}

    def _in_order(self, column: str) -> list[str]:
        found = [""] * len(self)
        for shard in self.shards:
            for at, value in zip(shard.at.tolist(), shard.strings(column), strict=True):
                found[at] = value
        return found


def _objects(values: list[Any]) -> NDArray[Any]:
    column = np.empty(len(values), object)
    for i, value in enumerate(values):
        column[i] = value
    return column


def check_verify(verify: str) -> Verify:
    """Return ``verify`` if it is one of the choices.

    Raises:
        InputError: when it is not.
    """
    for choice in get_args(Verify):
        if verify == choice:
            known: Verify = choice
            return known
    raise InputError(f"verify={verify!r}: expected 'open', 'read' or 'never'.")


@lru_cache(maxsize=16)
def _opened(path: Path, changed_ns: int, verify: Verify) -> Store:  # noqa: ARG001 -- a store written anew is opened anew
    return Store(path, verify)


def open_store(path: Path, verify: Verify = "read") -> Store:
    """Return the store at ``path``, which stays open as long as it is in use.

    Raises:
        FormatError: when it is not a packed store, or is damaged.
    """
    try:
        changed = (path / INDEX).stat().st_mtime_ns
    except OSError:
        changed = 0
    return _opened(path, changed, verify)


def reopened_store(path: Path, verify: Verify) -> Store:
    """Return the store at ``path`` as its files are now, whose checksums are checked again."""
    _opened.cache_clear()
    return open_store(path, verify)
