"""Records by id, in a fixed order, and the parts and batches of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.location import Location
from cardioflow.batch.provenance import Provenance
from cardioflow.core.random_keys import generator, record_keys
from cardioflow.errors import EndOfDataError, InputError, UnknownNameError, nearest
from cardioflow.pipeline.data.dataset_card import DatasetCard
from cardioflow.pipeline.data.record_table import RecordTable
from cardioflow.pipeline.record_ids import record_id

__all__ = ["RecordIndex"]


class RecordIndex:
    """The records of a data set: their ids, locations and labels, whatever they were found in.

    Args:
        locations: Where each record is, by its id.
        labels: The label of each record by id; ``None`` where they are not known.
        batch_class: The class of the batches.
        table: What else is known about the records.
    """

    def __init__(
        self,
        locations: Mapping[str, Location],
        labels: Mapping[str, Any] | None,
        batch_class: type[EcgBatch],
        table: RecordTable | None = None,
    ) -> None:
        self.ids: tuple[str, ...] = tuple(locations)
        self.locations: tuple[Location, ...] = tuple(locations.values())
        """Where each record is; made once, because every epoch asks for all of them."""
        self.batch_class = batch_class
        self.labels: Mapping[str, Any] | None = labels
        """The label of each record where the data set itself knows it, otherwise ``None``."""
        self.classes: tuple[str, ...] | None = None
        """All labels that there may be, in the order of the target's columns; ``None`` takes those that occur."""
        self.table: RecordTable = RecordTable() if table is None else table
        """What is known about the records beside their labels: patients, folds, ages …"""
        self.cards: tuple[DatasetCard, ...] = ()
        """Where the records come from: the citation and the licence of each public data set."""
        self._whole = self.ids
        self._next = 0

    @cached_property
    def all_ids(self) -> frozenset[str]:
        """The ids of the whole data set that this one is a part of; a table may label any of them."""
        # Made when they are asked for: they take a fifth of the memory of an index of many files.
        return frozenset(self._whole)

    @property
    def paths(self) -> tuple[Path | str, ...]:
        """Where each record is, for people: the path of a file, otherwise a description."""
        return tuple(place.readable() for place in self.locations)

    def __len__(self) -> int:
        return len(self.ids)

    def fingerprint(self) -> str:
        """Return a checksum of the ids, the labels and the beginnings of the files, to tell which data were used."""
        from cardioflow.pipeline.data.contents_digest import contents_digest  # hashing needs OpenSSL

        return contents_digest(self.ids, self.locations, self.labels)

    # -- parts --------------------------------------------------------------

    def subset(self, ids: Iterable[str | int]) -> Self:
        """Return the records ``ids``, in that order; ``7`` is the record ``"7"``, not the eighth one.

        Raises:
            UnknownNameError: when one of them is not in the data set.
            InputError: when one is not an id, there is none, or one is named twice.
        """
        if isinstance(ids, str):
            raise InputError(f"subset({ids!r}): expected several ids. Pass a list, such as [{ids!r}].")
        at = {name: i for i, name in enumerate(self.ids)}
        picked: dict[int, str] = {}
        for given in ids:
            name = record_id(given)
            if name not in at:
                raise UnknownNameError(f"The data set has no record {name!r}. {nearest(name, self.ids)}")
            if at[name] in picked:
                raise InputError(f"subset() names record {name!r} twice. Name each once.")
            picked[at[name]] = name
        if not picked:
            raise InputError("subset() names no record. Pass at least one id.")
        return self._rows(list(picked))

    def _rows(self, rows: Sequence[int]) -> Self:
        if not rows:
            raise InputError(f"A part of a data set of {len(self)} records would be empty. Pass a larger share.")
        new = object.__new__(type(self))
        # The keys that were hashed are those of the whole.
        new.__dict__.update({name: value for name, value in self.__dict__.items() if name != "_keys"})
        new.ids = tuple(self.ids[i] for i in rows)
        new.locations = tuple(self.locations[i] for i in rows)
        new._next = 0
        return new

    # -- batches ------------------------------------------------------------

    def batch(self, rows: NDArray[np.intp] | Sequence[int], *, seed: int = 0, epoch: int = 0) -> EcgBatch:
        """Return the batch of the records at ``rows``, with nothing loaded yet."""
        ids = tuple([self.ids[i] for i in rows])
        return self.batch_class(
            ids=ids,
            locations=tuple([self.locations[i] for i in rows]),
            provenance=Provenance.whole(ids, self._keys[np.asarray(rows, np.intp)]),
            seed=seed,
            epoch=epoch,
        )

    @cached_property
    def _keys(self) -> NDArray[np.uint64]:
        """Each record's key, hashed once and not once per epoch."""
        return record_keys(self.ids)

    def next_batch(self, batch_size: int) -> EcgBatch:
        """Return the next ``batch_size`` records, in order and with nothing loaded yet; ``reset`` starts again.

        Raises:
            EndOfDataError: after the last record.
        """
        if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
            raise InputError(f"next_batch({batch_size!r}): expected a batch size of 1 or more.")
        if self._next >= len(self):
            raise EndOfDataError(f"All {len(self)} records have been returned. Call reset() to start again.")
        rows = range(self._next, min(self._next + batch_size, len(self)))
        self._next = rows.stop
        return self.batch(rows)

    def reset(self) -> None:
        """Let the next ``next_batch`` begin at the first record again."""
        self._next = 0

    def order(self, *, shuffle: bool, seed: int, epoch: int) -> NDArray[np.intp]:
        """Return the order in which an epoch draws the records, from ``seed`` and ``epoch`` alone."""
        if not shuffle:
            return np.arange(len(self))
        key = record_keys([f"order/{seed}/{epoch}"])[0]
        return generator(key).permutation(len(self))
