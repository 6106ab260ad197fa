"""From what a data set is made of to the location of each record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cardioflow.batch.location import Location
from cardioflow.errors import InputError, UnknownNameError, nearest
from cardioflow.pipeline.data.locations import FileLocation, locate
from cardioflow.pipeline.data.record_files import by_id, record_files
from cardioflow.pipeline.data.record_table import RecordTable
from cardioflow.pipeline.record_ids import record_id

__all__ = ["RecordSource", "find_records", "records_of_table"]


class RecordSource(NamedTuple):
    """The records that a data set is made of."""

    locations: dict[str, Location]
    labels: dict[str, Any] | None = None
    """The labels that came with them."""
    n_others: int = 0
    """Files in the folders that are neither a record nor part of one."""


def find_records(source: Any, ids: Callable[[Path], str] | None, *, sort: bool) -> RecordSource:
    """Return the records of ``source``, as ``EcgDataset`` takes it.

    Raises:
        InputError: when there is none, or two get one id.
    """
    found = _find(source, ids)
    if not found.locations:
        raise InputError(f"No file matches {source!r}. Pass a glob such as 'data/*.hea', a folder, or a list of paths.")
    if sort:
        found = found._replace(locations=dict(sorted(found.locations.items())))
    return found


def _find(source: Any, ids: Callable[[Path], str] | None) -> RecordSource:
    if isinstance(source, (str, Path)) and (Path(source) / "store.json").is_file():
        from cardioflow.pipeline.data.packing import stored_records

        stored, labels = stored_records(Path(source))
        return RecordSource(dict(stored), labels or None)
    if isinstance(source, Mapping):
        names = [record_id(name) for name in source]
        if len(set(names)) < len(names):
            double = next(name for name in names if names.count(name) > 1)
            raise InputError(f"Two keys of the mapping are record {double!r}. Keep one.")
        return RecordSource(dict(zip(names, locate(source.values()), strict=True)))
    if not isinstance(source, (str, Path, Sequence)):
        if not hasattr(source, "__iter__") or hasattr(source, "shape") or hasattr(source, "columns"):
            raise InputError(
                f"EcgDataset() got a {type(source).__name__}. Pass a glob, a path, a folder, a list of paths or a "
                "mapping of ids; for a table call EcgDataset.from_table, for arrays EcgDataset.from_arrays."
            )
        # The order of a set changes from process to process, and with it that of the records.
        source = sorted(source, key=str) if isinstance(source, (set, frozenset)) else list(source)
    paths, n_others = record_files(source)
    found = by_id(paths, ids)
    return RecordSource(dict(zip(found, locate(found.values()), strict=True)), None, n_others)


def records_of_table(
    table: Any, path: str, root: Path, id_column: str | None, label_column: str | None
) -> tuple[dict[str, Location], dict[str, Any] | None, RecordTable]:
    """Return the location of each record that ``table`` lists, its label where a column is given, and all columns.

    Raises:
        UnknownNameError: when the table lacks a column.
        InputError: when a cell is empty, or two rows have one id.
    """
    from cardioflow.pipeline.labels.cells import TableShape, is_missing
    from cardioflow.pipeline.labels.table_sources import columns_of

    columns = columns_of(table, TableShape(id_column=0))
    for name in (path, id_column, label_column):
        if name is not None and name not in columns:
            raise UnknownNameError(f"The table has no column {name!r}. {nearest(name, columns)}")
    if not columns[path]:
        raise InputError("The table has no rows. Pass one row per record.")
    for number, cell in enumerate(columns[path], 1):
        if is_missing(cell):
            raise InputError(f"Row {number} of the table has no file in column {path!r}. Drop such rows.")
    files = [str(root / str(cell)) for cell in columns[path]]
    if id_column is None:
        found = by_id(files)
    else:
        names = iter(columns[id_column])
        found = by_id(files, lambda _: next(names))
    locations: dict[str, Location] = {name: FileLocation(file) for name, file in found.items()}
    known = RecordTable(locations, columns)
    if label_column is None:
        return locations, None, known
    return locations, dict(zip(locations, columns[label_column], strict=True)), known
