"""Joining data sets: the ids of the records, and what is known about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cardioflow.batch.location import Location
from cardioflow.errors import InputError
from cardioflow.pipeline.data.dataset_card import DatasetCard
from cardioflow.pipeline.data.record_table import RecordTable

__all__ = ["Contents", "joined"]


class Contents(NamedTuple):
    """What a data set holds."""

    locations: Mapping[str, Location]
    labels: Mapping[str, Any] | None
    all_ids: frozenset[str]
    table: RecordTable
    cards: tuple[DatasetCard, ...]
    classes: tuple[str, ...] | None


def joined(parts: Sequence[Contents], names: Sequence[str] | None) -> Contents:
    """Return the records of all ``parts``, one after another.

    Args:
        parts: At least one.
        names: The name of each, which goes before its ids as in ``"ptbxl-00001"`` and into the column ``source``;
            ``None`` keeps the ids.

    Raises:
        InputError: when two parts hold a record of one id.
    """
    if names is not None:
        parts = [_named(part, name) for part, name in zip(parts, names, strict=True)]
    locations: dict[str, Location] = {}
    labels: dict[str, Any] = {}
    table = RecordTable()
    for part in parts:
        clashes = [name for name in part.locations if name in locations]
        if clashes:
            raise InputError(
                f"The data sets have {len(clashes)} record id{'' if len(clashes) == 1 else 's'} in common, first "
                f"{clashes[0]!r}. Pass names: EcgDataset.concat({{'first': a, 'second': b}})."
            )
        table = _stacked(table, part.table, frozenset(locations))
        locations |= part.locations
        labels |= part.labels or {}
    # A part knows the labels of the whole that it was taken from, where other records may have the same ids.
    for part in parts:
        own = part.labels or {}
        for name in part.locations:
            if name in own:
                labels[name] = own[name]
            else:
                labels.pop(name, None)
    known = any(part.labels is not None for part in parts)
    cards = tuple(dict.fromkeys(card for part in parts for card in part.cards))
    all_ids = frozenset[str]().union(*(part.all_ids for part in parts))
    classes = parts[0].classes if all(part.classes == parts[0].classes for part in parts) else None
    return Contents(locations, labels if known else None, all_ids, table, cards, classes)


def _named(part: Contents, name: str) -> Contents:
    new = {own: f"{name}-{own}" for own in sorted(part.all_ids)}
    labels = None if part.labels is None else {new[own]: v for own, v in part.labels.items() if own in new}
    source = RecordTable(new.values(), {"source": [name] * len(new)})
    return Contents(
        {new[own]: place for own, place in part.locations.items()},
        labels,
        frozenset(new.values()),
        part.table.renamed(new).with_columns(source),
        part.cards,
        part.classes,
    )


def _stacked(above: RecordTable, below: RecordTable, held: frozenset[str]) -> RecordTable:
    """Return the columns of both; of a record in ``held``, the values of ``above`` count, of others those of ``below``.

    Parts of one data set share a table. Those of different ones may each have a row for records that are left out.
    """
    if above is below or not len(below):
        return above
    if not len(above):
        return below
    ids = list(dict.fromkeys((*above.ids, *below.ids)))
    columns = {}
    for name in dict.fromkeys((*above.names, *below.names)):
        one = above.column(name, ids) if name in above else [None] * len(ids)
        two = below.column(name, ids) if name in below else [None] * len(ids)
        columns[name] = [
            a if b is None or (a is not None and record in held) else b
            for record, a, b in zip(ids, one, two, strict=True)
        ]
    return RecordTable(ids, columns)
