"""The places that a record can be read from: a file, a row of a packed store, a simulation, an array in memory."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, final

from numpy.typing import NDArray

from cardioflow.batch.location import Location
from cardioflow.errors import InputError

__all__ = [
    "ArrayLocation",
    "DescribedLocation",
    "FileLocation",
    "Hdf5Location",
    "SimulatedLocation",
    "StoreLocation",
    "StoredRows",
    "locate",
    "of_one_store",
]


@final
@dataclass(frozen=True, slots=True, init=False)
class FileLocation(Location):
    """A file, or the name of a record of several files.

    The path is kept as text: a data set has one for each record, and a ``Path`` takes five times as much memory.
    """

    text: str

    def __init__(self, path: str | Path) -> None:
        object.__setattr__(self, "text", _as_path_writes_it(path))

    @property
    def path(self) -> Path:
        return Path(self.text)

    def readable(self) -> Path:
        return self.path

    def __str__(self) -> str:
        return self.text

    __fspath__ = __str__


@final
@dataclass(frozen=True, slots=True)
class DescribedLocation(Location):
    """A file that lacks something that is known about it, such as its sampling rate."""

    path: Path
    fmt: str
    """Its format, where ``load`` names none."""
    options: tuple[tuple[str, Any], ...]
    """What it lacks, as options of ``load``; options given to ``load`` override them."""

    @property
    def details(self) -> str:
        return f"{self.fmt} {self.options}"

    def readable(self) -> Path:
        return self.path

    def __str__(self) -> str:
        return str(self.path)

    __fspath__ = __str__


@final
@dataclass(frozen=True, slots=True)
class Hdf5Location(Location):
    """A row of a table of signals in an HDF5 file: (record, time, lead)."""

    path: Path
    table: str
    """The name of the table."""
    row: int
    fs: float
    """Samples per second."""
    leads: tuple[str, ...]
    mv_per_unit: float
    """How many millivolts a sample of 1.0 is."""

    @property
    def details(self) -> str:
        return f"{self.table} {self.row} {self.fs} {self.leads} {self.mv_per_unit}"

    def readable(self) -> str:
        return f"{self.path}:{self.table}[{self.row}]"

    __str__ = readable


@final
@dataclass(frozen=True, slots=True)
class StoreLocation(Location):
    """A record of a packed store, by its number there."""

    store: Path
    row: int
    checksum: str = field(default="", compare=False)
    """Of the store that the number was taken from; empty where a path names the record."""

    def readable(self) -> str:
        return f"{self.store}#{self.row}"

    __str__ = readable


@final
@dataclass(frozen=True, slots=True)
class SimulatedLocation(Location):
    """A simulated ECG; the same text gives the same samples.

    ``text`` names the rhythm and the parameters: ``simulated:AF?seed=3&fs=300``.
    """

    text: str

    def readable(self) -> str:
        return self.text

    __str__ = readable


@final
@dataclass(frozen=True, slots=True, eq=False)
class ArrayLocation(Location):
    """A record that is in memory already."""

    signal: NDArray[Any]
    """Of shape (lead, time), in ``units``."""
    fs: float
    """Samples per second."""
    leads: tuple[str, ...]
    units: tuple[str, ...]

    def readable(self) -> str:
        n_leads, n_samples = self.signal.shape
        return f"<array of {n_leads} leads and {n_samples} samples at {self.fs:g} Hz>"

    __str__ = readable


_STORED = re.compile(r"(.+)#(\d+)")


def locate(places: Iterable[str | Path | Location]) -> tuple[Location, ...]:
    r"""Return the location of each of ``places``, which are locations, paths or what ``readable`` returned.

    Text is a record of a store where it reads ``<store>#<number>`` and there is
    a store of that name, a simulation where it begins with ``simulated:``, and
    the path of a file otherwise: ``C:\ecg\a#1.hea`` is a path.

    Raises:
        InputError: for something else.
    """
    is_store: dict[str, bool] = {}
    found: list[Location] = []
    for place in places:
        if isinstance(place, Location):
            found.append(place)
            continue
        if not isinstance(place, (str, Path)):
            raise InputError(
                f"{place!r} is a {type(place).__name__}, not the place of a record. Pass a path or a location; "
                "for arrays in memory, call EcgDataset.from_arrays."
            )
        found.append(_parsed(place, is_store))
    return tuple(found)


def _parsed(place: str | Path, is_store: dict[str, bool]) -> Location:
    text = str(place)
    if text.startswith("simulated:"):
        return SimulatedLocation(text)
    stored = _STORED.fullmatch(text) if "#" in text else None
    if stored is not None:
        store, row = stored.groups()
        if store not in is_store:
            is_store[store] = (Path(store) / "store.json").is_file()
        if is_store[store]:
            return StoreLocation(Path(store), int(row))
    return FileLocation(text)


class StoredRows(NamedTuple):
    """Records that are all in one store."""

    store: Path
    rows: tuple[int, ...]
    checksum: str
    """Of the store that the numbers were taken from; empty where it is not known."""

    def locations(self) -> tuple[Location, ...]:
        return tuple([StoreLocation(self.store, row, self.checksum) for row in self.rows])


def of_one_store(locations: Sequence[Location]) -> StoredRows | None:
    """Return the numbers of ``locations`` in the store that all of them are in; ``None`` without such a store."""
    first = locations[0] if locations else None
    if not isinstance(first, StoreLocation):
        return None
    store, checksum = first.store, first.checksum
    # Records of one data set share both; comparing paths takes longer than reading a short record.
    rows = tuple(
        [
            place.row
            for place in locations
            if isinstance(place, StoreLocation)
            and (place.store is store or place.store == store)
            and place.checksum == checksum
        ]
    )
    return StoredRows(store, rows, checksum) if len(rows) == len(locations) else None


_UNUSUAL = re.compile(r"//|/\.?$|/\./|^\.?$|^\./")
"""What ``Path`` leaves out of a path: doubled and final slashes, and dots alone."""


def _as_path_writes_it(path: str | Path) -> str:
    """Return the text of ``Path(path)``, which takes ten times as long to make as to find that it would be the same."""
    if isinstance(path, Path):
        return str(path)
    return path if os.sep == "/" and _UNUSUAL.search(path) is None else str(Path(path))
