"""What is known about the records of a data set beside their labels: patients, folds, ages, sites."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, final

import numpy as np

from cardioflow.errors import InputError, UnknownNameError, nearest
from cardioflow.pipeline.record_ids import record_id

__all__ = ["RecordTable", "plain"]

Missing = Literal["raise", "drop"]


@final
class RecordTable:
    """Columns of values, one row per record; rows are found by record id.

    Columns with a meaning of their own:

    ==========  ============================================================
    patient     who the record is of; parts of a split share no patient
    fold        the fold that the publishers of the data set gave the record
    part        the part of a published split, such as ``"train"``
    ==========  ============================================================

    Args:
        ids: The record of each row.
        columns: The values of each column, in the order of ``ids``; ``None`` or NaN where one is not known.

    Raises:
        InputError: for a column of another length, or an id that occurs twice.
    """

    def __init__(self, ids: Iterable[Any] = (), columns: Mapping[str, Sequence[Any]] | None = None) -> None:
        names = [record_id(name) for name in ids]
        self._row = {name: i for i, name in enumerate(names)}
        if len(self._row) < len(names):
            double = next(name for i, name in enumerate(names) if self._row[name] != i)
            raise InputError(f"The table has two rows for record {double!r}. Keep one.")
        self._columns: dict[str, list[Any]] = {}
        for name, values in (columns or {}).items():
            if len(values) != len(names):
                raise InputError(
                    f"Column {name!r} has {len(values)} values for {len(names)} records. Pass one per record."
                )
            self._columns[str(name)] = list(values)

    @classmethod
    def of(cls, table: Any, id_column: str | None = None) -> RecordTable:
        """Return the columns of a pandas DataFrame, an Arrow table or a mapping of columns.

        Args:
            table: One row per record.
            id_column: The column of record ids; by default the index of pandas if it has a name, else the first column.

        Raises:
            UnknownNameError: when there is no such column.
        """
        # Every data set has a table, but few are read from one.
        from cardioflow.pipeline.labels.cells import TableShape
        from cardioflow.pipeline.labels.table_sources import columns_of

        if isinstance(table, RecordTable):
            return table
        columns = dict(table) if isinstance(table, Mapping) else columns_of(table, TableShape(id_column=0))
        if not columns:
            raise InputError("The table has no columns. Expected one of record ids and at least one of values.")
        name = next(iter(columns)) if id_column is None else id_column
        if name not in columns:
            raise UnknownNameError(f"The table has no column {name!r}. {nearest(name, columns)}")
        ids = columns.pop(name)
        return cls(ids, columns)

    @property
    def ids(self) -> tuple[str, ...]:
        """The records that the table has a row for."""
        return tuple(self._row)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self._columns)

    def __contains__(self, column: object) -> bool:
        return column in self._columns

    def __len__(self) -> int:
        return len(self._row)

    def column(self, name: str, ids: Sequence[str]) -> list[Any]:
        """Return the value of each of ``ids`` in column ``name``; ``None`` where it is not known.

        Raises:
            UnknownNameError: with the nearest names, when there is no such column.
        """
        from cardioflow.pipeline.labels.cells import is_missing

        if name not in self._columns:
            raise UnknownNameError(f"The data set's table has no column {name!r}. {nearest(name, self._columns)}")
        values, row = self._columns[name], self._row
        found = (values[row[own]] if own in row else None for own in ids)
        return [None if is_missing(value) else value for value in found]

    def rows(self, ids: Sequence[str]) -> Iterable[dict[str, Any]]:
        """Yield the values of each of ``ids`` by column; ``None`` where one is not known."""
        columns = {name: self.column(name, ids) for name in self._columns}
        for i in range(len(ids)):
            yield {name: values[i] for name, values in columns.items()}

    def with_columns(self, other: RecordTable) -> RecordTable:
        """Return the table with the columns of ``other`` added, or put in the place of its own, by record id."""
        ids = list(dict.fromkeys((*self._row, *other._row)))
        columns = {name: self.column(name, ids) for name in self._columns}
        return RecordTable(ids, {**columns, **{name: other.column(name, ids) for name in other._columns}})

    def renamed(self, ids: Mapping[str, str]) -> RecordTable:
        """Return the table of the records that are keys of ``ids``, under their new ids."""
        old = list(ids)
        return RecordTable(ids.values(), {name: self.column(name, old) for name in self._columns})

    def matching(self, ids: Sequence[str], conditions: Mapping[str, Any], missing: Missing) -> list[int]:
        """Return the positions in ``ids`` of the records that meet every one of ``conditions``.

        Args:
            ids: The records to choose from.
            conditions: By column: a value, a set, list or tuple of values, or a function of the value.
            missing: Whether a record without a value is an error, or is left out.

        Raises:
            InputError: for a record without a value, where ``missing`` is ``"raise"``.
        """
        if missing not in ("raise", "drop"):
            raise InputError(f"filter(missing={missing!r}): expected 'raise' or 'drop'.")
        kept = list(range(len(ids)))
        for name, wanted in conditions.items():
            values = self.column(name, ids)
            if wanted is not None:
                _check_known(values, ids, name, kept, missing)
            meets = _condition(wanted)
            kept = [i for i in kept if (values[i] is None) == (wanted is None) and meets(values[i])]
        return kept


def _check_known(values: Sequence[Any], ids: Sequence[str], name: str, rows: Sequence[int], missing: Missing) -> None:
    unknown = [ids[i] for i in rows if values[i] is None]
    if unknown and missing == "raise":
        raise InputError(
            f"filter({name}=…): {len(unknown)} of {len(rows)} records have no value in this column, the first of them "
            f"{unknown[0]!r}. Pass missing='drop' to leave those out, or {name}=None to choose them."
        )


def _condition(wanted: Any) -> Callable[[Any], bool]:
    if wanted is None:
        return lambda value: value is None
    if callable(wanted):
        return lambda value: bool(wanted(value))
    if isinstance(wanted, Collection) and not isinstance(wanted, (str, bytes, Mapping)):
        # A list and not a set: values such as dictionaries have no hash.
        several = [plain(value) for value in wanted]
        return lambda value: plain(value) in several
    one = plain(wanted)
    return lambda value: bool(plain(value) == one)


def plain(value: Any) -> Any:
    """Return ``value`` as Python's own type; a whole number that pandas made a float as an integer."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return tuple(value) if isinstance(value, (list, np.ndarray)) else value
