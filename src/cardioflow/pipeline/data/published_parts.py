"""Which record is in which part of a split that is written down in a table."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from cardioflow.errors import InputError, UnknownNameError, nearest
from cardioflow.pipeline.data.record_table import RecordTable, plain
from cardioflow.pipeline.labels.cells import TableShape, is_missing
from cardioflow.pipeline.labels.table_sources import columns_of, pairs_of
from cardioflow.pipeline.record_ids import record_id

__all__ = ["parts_by"]

_USUAL = ("part", "fold")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def parts_by(
    by: Any,
    ids: Sequence[str],
    all_ids: Collection[str],
    table: RecordTable,
    *,
    missing: Literal["raise", "drop"],
    extra: Literal["raise", "ignore"],
) -> dict[str, list[int]]:
    """Return the positions in ``ids`` of the records of each part, by the part's name, sorted.

    Args:
        by: A column of ``table``; the path of a CSV file, a pandas or an Arrow table that has a column ``part`` or
            ``fold``; or a mapping of ids.
        ids: The records.
        all_ids: The records of the whole data set that they are a part of.
        table: What the data set knows of its records.
        missing: Whether a record that is in no part is an error, or is left out.
        extra: Whether a record of the table that is not in the data set is an error.

    Raises:
        InputError: for such records, or for one in two parts.
    """
    for option, value, expected in (("missing", missing, ("raise", "drop")), ("extra", extra, ("raise", "ignore"))):
        if value not in expected:
            raise InputError(f"split({option}={value!r}): expected {expected[0]!r} or {expected[1]!r}.")
    if isinstance(by, str) and by in table:
        part_of = {name: value for name, value in zip(ids, table.column(by, ids), strict=True) if value is not None}
        where = f"the column {by!r}"
    else:
        pairs, where = _pairs(by, table)
        part_of = _by_id(pairs, where)
        _check_extra(part_of, all_ids, where, extra)
    lost = [name for name in ids if name not in part_of]
    if lost and missing == "raise":
        raise InputError(
            f"split(by=…): {where} has no part for {len(lost)} of {len(ids)} records, the first of them {lost[0]!r}. "
            "Add them, or pass missing='drop' to leave them out."
        )
    found: dict[str, list[int]] = {}
    for i, name in enumerate(ids):
        if name in part_of:
            # By its text, which is its name: 1 in one row and "1" in another are one part.
            found.setdefault(_name(part_of[name]), []).append(i)
    if not found:
        raise InputError(f"split(by=…): {where} has a part for none of the records. Check its record ids.")
    return {part: found[part] for part in sorted(found, key=_order)}


def _pairs(by: Any, table: RecordTable) -> tuple[list[tuple[Any, Any]], str]:
    if isinstance(by, Mapping):
        return list(by.items()), "the mapping"
    if isinstance(by, str) and not Path(by).is_file():
        raise UnknownNameError(
            f"split(by={by!r}) is neither a column of the data set's table nor the path of a file. "
            f"{nearest(by, table.names)}"
        )
    if isinstance(by, (str, Path)):
        with Path(by).open(encoding="utf-8-sig") as file:
            names = [cell.strip() for cell in file.readline().split(",")]
        return pairs_of(by, TableShape(id_column=0, label_column=_usual(names, Path(by).name), header=True))
    if hasattr(by, "to_frame"):
        return list(by.items()), f"the {type(by).__name__}"
    columns = columns_of(by, TableShape())
    name = f"the {type(by).__name__}"
    return list(zip(next(iter(columns.values())), columns[_usual(list(columns), name)], strict=True)), name


def _usual(columns: Sequence[str], where: str) -> str:
    own = [name for name in _USUAL if name in columns[1:]]
    if len(own) == 1:
        return own[0]
    if own:
        raise InputError(
            f"split(by=…): {where} has both a column 'part' and a column 'fold'. Pass a mapping of ids to parts."
        )
    raise InputError(
        f"split(by=…): {where} has neither a column 'part' nor a column 'fold'; its columns are "
        f"{', '.join(columns)}. Rename one, or pass a mapping of ids to parts."
    )


def _by_id(pairs: Sequence[tuple[Any, Any]], where: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, part in pairs:
        name = record_id(key)
        if is_missing(part):
            continue
        if name in found and _name(found[name]) != _name(part):
            raise InputError(
                f"split(by=…): {where} has record {name!r} in two parts, {found[name]!r} and {part!r}. Keep one."
            )
        found[name] = part
    return found


def _check_extra(part_of: Mapping[str, Any], known: Collection[str], where: str, extra: str) -> None:
    """Raise for records of the table that the data set lacks: a part without some of its files is another part."""
    lost = [name for name in part_of if name not in known]
    if lost and extra == "raise":
        raise InputError(
            f"split(by=…): {where} lists {len(lost)} record{'' if len(lost) == 1 else 's'} that the data set does not "
            f"hold, the first of them {lost[0]!r}. Add their files, or pass extra='ignore'."
        )


def _name(part: Any) -> str:
    """Return the name of a part; a blank around it, as after the comma in a CSV file, is none of it."""
    return str(plain(part)).strip()


def _order(part: str) -> tuple[int, float, str]:
    """Return what parts are sorted by: numbers by size, and before names."""
    return (0, float(part), "") if _NUMBER.fullmatch(part) else (1, 0.0, part)
