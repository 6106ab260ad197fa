"""What a record was made of: the sizes and times of its files, its label, and where it is."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, final

import numpy as np

from cardioflow.batch.action import Action
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.location import Location
from cardioflow.errors import CardioFlowError
from cardioflow.io.reading import RecordParts
from cardioflow.pipeline.data.locations import (
    ArrayLocation,
    DescribedLocation,
    FileLocation,
    Hdf5Location,
    StoreLocation,
)
from cardioflow.pipeline.data.read_records import ReadRecords
from cardioflow.pipeline.labels.join import JoinLabels
from cardioflow.pipeline.steps._nested import NestedStep
from cardioflow.pipeline.steps.load import Load

__all__ = ["Fingerprint", "Fingerprints", "loads_in"]

_RESTLESS_NS: Final = 50_000_000
"""A file that was written less than this ago may be written again without a new time: file systems count in ticks."""


class Fingerprint(NamedTuple):
    """Of one record."""

    digest: str
    is_settled: bool
    """Whether its files are old enough for their times to tell a later change."""


def loads_in(actions: Iterable[Action | None]) -> tuple[Load, ...]:
    """Return the steps among ``actions`` that read, also those in nested pipelines."""
    found: list[Load] = []
    for action in actions:
        if isinstance(action, Load):
            found.append(action)
        elif isinstance(action, NestedStep):
            found += loads_in(inner for part in action.parts for inner in part.actions.values())
    return tuple(found)


@final
class Fingerprints:
    """Fingerprints of records for the steps that read them."""

    def __init__(self, loads: Sequence[Load]) -> None:
        self._reads = tuple(load.part for load in loads if isinstance(load.part, ReadRecords))
        self._labels = tuple(load.part for load in loads if isinstance(load.part, JoinLabels))
        self._parts = RecordParts()
        self._known: dict[str, _Files] = {}

    @property
    def classes(self) -> list[Any]:
        """What the tables of labels, and the data set, say of all records."""
        return [
            None
            if own.table is None
            else [list(own.table.classes), own.table.is_numeric, _listed(own.options.get("classes"))]
            for own in self._labels
        ]

    def of(self, batch: EcgBatch) -> list[Fingerprint | None]:
        """Return the fingerprint of each row of ``batch``; ``None`` where it has none, as where a file is missing."""
        texts: list[list[str] | None] = [[] for _ in batch.ids]
        now = time.time_ns()
        settled = [True] * len(batch)
        with self._parts.looking():
            for read in self._reads:
                try:
                    locations = read.locations(batch)
                except CardioFlowError:
                    # The step itself says what is wrong.
                    return [None] * len(batch)
                for i, location in enumerate(locations):
                    found = self._place(location)
                    own = texts[i]
                    if found is None or own is None:
                        texts[i] = None
                    else:
                        own.append(found[0])
                        settled[i] &= abs(now - found[1]) > _RESTLESS_NS
        for labels in self._labels:
            for own, record in zip(texts, batch.provenance.record_id, strict=True):
                if own is not None:
                    own.append(_label(labels, record))
        return [
            None if own is None else Fingerprint(_digest("\n".join(own).encode()), calm)
            for own, calm in zip(texts, settled, strict=True)
        ]

    def _place(self, location: Location) -> tuple[str, int] | None:
        """Return what tells the record at ``location`` from others, and when it last changed, in ns since 1970."""
        if isinstance(location, FileLocation):
            return self._files(location.text)
        if isinstance(location, DescribedLocation | Hdf5Location):
            return self._within(location.path, location.details)
        if isinstance(location, StoreLocation):
            return self._within(location.store / "store.json", location.row)
        if isinstance(location, ArrayLocation):
            signal = np.ascontiguousarray(location.signal)
            told = (signal.dtype.str, signal.shape, location.fs, location.leads, location.units)
            return f"{_digest(signal.reshape(-1).view(np.uint8).data)} {told}", 0
        return str(location.readable()), 0

    def _within(self, path: Path, about: Any) -> tuple[str, int] | None:
        """Return the same for a record that is described by ``path`` and by what is known ``about`` it."""
        found = self._files(str(path))
        return None if found is None else (f"{found[0]}#{about!r}", found[1])

    def _files(self, path: str) -> tuple[str, int] | None:
        try:
            listed = self._parts.folder_changed(path)
            known = self._known.get(path)
            if known is not None and known.listed == listed and known.states == [_state(name) for name in known.names]:
                return known.text, known.latest
            names = self._parts.of(path)
            states = [_state(name) for name in names]
        except OSError:
            return None
        lines = [os.path.abspath(path), *(f"{n} {size} {ns}" for n, (size, ns) in zip(names, states, strict=True))]  # noqa: PTH100 -- three times faster, and called for every record
        known = _Files(listed, names, states, "\n".join(lines), max(ns for _, ns in states))
        self._known[path] = known
        return known.text, known.latest


class _Files(NamedTuple):
    """The files of a record when they were last looked at."""

    listed: int
    """When the folder last changed, in which files may have been added."""
    names: list[str]
    states: list[tuple[int, int]]
    """Of each file: size, and time in ns since 1970."""
    text: str
    latest: int


def _state(name: str) -> tuple[int, int]:
    status = os.stat(name)  # noqa: PTH116 -- for every record of every batch
    return status.st_size, status.st_mtime_ns


def _listed(classes: Sequence[str] | None) -> list[str] | None:
    return None if classes is None else list(classes)


def _label(labels: JoinLabels, record: str) -> str:
    if labels.table is None:
        return "no table"
    value = labels.table.labels.get(record)
    return _digest(value.tobytes()) + str(value.dtype) if isinstance(value, np.ndarray) else repr(value)


def _digest(content: Any) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
