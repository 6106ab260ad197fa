"""A table of labels, read once and joined with the records by their ids."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import PurePosixPath
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import InputError, LabelError, nearest
from cardioflow.pipeline.labels.cells import TableShape, is_missing, labels_of, numbers_of
from cardioflow.pipeline.labels.table_sources import pairs_of
from cardioflow.pipeline.record_ids import record_id

__all__ = ["LabelTable", "MissingLabelError", "TableShape"]

Label = str | tuple[str, ...] | float | tuple[float, ...]

_MOST_NUMBERED_CLASSES: Final = 10
"""More different whole numbers than this are ages or ids more often than numbers of classes."""


class MissingLabelError(LabelError):
    """A record has no label; the nearest labelled ids are looked up when the message is shown.

    Looking them up takes a moment per thousand labels, and a run that skips
    such records never shows most of the messages.
    """

    def __init__(
        self,
        message: str,
        *,
        record: str | None = None,
        step: str | None = None,
        labelled: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, record=record, step=step)
        self._labelled = labelled

    def _message(self) -> str:
        text = super()._message()
        return text if self._labelled is None else f"{text} {nearest(str(self.record), self._labelled)}"

    def __reduce__(self) -> Any:
        # The whole table would go to the parent process with every record.
        make, args, state = super().__reduce__()
        return make, args, {**state, "_labelled": None}


@final
@dataclass(frozen=True)
class LabelTable:
    """The label of each record by its id: one, several, or a number."""

    labels: Mapping[str, Label]
    source: str
    """Where the table came from, for messages."""
    columns: tuple[str, ...] = ()
    """The labels that have a column each, in its order; empty where the labels are in cells."""
    is_numeric: bool = False
    """Whether the labels are numbers, and not classes."""
    drops_missing: bool = False
    """Whether records without a label are to be left out instead of refused."""

    @classmethod
    def read(
        cls,
        source: Any,
        shape: TableShape,
        known_ids: Collection[str] = (),
        needed: Collection[str] | None = None,
    ) -> LabelTable:
        """Return the table in ``source``: a CSV file, a mapping, a pandas or an Arrow table.

        Args:
            source: The table, of which nothing is kept that the caller could change.
            shape: Which columns it has, and how to read them.
            known_ids: The ids of the records, by which a CSV file's header is found.
            needed: The records that a missing label matters for; ``None`` is every record of the table.

        Raises:
            InputError: when the source or its columns are not as ``shape`` says.
            LabelError: when a record has no label, or two and ``several`` is not set.
        """
        if isinstance(source, LabelTable):
            return source
        found, name = pairs_of(source, shape, known_ids)
        if not found:
            raise InputError(f"{name} holds no labels. Expected a record id and a label in each row.")
        pairs = _without_folders(found, known_ids)
        gathered = _numbers(pairs, name) if shape.numeric else _classes(pairs, shape, name)
        missing = [r for r, label in gathered.items() if label is None and (needed is None or r in needed)]
        if missing and shape.missing == "raise":
            raise LabelError(
                f"{name} has no label for {_counted(missing)}. Fill the cells, or pass missing='drop' to leave "
                "those records out."
            )
        labels = {record: label for record, label in gathered.items() if label is not None}
        return cls(labels, name, shape.label_columns, bool(shape.numeric), shape.missing == "drop")

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Every label of the table: in the order of its columns where each label has one, otherwise sorted."""
        if self.columns or self.is_numeric:
            return self.columns
        every: set[str] = set()
        for label in self.labels.values():
            every.update(map(str, label) if isinstance(label, tuple) else (str(label),))
        return tuple(sorted(every))

    def targets(self, ids: Sequence[str]) -> tuple[NDArray[Any], dict[str, MissingLabelError]]:
        """Return the targets of the records ``ids``, ``None`` where there is none, and an error for each such record.

        Args:
            ids: Record ids, one per row; a record cut into segments may be named several times.
        """
        target = np.empty(len(ids), dtype=object)
        missing: dict[str, MissingLabelError] = {}
        for i, record in enumerate(ids):
            target[i] = self.labels.get(record)
            if target[i] is None:
                missing[record] = MissingLabelError(
                    f"{self.source} has no label for record {record!r}. Add it to the table, or leave such records "
                    "out with missing='drop'.",
                    record=record,
                    labelled=self.labels,
                )
        if not self.is_numeric or missing:
            return target, missing
        return np.array(target.tolist(), np.float64), missing

    def check_ids(self, known: Collection[str]) -> None:
        """Check that the table labels one of the records ``known`` at least.

        Raises:
            LabelError: when it labels none of them.
        """
        if self.labels and not any(record in known for record in self.labels):
            raise LabelError(
                f"{self.source} labels none of the records: its ids are {_some(self.labels)}, and the records' are "
                f"{_some(sorted(known))}. Pass id_column=…, or EcgDataset(ids=…)."
            )

    def without_record(self, ids: Iterable[str]) -> list[str]:
        """Return the labelled ids that are not in ``ids``."""
        known = set(ids)
        return [record for record in self.labels if record not in known]


