"""Records that are rows of a table in an HDF5 file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cardioflow.core.optional import needed
from cardioflow.errors import FormatError
from cardioflow.io.base import ReadRequest, Record
from cardioflow.io.reading import array_record
from cardioflow.pipeline.data.locations import Hdf5Location

__all__ = ["hdf5", "read_hdf5"]


def hdf5() -> Any:
    """Return the package h5py.

    Raises:
        MissingDependencyError: when it is not installed.
    """
    return needed("h5py", extra="hdf5")


def read_hdf5(locations: Sequence[Hdf5Location], request: ReadRequest) -> list[Record | FormatError]:
    """Read each row; one that cannot be read gives its error in its place. A file is opened once."""
    found: list[Record | FormatError | None] = [None] * len(locations)
    by_file: dict[Path, list[int]] = {}
    for i, place in enumerate(locations):
        by_file.setdefault(place.path, []).append(i)
    for path, rows in by_file.items():
        try:
            with hdf5().File(path, "r") as file:
                for i in rows:
                    found[i] = _row(file, locations[i], request)
        except OSError as error:
            for i in rows:
                found[i] = FormatError(f"{path} cannot be read as HDF5: {error}.")
    return [record if record is not None else FormatError("was not read.") for record in found]


def _row(file: Any, place: Hdf5Location, request: ReadRequest) -> Record | FormatError:
    table = file.get(place.table)
    if table is None or getattr(table, "ndim", 0) != 3 or table.shape[2] != len(place.leads):
        shape = "none" if table is None else getattr(table, "shape", "a group")
        return FormatError(
            f"{place.path} has no table {place.table!r} of shape (record, time, {len(place.leads)}): found {shape}."
        )
    if place.row >= table.shape[0]:
        return FormatError(f"{place.path} has {table.shape[0]} rows in {place.table!r}, and not row {place.row}.")
    try:
        signal = np.asarray(table[place.row], np.float32).T * np.float32(place.mv_per_unit)
        return array_record(signal, place.fs, place.leads, ("mV",) * len(place.leads), request)
    except FormatError as error:
        return FormatError(f"{place} {error}")
    except (OSError, ValueError, TypeError) as error:
        return FormatError(f"{place} cannot be read: {error}.")
