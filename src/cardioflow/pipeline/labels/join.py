"""Joining a table of labels with the records of a batch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, final

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import InputError, LabelError, nearest, raise_bad_records
from cardioflow.pipeline.labels.table import LabelTable, TableShape

__all__ = ["JoinLabels", "shape_of_known", "table_shape", "without_shape"]

_SHAPE_OPTIONS = tuple(f.name for f in fields(TableShape))
_OPTIONS = (*_SHAPE_OPTIONS, "classes", "extra_labels")


def table_shape(options: Mapping[str, Any]) -> TableShape:
    """Return the shape of a table that ``options`` describe; other options are not looked at."""
    return TableShape(**{name: value for name, value in options.items() if name in _SHAPE_OPTIONS})


def shape_of_known(labels: Mapping[str, Any] | None, options: Mapping[str, Any]) -> TableShape:
    """Return the shape of the labels that a data set knows: tuples are several labels of a record, as they were packed.

    Args:
        labels: The label of each record by id.
        options: As for ``table_shape``; they override what the labels suggest.

    Raises:
        LabelError: for several numbers per record that are not said to be numbers.
    """
    if options.get("numeric") is None and any(map(_is_vector, (labels or {}).values())):
        raise LabelError(
            "The data set's labels are several numbers per record. Pass load(components='target', numeric=True) to "
            "predict them as numbers."
        )
    several = not options.get("numeric") and any(isinstance(label, tuple) for label in (labels or {}).values())
    return table_shape({"several": True, **options} if several else options)


def _is_vector(label: Any) -> bool:
    return isinstance(label, tuple) and bool(label) and all(isinstance(part, float) for part in label)


def without_shape(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of ``options`` that do not describe a table."""
    return {name: value for name, value in options.items() if name not in _SHAPE_OPTIONS}


def _classes_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the option ``classes`` in the order of the target's columns, where it is given.

    Raises:
        InputError: when it is a text, or names a class twice.
    """
    given = options.get("classes")
    if given is None:
        return {}
    if isinstance(given, (str, bytes)):
        raise InputError(f"load(classes={given!r}) is text. Pass a list of the classes, such as [{given!r}].")
    # The order of a set changes from process to process, and the columns of the target with it.
    classes = tuple(sorted(given, key=str) if isinstance(given, (set, frozenset)) else given)
    if len(set(classes)) < len(classes):
        raise InputError(f"load(classes={list(classes)}) has a class twice. Pass each once.")
    return {"classes": classes}


@final
@dataclass(frozen=True, eq=False)
class JoinLabels:
    """Adds the target of each record to a batch, from a table that is read once, by ``bound``.

    Raises:
        InputError: for an unknown option.
    """

    src: Any = None
    """The table, as ``LabelTable.read`` takes it; ``None`` is the labels that the data set knows."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Those of ``TableShape``, ``classes`` and ``extra_labels``."""
    table: LabelTable | None = None
    """The table, once it is read."""

    def __post_init__(self) -> None:
        for name in self.options:
            if name not in _OPTIONS:
                known = (*_OPTIONS, "components", "fmt", "src")
                raise InputError(f"load() takes no {name!r} for components='target'. {nearest(name, known)}")
        if self.options.get("extra_labels") not in (None, "raise", "ignore"):
            raise InputError(f"load(extra_labels={self.options['extra_labels']!r}): expected 'raise' or 'ignore'.")
        table_shape(self.options)
        object.__setattr__(self, "options", {**self.options, **_classes_of(self.options)})

    def bound(self, labels: Mapping[str, Any] | None, ids: Collection[str], all_ids: Collection[str]) -> JoinLabels:
        """Return the step with its table read and compared with the records.

        Args:
            labels: The labels that the data set knows.
            ids: The ids of the records. A label may be missing from others.
            all_ids: The ids of the whole data set that they are a part of. A table may label any of them.

        Raises:
            LabelError: for labels of other records, or outside ``classes``.
        """
        source, shape = self.src, table_shape(self.options)
        if source is None:
            source, shape = labels, shape_of_known(labels, self.options)
        table = self._read(source, shape, all_ids, frozenset(ids))
        table.check_ids(all_ids)
        extra = table.without_record(all_ids)
        if extra and self.options.get("extra_labels") != "ignore":
            raise LabelError(
                f"{table.source} labels {len(extra)} record{'' if len(extra) == 1 else 's'} that the data set does not "
                f"hold, the first of them {extra[0]!r}. Add their files, or pass extra_labels='ignore'.",
            )
        return replace(self, table=table)

    def _read(self, source: Any, shape: TableShape, all_ids: Collection[str], ids: Collection[str]) -> LabelTable:
        if source is None:
            raise InputError(
                "load(components='target') has no table, and the data set has no labels. Pass load(src=…), or "
                "EcgDataset(labels=…)."
            )
        table = LabelTable.read(source, shape, all_ids, ids)
        classes = self.options.get("classes")
        if classes is not None and (unknown := set(table.classes) - set(classes)):
            raise LabelError(f"{table.source} has labels that classes={list(classes)} lacks: {sorted(unknown)}.")
        return table

    def __call__(self, batch: EcgBatch) -> EcgBatch:
        """Return ``batch`` with its targets and classes.

        Raises:
            MissingLabelError: for a record without a label.
            BadRecordsError: for several of them.
        """
        # Rows may be segments, or have been renamed; the label is the whole record's.
        ids = batch.provenance.record_id
        table = self.table or self._read(self.src, table_shape(self.options), frozenset(ids), frozenset(ids))
        if table.drops_missing:
            batch = batch.take([i for i, record in enumerate(batch.provenance.record_id) if record in table.labels])
        target, missing = table.targets(batch.provenance.record_id)
        raise_bad_records(missing)
        classes = self.options.get("classes")
        named = table.classes if classes is None else tuple(classes)
        return batch.replace(target=target, classes=None if table.is_numeric else named)
