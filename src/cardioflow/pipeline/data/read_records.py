"""Reading the records of a batch from wherever each of them is."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, final

import numpy as np

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.location import Location
from cardioflow.batch.meta import Meta
from cardioflow.batch.ragged import Ragged
from cardioflow.errors import CardioFlowError, FormatError, InputError, raise_bad_records
from cardioflow.io.base import Columns, ReadRequest, Record
from cardioflow.io.reading import (
    array_record,
    check_options,
    read_columns,
    read_each,
    request_for,
    stored_columns,
    stored_errors,
)
from cardioflow.pipeline.data.hdf5_records import read_hdf5
from cardioflow.pipeline.data.locations import (
    ArrayLocation,
    DescribedLocation,
    FileLocation,
    Hdf5Location,
    SimulatedLocation,
    StoredRows,
    StoreLocation,
    locate,
    of_one_store,
)

__all__ = ["READ_COMPONENTS", "ReadRecords"]

READ_COMPONENTS = ("signal", "meta", "annotation")

Found = Record | FormatError


@final
@dataclass(frozen=True, eq=False)
class ReadRecords:
    """Adds signals, metadata and annotations to a batch; a batch may mix files, stores, simulations and arrays.

    Raises:
        InputError: for an option that the format does not have.
        UnknownNameError: when there is no such format.
    """

    src: Any = None
    """Where the files are if not where the data set says: a folder, or a mapping of ids to paths."""
    fmt: str | None = None
    """The format of the files; ``None`` recognises each file's. Records that are not in files ignore it."""
    components: tuple[str, ...] = ("signal", "meta")
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of ``ReadRequest`` and of the format."""

    def __post_init__(self) -> None:
        check_options(self.fmt, self.options)
        request_for(self.components, self.options)

    def __call__(self, batch: EcgBatch) -> EcgBatch:
        """Return ``batch`` with the components.

        Raises:
            FormatError: for a record that cannot be read, naming it.
            BadRecordsError: for several of them.
        """
        if not len(batch):
            return batch
        request = request_for(self.components, self.options)
        locations = self.locations(batch)
        stored = of_one_store(locations)
        if stored is not None:
            return _with_columns(batch, self._columns(batch.ids, stored, request), self.components)
        together = self._together(locations, request)
        if together is not None:
            return _with_columns(batch, together, self.components)
        errors: dict[str, CardioFlowError] = {}
        records: list[Record] = []
        for name, record in zip(batch.ids, self._read(locations, request), strict=True):
            if isinstance(record, FormatError):
                record.record = name
                errors[name] = record
            else:
                records.append(record)
        raise_bad_records(errors)
        return _with_records(batch, records, self.components)

    # -- where ----------------------------------------------------------------

    def locations(self, batch: EcgBatch) -> Sequence[Location]:
        """Return where each row of ``batch`` is read from.

        Raises:
            InputError: when a row is nowhere.
        """
        if isinstance(self.src, Mapping):
            # Without the nearest ids: a run that skips such records would look them up for each.
            raise_bad_records(
                {
                    name: InputError(f"load(src=…) has no path for record {name!r}. Add it to the mapping.")
                    for name in batch.ids
                    if name not in self.src
                }
            )
            return locate(self.src[name] for name in batch.ids)
        if batch.locations is None:
            raise InputError("The batch does not come from a data set, so there is nothing to load. Use an EcgDataset.")
        if self.src is None:
            return batch.locations
        if not isinstance(self.src, (str, os.PathLike)):
            raise InputError(
                f"load(src=…) got a {type(self.src).__name__}; expected a folder, or a mapping of record ids to paths."
            )
        folder = Path(self.src)
        moved: list[Location] = []
        for name, location in zip(batch.ids, batch.locations, strict=True):
            if not isinstance(location, FileLocation):
                raise InputError(
                    f"load(src={str(self.src)!r}): the record is {location.readable()}, not a file. Leave out src.",
                    record=name,
                )
            moved.append(FileLocation(folder / location.path.name))
        return moved

    # -- reading --------------------------------------------------------------

    def _read(self, locations: Sequence[Location], request: ReadRequest) -> list[Found]:
        """Read each location; records of one kind together."""
        kinds: dict[Any, list[int]] = {}
        for i, location in enumerate(locations):
            kind = (type(location), _like(location))
            kinds.setdefault(kind, []).append(i)
        found: list[Any] = [None] * len(locations)
        for (kind, _), rows in kinds.items():
            own = [locations[i] for i in rows]
            for i, record in zip(rows, self._reader(kind)(own, request), strict=True):
                found[i] = record
        return found

    def _reader(self, kind: type[Location]) -> Callable[[Any, ReadRequest], Sequence[Found]]:
        if kind is FileLocation:
            return self._files
        if kind is DescribedLocation:
            return self._described
        if kind is Hdf5Location:
            return read_hdf5
        if kind is SimulatedLocation:
            return _simulated
        return self._stored if kind is StoreLocation else _arrays

    def _together(self, locations: Sequence[Location], request: ReadRequest) -> Columns | None:
        """Return the records of a batch of files alone, where their format reads many at once."""
        paths = [place.text for place in locations if isinstance(place, FileLocation)]
        return read_columns(paths, self.fmt, request, self.options) if len(paths) == len(locations) else None

    def _files(self, locations: Sequence[FileLocation], request: ReadRequest) -> list[Found]:
        return read_each([location.path for location in locations], self.fmt, request, self.options)

    def _described(self, locations: Sequence[DescribedLocation], request: ReadRequest) -> list[Found]:
        """Read files with what is known of all of them, as far as ``load`` does not say otherwise."""
        options = {**dict(locations[0].options), **self.options}
        fmt = locations[0].fmt if self.fmt is None else self.fmt
        check_options(fmt, options)
        own = request_for(request.components, options)
        return read_each([place.path for place in locations], fmt, own, options)

    def _columns(self, names: Sequence[str], stored: StoredRows, request: ReadRequest) -> Columns:
        try:
            return stored_columns(stored.store, stored.rows, request, self.options, checksum=stored.checksum)
        except FormatError:
            errors = stored_errors(stored.store, stored.rows, request, self.options)
            raise_bad_records({name: error for name, error in zip(names, errors, strict=True) if error is not None})
            raise

    def _stored(self, locations: Sequence[StoreLocation], request: ReadRequest) -> list[Found]:
        first, rows = locations[0], [location.row for location in locations]
        read = partial(stored_columns, request=request, options=self.options, checksum=first.checksum)
        try:
            return _rows(read(first.store, rows))
        except FormatError:
            errors = stored_errors(first.store, rows, request, self.options)
            own = [row for row, error in zip(rows, errors, strict=True) if error is None]
            records = iter(_rows(read(first.store, own)) if own else ())
            return [next(records) if error is None else error for error in errors]


def _like(location: Location) -> Any:
    """Return what locations of one kind have to share to be read together."""
    if isinstance(location, StoreLocation):
        return location.store, location.checksum
    return (location.fmt, location.options) if isinstance(location, DescribedLocation) else None


def _rows(columns: Columns) -> list[Found]:
    records: list[Found] = []
    for i, row in enumerate(columns.meta):
        meta = dict(row)
        fs, leads, units = float(meta.pop("fs")), meta.pop("leads"), meta.pop("units")
        signal = None if columns.signal is None else columns.signal[i]
        annotation = None if columns.annotation is None else columns.annotation[i]
        records.append(Record(signal, fs, leads, units, meta, annotation))
    return records


def _simulated(locations: Sequence[SimulatedLocation], request: ReadRequest) -> list[Found]:
    return read_each([Path(location.text) for location in locations], "simulated", request, {})


def _arrays(locations: Sequence[ArrayLocation], request: ReadRequest) -> list[Found]:
    found: list[Found] = []
    for place in locations:
        try:
            found.append(array_record(place.signal, place.fs, place.leads, place.units, request))
        except FormatError as error:
            found.append(FormatError(f"The array {error}"))
    return found


# -- into the batch -------------------------------------------------------------


def _with_columns(batch: EcgBatch, found: Columns, components: Sequence[str]) -> EcgBatch:
    held = {"signal": found.signal, "annotation": found.annotation}
    changes: dict[str, Any] = {name: column for name, column in held.items() if column is not None}
    if "meta" in components or "signal" in components:
        changes["meta"] = found.meta
    return batch.replace(**changes)


def _with_records(batch: EcgBatch, records: Sequence[Record], components: Sequence[str]) -> EcgBatch:
    changes: dict[str, Any] = {}
    if "signal" in components:
        changes["signal"] = Ragged.from_arrays([_signal(record) for record in records])
    if "meta" in components or "signal" in components:
        # The rate and the leads go with the samples, asked for or not: no action is right without them.
        rows = [{"fs": float(r.fs), "leads": r.leads, "units": r.units, **r.meta} for r in records]
        changes["meta"] = Meta.from_rows(rows)
    if "annotation" in components:
        changes["annotation"] = tuple(record.annotation for record in records)
    return batch.replace(**changes)


def _signal(record: Record) -> Any:
    return record.signal if record.signal is not None else np.empty((len(record.leads), 0), np.float32)
