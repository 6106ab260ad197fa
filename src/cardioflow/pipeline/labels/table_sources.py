"""From a CSV file, a mapping, a pandas or an Arrow table to pairs of a record id and a cell."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from cardioflow.errors import InputError, UnknownNameError, nearest
from cardioflow.pipeline.labels.cells import TableShape, marked_columns

__all__ = ["Pairs", "columns_of", "pairs_of"]

Pairs = list[tuple[Any, Any]]


def pairs_of(source: Any, shape: TableShape, known_ids: Collection[str] = ()) -> tuple[Pairs, str]:
    """Return the (id, cell) of each row of ``source``, and what messages call it.

    Args:
        source: The path of a CSV file, a mapping of ids, a pandas Series or DataFrame, or an Arrow table.
        shape: Which columns to take.
        known_ids: The ids of the records, by which a CSV file's header is found.

    Raises:
        InputError: when the source or its columns are not as ``shape`` says.
    """
    if isinstance(source, (str, Path)):
        return _csv_pairs(Path(source), shape, known_ids), Path(source).name
    if isinstance(source, Mapping):
        if shape.label_columns:
            raise InputError("label_columns are columns of a table; a mapping has none. Leave it out.")
        return list(source.items()), "the mapping"
    name = f"the {type(source).__name__}"
    if _package(source) == "pandas" and hasattr(source, "to_frame") and hasattr(source, "items"):
        return list(source.items()), name
    return _picked(columns_of(source, shape), shape, name), name


def columns_of(table: Any, shape: TableShape | None = None) -> dict[str, list[Any]]:
    """Return the columns of a pandas DataFrame or an Arrow table by name.

    An index of pandas comes first as a column where it has a name, or where
    the table has one column only and no ``id_column`` is given.
    """
    if _package(table) == "pyarrow" and hasattr(table, "column_names"):
        _refuse_doubled(table.column_names)
        return {str(name): table.column(name).to_pylist() for name in table.column_names}
    if _package(table) == "pandas" and hasattr(table, "columns"):
        chosen = shape is not None and shape.id_column is not None
        indexed = table.index.name is not None and table.index.name not in table.columns
        if indexed or (not chosen and len(table.columns) == 1):
            table = table.reset_index()
        _refuse_doubled(list(table.columns))
        return {str(name): table[name].tolist() for name in table.columns}
    article = "an" if type(table).__name__[:1].lower() in "aeiou" else "a"
    raise InputError(
        f"Labels cannot be read from {article} {type(table).__name__}. "
        "Pass the path of a CSV file, a mapping, a pandas Series or DataFrame, or an Arrow table."
    )


def _refuse_doubled(columns: Sequence[Any]) -> None:
    names = [str(name) for name in columns]
    if len(set(names)) < len(names):
        double = next(name for name in names if names.count(name) > 1)
        raise InputError(f"The table has two columns {double!r}. Rename one.")


def _package(value: Any) -> str:
    return type(value).__module__.partition(".")[0]


def _picked(columns: Mapping[str, Sequence[Any]], shape: TableShape, name: str) -> Pairs:
    """Return the cells of the columns that ``shape`` names, row by row."""
    names = list(columns)
    _check_roles(shape, names, name)
    ids = columns[names[_position(shape.id_column, 0, names, name, "id_column")]]
    if shape.label_columns:
        wanted = [names[_position(own, 0, names, name, "label_columns")] for own in shape.label_columns]
        rows = zip(*(columns[own] for own in wanted), strict=True)
        cells: Sequence[Any] = [marked_columns(dict(zip(wanted, row, strict=True)), shape) for row in rows]
    else:
        cells = columns[names[_label_position(shape, names, name)]]
    return list(zip(ids, cells, strict=True))


def _check_roles(shape: TableShape, names: Sequence[str], table: str) -> None:
    """Raise where the column of ids is to be one of labels too, or a name that was asked for is that of two columns."""
    at = _position(shape.id_column, 0, names, table, "id_column")
    asked = shape.label_columns or (() if shape.label_column is None else (shape.label_column,))
    for own in asked:
        if _position(own, 0, names, table, "label_column") == at:
            raise InputError(f"{table}: the column {names[at]!r} holds the ids, and cannot hold labels too.")
    for own in (*asked, shape.id_column):
        if isinstance(own, str) and names.count(own) > 1:
            raise InputError(f"{table} has two columns {own!r}. Rename one, or pass the number of a column.")


def _label_position(shape: TableShape, names: Sequence[str], table: str) -> int:
    """Return the number of the column of labels, which has to be named in a table of more than two."""
    if shape.label_column is not None:
        return _position(shape.label_column, 1, names, table, "label_column")
    if len(names) == 2:
        id_at = _position(shape.id_column, 0, names, table, "id_column")
        return 1 - id_at
    if len(names) == 1:
        raise InputError(
            f"{table} has one column, so it holds either no ids or no labels. Expected cells separated by commas."
        )
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    raise InputError(
        f"{table} has {len(names)} column{'' if len(names) == 1 else 's'} ({shown}), so it is not clear which one "
        "holds the labels. Pass label_column=…, or label_columns=[…] for columns of 0 and 1."
    )


def _position(wanted: str | int | None, default: int, names: Sequence[str], table: str, argument: str) -> int:
    if wanted is None:
        return default
    if isinstance(wanted, str):
        if wanted not in names:
            raise UnknownNameError(f"{table} has no column {wanted!r}. {nearest(wanted, names)}")
        return list(names).index(wanted)
    if isinstance(wanted, bool) or not isinstance(wanted, int):
        raise InputError(f"{argument}={wanted!r} is not the name or the number of a column.")
    if not 0 <= wanted < len(names):
        raise InputError(f"{argument}={wanted}: {table} has {len(names)} columns, numbered from 0.")
    return wanted


# -- CSV ------------------------------------------------------------------------


def _csv_pairs(path: Path, shape: TableShape, known_ids: Collection[str]) -> Pairs:
    rows = _csv_rows(path)
    width = max(len(row) for row in rows)
    by_name = any(isinstance(own, str) for own in (shape.id_column, shape.label_column, *shape.label_columns))
    if by_name and shape.header is False:
        raise InputError(f"{path.name} is read with header=False, so its columns have no names. Pass numbers.")
    has_header = shape.header if shape.header is not None else by_name or _looks_like_header(rows, shape, known_ids)
    names = [name.strip() for name in rows[0]] if has_header else [f"column {i}" for i in range(width)]
    if not has_header and width > 2 and shape.header is None and shape.label_column is None:
        # The error that follows is to name the columns, whether or not the first row does.
        names[: len(rows[0])] = [name.strip() for name in rows[0]]
    _check_roles(shape, names, path.name)
    wanted = [_position(shape.id_column, 0, names, path.name, "id_column")]
    if shape.label_columns:
        wanted += [_position(own, 0, names, path.name, "label_columns") for own in shape.label_columns]
    else:
        wanted.append(_label_position(shape, names, path.name))
    pairs: Pairs = []
    for number, row in enumerate(rows[1:] if has_header else rows, 2 if has_header else 1):
        if len(row) <= max(wanted):
            raise InputError(
                f"{path.name}, row {number} has {len(row)} cell{'' if len(row) == 1 else 's'}; expected at least "
                f"{max(wanted) + 1}. Correct the row, or pass id_column and label_column."
            )
        cells = [row[i] for i in wanted[1:]]
        if shape.label_columns:
            pairs.append((row[wanted[0]], marked_columns(dict(zip(shape.label_columns, cells, strict=True)), shape)))
        else:
            pairs.append((row[wanted[0]], cells[0]))
    return pairs


def _csv_rows(path: Path) -> list[list[str]]:
    import csv

    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"There is no label table {str(path)!r}. Check the path passed as src.") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{str(path)!r} is not UTF-8 text: {error}. Expected a CSV file of ids and labels.") from None
    except OSError as error:
        raise InputError(f"The label table {str(path)!r} cannot be read: {error}.") from None
    try:
        rows = [row for row in csv.reader(io.StringIO(text)) if row]
    except csv.Error as error:
        raise InputError(f"{str(path)!r} is not a CSV file: {error}.") from None
    if not rows:
        raise InputError(f"{str(path)!r} is empty. Expected a record id and a label in each row.")
    return rows


def _looks_like_header(rows: Sequence[Sequence[str]], shape: TableShape, known_ids: Collection[str]) -> bool:
    """Return whether the first row names columns: it names no record, and its label is in no other row."""
    at = shape.id_column if isinstance(shape.id_column, int) else 0
    label = shape.label_column if isinstance(shape.label_column, int) else int(at == 0)
    first, rest = rows[0], rows[1:]
    if not 0 <= min(at, label) <= max(at, label) < len(first) or first[at].strip() in known_ids or not rest:
        return False
    whole = [row for row in rest if len(row) > max(at, label)]
    return all(row[label] != first[label] for row in whole) and any(
        row[at].strip() in known_ids for row in rest if len(row) > at
    )
