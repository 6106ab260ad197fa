"""Metadata of records: stored by column, read by column or as read-only rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, final, overload

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.equality import same
from cardioflow.errors import InputError, MissingDependencyError, UnknownNameError, nearest

__all__ = ["Meta", "constant_column"]


@final
class Meta(Sequence["Mapping[str, Any]"]):
    """Columns of metadata; ``meta[i]`` is a read-only mapping, ``meta["fs"]`` the column.

    A key that a record lacks is ``None``. Every reader fills ``fs`` (Hz),
    ``leads`` (standard names), ``units``, ``age`` (years), ``sex`` (``"M"``,
    ``"F"``), ``timestamp`` (datetime) and ``comments``; other keys depend on
    the format.

    >>> meta = Meta.from_rows([{"fs": 300.0}, {"fs": 250.0, "age": 61}])
    >>> meta[1]["age"], meta[0]["age"], meta["fs"].tolist()
    (61, None, [300.0, 250.0])
    """

    __slots__ = ("_columns", "_n")

    def __init__(self, columns: Mapping[str, Sequence[Any] | NDArray[Any]], n: int) -> None:
        self._n = n
        self._columns: dict[str, NDArray[Any]] = {}
        for name, values in columns.items():
            column = _column(values)
            if len(column) != n:
                raise InputError(
                    f"Column {name!r} of meta has {len(column)} values for {n} records. Pass one per record."
                )
            self._columns[name] = column

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, Any]]) -> Meta:
        """Gather one mapping per record into columns."""
        names: dict[str, None] = {}
        for row in rows:
            names.update(dict.fromkeys(row))
        return cls({name: [row.get(name) for row in rows] for name in names}, len(rows))

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self._columns)

    @overload
    def __getitem__(self, key: str) -> NDArray[Any]: ...
    @overload
    def __getitem__(self, key: int) -> Mapping[str, Any]: ...
    @overload
    def __getitem__(self, key: slice) -> Meta: ...
    def __getitem__(self, key: str | int | slice) -> NDArray[Any] | Mapping[str, Any] | Meta:
        if isinstance(key, str):
            if key not in self._columns:
                raise UnknownNameError(f"meta has no column {key!r}. {nearest(key, self._columns)}")
            return self._columns[key]
        if isinstance(key, slice):
            return self.take(np.arange(self._n)[key])
        if not -self._n <= key < self._n:
            raise IndexError(f"record {key} of a batch of {self._n}")
        return _Row(self._columns, int(key) % self._n)

    def __len__(self) -> int:
        return self._n

    def with_columns(self, **columns: Sequence[Any] | NDArray[Any]) -> Meta:
        """Return a copy in which ``columns`` are new or replaced."""
        return Meta({**self._columns, **columns}, self._n)

    def to_frame(self) -> Any:
        """Return a ``pandas.DataFrame`` with a row per record.

        Raises:
            MissingDependencyError: when pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise MissingDependencyError(
                "meta.to_frame() needs pandas, which is not installed. Install it with: pip install pandas"
            ) from None
        return pd.DataFrame(self._columns, index=range(self._n))

    def take(self, rows: NDArray[np.intp] | Sequence[int]) -> Meta:
        """Return the rows ``rows``, in that order."""
        rows = np.asarray(rows, dtype=np.intp)
        return Meta({name: column[rows] for name, column in self._columns.items()}, len(rows))

    @classmethod
    def concat(cls, parts: Sequence[Meta]) -> Meta:
        """Return the rows of ``parts``, one after another; a column that a part lacks is ``None`` there."""
        names = dict.fromkeys(name for part in parts for name in part.columns)
        columns: dict[str, NDArray[Any]] = {}
        for name in names:
            pieces = [p._columns[name] if name in p._columns else _nones(len(p)) for p in parts]
            kinds = {piece.dtype for piece in pieces}
            columns[name] = np.concatenate(pieces if len(kinds) == 1 else [p.astype(object) for p in pieces])
        return cls(columns, sum(len(p) for p in parts))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Meta):
            return NotImplemented
        return len(self) == len(other) and all(_equal_rows(a, b) for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[type, tuple[dict[str, NDArray[Any]], int]]:
        return Meta, (self._columns, self._n)

    def __repr__(self) -> str:
        return f"Meta({self._n} records: {', '.join(self._columns)})"


class _Row(Mapping[str, Any]):
    """One record of a ``Meta``, read-only."""

    __slots__ = ("_columns", "_i")

    def __init__(self, columns: dict[str, NDArray[Any]], i: int) -> None:
        self._columns = columns
        self._i = i

    def __getitem__(self, key: str) -> Any:
        if key not in self._columns:
            raise KeyError(f"{key!r} is not in this record's metadata. {nearest(key, self._columns)}")
        value = self._columns[key][self._i]
        return value.item() if isinstance(value, np.generic) else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        return repr(dict(self))


def _equal_rows(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    return a.keys() == b.keys() and all(_equal(value, b[name]) for name, value in a.items())


def _equal(a: Any, b: Any) -> bool:
    try:
        if a == b:
            return True
    except ValueError:  # arrays
        pass
    # NaN, which stands for what could not be measured, equals NaN.
    return same(a, b)


def constant_column(value: Any, n: int) -> NDArray[Any]:
    """Return a column in which all of ``n`` records have the same ``value``."""
    if type(value) in (float, bool):
        return np.full(n, value)
    column = np.empty(n, dtype=object)
    # Unlike assignment, it does not take a tuple for a row of values.
    column.fill(value)
    return column


def _nones(n: int) -> NDArray[Any]:
    return constant_column(None, n)


def _column(values: Sequence[Any] | NDArray[Any]) -> NDArray[Any]:
    """Return numbers as a float, integer or boolean array, anything else as objects."""
    if isinstance(values, np.ndarray):
        column = values
    elif values and all(type(v) is float for v in values):
        column = np.array(values, dtype=np.float64)
    elif values and all(type(v) is bool for v in values):
        column = np.array(values, dtype=np.bool_)
    else:
        # Filled one by one, because NumPy would make tuples of one length a second axis.
        column = np.empty(len(values), dtype=object)
        for i, value in enumerate(values):
            column[i] = value
    if column.flags.writeable:
        column = column.view()
        column.flags.writeable = False
    return column