def _classes(pairs: Sequence[tuple[Any, Any]], shape: TableShape, source: str) -> dict[str, Label | None]:
    if shape.numeric is None and not shape.several and not shape.label_columns:
        _refuse_measurements(pairs, source)
    found: dict[str, tuple[str, ...] | None] = {}
    for key, cell in pairs:
        record, labels = _read(key, cell, shape, source)
        if record not in found or found[record] is None:
            found[record] = labels
        elif labels is not None:
            known = found[record] or ()
            if not shape.several and known != labels:
                raise LabelError(
                    f"{source} has two labels for one record: {known[0]!r} and {labels[0]!r}. "
                    "Keep one row per record, or pass several=True.",
                    record=record,
                )
            found[record] = tuple(dict.fromkeys((*known, *labels)))
    if shape.several:
        return dict(found)
    for record, own in found.items():
        if own is not None and len(own) != 1:
            raise LabelError(
                f"{source} has {len(own)} labels for one record: {', '.join(own)}. "
                "Pass several=True where a record may have any number.",
                record=record,
            )
    return {record: None if own is None else own[0] for record, own in found.items()}


def _read(key: Any, cell: Any, shape: TableShape, source: str) -> tuple[str, tuple[str, ...] | None]:
    record = _id(key, source)
    try:
        return record, labels_of(cell, shape)
    except LabelError as error:
        raise LabelError(f"{source}: {error}", record=record) from None


def _numbers(pairs: Sequence[tuple[Any, Any]], source: str) -> dict[str, Label | None]:
    found: dict[str, Label | None] = {}
    for key, cell in pairs:
        record = _id(key, source)
        try:
            number = numbers_of(cell)
        except LabelError as error:
            raise LabelError(f"{source}: {error}", record=record) from None
        if found.get(record) is not None and number is not None and found[record] != number:
            raise LabelError(
                f"{source} has two numbers for one record: {found[record]} and {number}. Keep one row per record.",
                record=record,
            )
        found[record] = number if number is not None else found.get(record)
    sizes = {len(own) if isinstance(own, tuple) else 0: record for record, own in found.items() if own is not None}
    if len(sizes) > 1:
        (n, one), (m, other) = list(sizes.items())[:2]
        raise LabelError(
            f"{source} has {n or 1} numbers for record {one!r} and {m or 1} for {other!r}. Give each as many.",
            record=other,
        )
    return found


def _id(key: Any, source: str) -> str:
    try:
        return record_id(key)
    except InputError as error:
        raise InputError(f"{source}: {error} Pass id_column=… for the column of record ids.") from None


def _without_folders(pairs: Sequence[tuple[Any, Any]], known_ids: Collection[str]) -> Sequence[tuple[Any, Any]]:
    """Return the pairs with file names for ids, where all ids are paths of which the records have the names alone.

    PTB-XL's ``filename_lr`` holds ``records100/00000/00001_lr``.
    """
    if not all(isinstance(key, str) and "/" in key for key, _ in pairs):
        return pairs
    names = [PurePosixPath(key.strip()).name for key, _ in pairs]
    paths = {key.strip() for key, _ in pairs}
    # Two files of one name in different folders are two records.
    if len(set(names)) < len(paths) or not paths.isdisjoint(known_ids) or set(names).isdisjoint(known_ids):
        return pairs
    return [(name, cell) for name, (_, cell) in zip(names, pairs, strict=True)]


def _refuse_measurements(pairs: Sequence[tuple[Any, Any]], source: str) -> None:
    """Raise where all cells are numbers that may be a measurement: one is not whole, or there are many."""
    fraction = None
    numbers = set()
    for _, cell in pairs:
        if is_missing(cell):
            continue
        try:
            number = float(cell)
        except (TypeError, ValueError):
            return
        numbers.add(number)
        if fraction is None and not number.is_integer():
            fraction = cell
    if fraction is None and len(numbers) <= _MOST_NUMBERED_CLASSES:
        return
    which = (
        f"such as {fraction}" if fraction is not None else f"{len(numbers)} different ones, such as {max(numbers):g}"
    )
    raise LabelError(
        f"{source} has numbers for labels, {which}. Pass numeric=True to predict them as numbers, or numeric=False to "
        "take each as the name of a class."
    )


def _some(ids: Iterable[str]) -> str:
    names = list(islice(ids, 4))
    return ", ".join(repr(name) for name in names[:3]) + (", …" if len(names) > 3 else "")


def _counted(records: Sequence[str]) -> str:
    shown = ", ".join(repr(record) for record in records[:5]) + (", …" if len(records) > 5 else "")
    return f"{len(records)} record{'' if len(records) == 1 else 's'}: {shown}"
