"""Pages of a Parquet file: what their headers claim, checked before PyArrow allocates memory for it.

A column is pages, each behind a header (parquet.thrift: FileMetaData, PageHeader). PyArrow makes room for as many
values, and for pages as long, as a header says.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from cardioflow.errors import FormatError
from cardioflow.io._parquet.thrift import read_structure

__all__ = ["most_unpacked"]

_MAGIC: Final = b"PAR1"
# Of FileMetaData: its row groups, their columns and rows; of ColumnMetaData what follows.
_GROUPS, _COLUMNS, _N_ROWS, _DESCRIPTION = 4, 1, 3, 3
_TYPE, _PATH, _VALUES, _SIZE, _DATA_AT, _DICTIONARY_AT = 1, 3, 5, 7, 9, 11
_FOOTER: Final = {
    _GROUPS: {
        _COLUMNS: {_DESCRIPTION: dict.fromkeys((_TYPE, _PATH, _VALUES, _SIZE, _DATA_AT, _DICTIONARY_AT))},
        _N_ROWS: None,
    }
}
# Of PageHeader: sizes, and the headers of data pages of both versions and of dictionaries, with numbers of values.
_UNPACKED, _PACKED, _DATA, _DICTIONARY, _DATA_2, _N_VALUES = 2, 3, 5, 7, 8, 1
_PAGE: Final = {
    _UNPACKED: None,
    _PACKED: None,
    _DATA: {_N_VALUES: None},
    _DICTIONARY: {_N_VALUES: None},
    _DATA_2: {_N_VALUES: None},
}
# Bytes of a value by its type: INT32, INT64, INT96, FLOAT, DOUBLE.
_WIDTHS: Final = {1: 4, 2: 8, 3: 12, 4: 4, 5: 8}
_LONGEST_HEADER: Final = 1 << 16

Fields = dict[int, Any]


def most_unpacked(raw: bytes, names: Iterable[str]) -> int:
    """Return the size of the largest page of the columns called ``names``, unpacked.

    Raises:
        FormatError: when a page lies outside the file, or says that it has more values than it can hold.
    """
    wanted = {name.encode() for name in names}
    most = 0
    for group in _list(_footer(raw), _GROUPS):
        rows = _count(group, _N_ROWS)
        for column in _list(group, _COLUMNS):
            described = column.get(_DESCRIPTION)
            path = described.get(_PATH) if isinstance(described, dict) else None
            is_path = isinstance(path, list) and all(isinstance(part, bytes) for part in path)
            if not isinstance(described, dict) or not isinstance(path, list) or not is_path:
                raise FormatError("has a column that its footer does not describe.")
            if b".".join(path) not in wanted:
                continue
            if not 0 <= _count(described, _VALUES) <= rows:
                raise FormatError(f"has {_count(described, _VALUES)} values in {rows} rows of a column.")
            most = max(most, _largest(raw, described))
    return most


def _footer(raw: bytes) -> Fields:
    size = int.from_bytes(raw[-8:-4], "little")
    if raw[-4:] != _MAGIC or not 0 < size <= len(raw) - 12:
        raise FormatError(
            f"has no footer of {size} bytes before the PAR1 at its end; expected one that is in the file."
        )
    return read_structure(raw[-8 - size : -8], _FOOTER, "a footer")[0]


def _list(fields: Fields, number: int) -> list[Fields]:
    found = fields.get(number)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise FormatError("has a footer without row groups, or without their columns.")
    return found


def _largest(raw: bytes, column: Fields) -> int:
    at, dictionary, n_values = _count(column, _DATA_AT), _count(column, _DICTIONARY_AT), _count(column, _VALUES)
    if 0 < dictionary < at:
        at = dictionary
    end = at + _count(column, _SIZE)
    if not 0 <= at <= end <= len(raw):
        raise FormatError(f"has a column from byte {at} to {end} of {len(raw)}.")
    width = _WIDTHS.get(_count(column, _TYPE), 1)
    most = seen = 0
    # What follows the last value is not read.
    while at < end and seen < n_values:
        page, length = read_structure(raw[at : min(end, at + _LONGEST_HEADER)], _PAGE, f"a page header at byte {at}")
        at += length
        size, packed = _count(page, _UNPACKED), _count(page, _PACKED)
        if size < 0 or packed < 0 or at + packed > end:
            raise FormatError(f"has a page of {packed} bytes at byte {at} of a column that ends at {end}.")
        kept, n = (_count(part, _N_VALUES) for part in (_part(page, _DICTIONARY), _part(page, _DATA, _DATA_2)))
        if kept * width > size or n > n_values - seen or min(kept, n) < 0:
            raise FormatError(f"has a page of {size} bytes before byte {at} that says that it has {kept or n} values.")
        seen += n
        at += packed
        most = max(most, size)
    return most


def _part(fields: Fields, *ids: int) -> Fields:
    """Return the first of these structures that is there, or one that says that there is nothing."""
    return next((fields[i] for i in ids if isinstance(fields.get(i), dict)), {_N_VALUES: 0})


def _count(fields: Fields, number: int) -> int:
    found = fields.get(number)
    return found if isinstance(found, int) else -1
