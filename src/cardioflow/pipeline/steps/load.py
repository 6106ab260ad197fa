"""Read signals, metadata, annotations or labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.meta import Meta
from cardioflow.batch.ragged import Ragged
from cardioflow.errors import CardioFlowError, FormatError, InputError, LabelError, nearest, raise_bad_records
from cardioflow.io.base import Record
from cardioflow.io.reading import check_options, read_each, request_for
from cardioflow.pipeline.labels import LabelTable, TableShape
from cardioflow.pipeline.packing import is_packed
from cardioflow.pipeline.steps.base import Reader
from cardioflow.registry import formats

if TYPE_CHECKING:
    from cardioflow.pipeline.dataset import EcgDataset

__all__ = ["Load"]

_FROM_FILES = ("signal", "meta", "annotation")
_TABLE_OPTIONS = tuple(f.name for f in fields(TableShape))


@final
@dataclass(frozen=True, init=False, eq=False)
class Load(Reader):
    """Read components of each record: signals, metadata and annotations from files, targets from a table.

    ``load(fmt="wfdb", components=["signal", "meta"])`` reads each record's
    file; ``fmt=None`` recognises the format from the content. ``src`` says
    where else the files are: a folder, or a mapping of ids to paths. Options
    are those of ``ReadRequest``: ``start_s``, ``stop_s``, ``channels``,
    ``ann_ext``, ``strict``, ``identify``, and for records whose leads have
    different rates ``common_fs`` or ``group``; and those of the format, where
    it is named: ``load(fmt="npy", fs=500)``, ``load(fmt="muse_xml",
    waveform="Median")``.

    ``load(src="REFERENCE.csv", fmt="csv", components="target")`` joins a table
    with the records by id: a CSV file with or without a header, a mapping, a
    pandas or an Arrow table; without ``src``, the labels that the data set
    knows. It is read once, not per batch. Options are those of
    ``TableShape`` (``id_column``, ``label_column``, ``separator``,
    ``several``, ``header``), ``classes`` (all labels, where the table does not
    show them all) and ``extra_labels="ignore"`` for a table that also labels
    records which the data set does not hold.

    Raises:
        FormatError: for a file that cannot be read, naming the record.
        LabelError: for a record without a label, or a label without a record.
    """

    src: Any
    fmt: str | None
    components: tuple[str, ...]
    options: Mapping[str, Any]
    table: LabelTable | None

    def __init__(
        self, src: Any = None, fmt: str | None = None, components: str | Sequence[str] | None = None, **options: Any
    ) -> None:
        if components is None:
            chosen: tuple[str, ...] = ("signal", "meta", *(("annotation",) if "ann_ext" in options else ()))
        else:
            chosen = (components,) if isinstance(components, str) else tuple(components)
        self._set(src=src, fmt=fmt, components=chosen, options=options, table=None)
        self._check()

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _check(self) -> None:
        every = (*_FROM_FILES, "target")
        for name in self.components:
            if name not in every:
                raise InputError(f"load(components={name!r}): there is no such component. {nearest(name, every)}")
        if not self.components:
            raise InputError(f"load(components=[]): nothing to load. Name some of {', '.join(every)}.")
        if "target" in self.components and len(self.components) > 1:
            raise InputError(
                f"load(components={list(self.components)}): targets come from a table and the others from files. "
                "Write two steps, the second with components='target'."
            )
        if self.components == ("target",):
            allowed = (*_TABLE_OPTIONS, "classes", "extra_labels")
            for name in self.options:
                if name not in allowed:
                    known = (*allowed, "components", "fmt", "src")
                    raise InputError(f"load() takes no {name!r} for {list(self.components)}. {nearest(name, known)}")
            if self.fmt not in (None, "csv"):
                raise InputError(
                    f"load(fmt={self.fmt!r}, components='target'): targets are read from 'csv' or a table."
                )
            return
        check_options(self.fmt, self.options)
        request_for(self.components, self.options)

    def bind(self, dataset: EcgDataset) -> Load:
        """Return the step with its table of labels read and held against the records."""
        if self.components != ("target",):
            return self
        source = self.src if self.src is not None else dataset.labels
        table = self._table(source, dataset.every_id)
        if not set(table.labels) & dataset.every_id:
            raise LabelError(
                f"{table.source} labels no record of the data set: it knows {_some(table.labels)}, and the records are "
                f"{_some(dataset.ids)}. Say id_column, or give EcgDataset(ids=…)."
            )
        extra = table.without_record(dataset.every_id)
        if extra and self.options.get("extra_labels") != "ignore":
            raise LabelError(
                f"{table.source} labels {len(extra)} records that the data set does not hold, the first of them "
                f"{extra[0]!r}. Add their files, or say load(…, extra_labels='ignore').",
            )
        bound = Load(self.src, self.fmt, self.components, **self.options)
        bound._set(table=table)
        return bound

    def _table(self, source: Any, known_ids: frozenset[str]) -> LabelTable:
        if source is None:
            raise InputError("load(components='target') has no src, and the data set knows no labels. Give src=….")
        shape = TableShape(**{k: v for k, v in self.options.items() if k in _TABLE_OPTIONS})
        return LabelTable.read(source, shape, known_ids)

    def __call__(self, batch: EcgBatch) -> EcgBatch:
        done = self._targets(batch) if self.components == ("target",) else self._files(batch)
        return done.replace(history=(*batch.history, self.action_name))

    def _targets(self, batch: EcgBatch) -> EcgBatch:
        table = self.table or self._table(self.src, frozenset(batch.provenance.record_id))
        target, missing = table.targets(batch.provenance.record_id)
        raise_bad_records(missing)
        classes = self.options.get("classes")
        if classes is not None:
            unknown = set(table.classes) - set(classes)
            if unknown:
                raise LabelError(f"{table.source} has labels that classes={list(classes)} lacks: {sorted(unknown)}.")
        return batch.replace(target=target, classes=tuple(classes) if classes is not None else table.classes)

    def _files(self, batch: EcgBatch) -> EcgBatch:
        if not len(batch):
            return batch
        request = request_for(self.components, self.options)
        # Records of a packed store are read as such, whatever format they were packed from.
        if self.src is None and batch.paths is not None and is_packed(str(batch.paths[0])):
            together = formats.get("packed")().read_columns(batch.paths, request)
            held = {"signal": together.signal, "meta": together.meta, "annotation": together.annotation}
            return batch.replace(**{k: v for k, v in held.items() if v is not None})
        found = read_each([self._path(batch, i) for i in range(len(batch))], self.fmt, request, self.options)
        errors: dict[str, CardioFlowError] = {}
        records: list[Record] = []
        for name, record in zip(batch.ids, found, strict=True):
            if isinstance(record, FormatError):
                record.record = name
                errors[name] = record
            else:
                records.append(record)
        raise_bad_records(errors)
        return _assemble(batch, records, self.components)

    def _path(self, batch: EcgBatch, i: int) -> Path:
        if isinstance(self.src, Mapping):
            if batch.ids[i] not in self.src:
                raise InputError(f"load(src=…) has no path. {nearest(batch.ids[i], self.src)}", record=batch.ids[i])
            return Path(self.src[batch.ids[i]])
        if batch.paths is None:
            raise InputError("The batch was not made from files, so there is nothing to load. Use an EcgDataset.")
        found = batch.paths[i]
        path = found if isinstance(found, Path) else Path(found)
        return path if self.src is None else Path(self.src) / path.name

    def __str__(self) -> str:
        given = [f"{k}={v!r}" for k, v in (("src", self.src), ("fmt", self.fmt)) if isinstance(v, (str, Path))]
        return f"load({', '.join([*given, f'components={list(self.components)}'])})"


def _assemble(batch: EcgBatch, records: list[Record], components: tuple[str, ...]) -> EcgBatch:
    changes: dict[str, Any] = {}
    if "signal" in components:
        changes["signal"] = Ragged.from_arrays([_signal(r) for r in records])
    if "meta" in components or "signal" in components:
        # The rate and the leads go with the samples, asked for or not: no action is right without them.
        rows = [{"fs": float(r.fs), "leads": r.leads, "units": r.units, **r.meta} for r in records]
        changes["meta"] = Meta.from_rows(rows)
    if "annotation" in components:
        changes["annotation"] = tuple(r.annotation for r in records)
    return batch.replace(**changes)


def _signal(record: Record) -> Any:
    return record.signal if record.signal is not None else np.empty((len(record.leads), 0), np.float32)


def _some(ids: Any) -> str:
    names = list(ids)[:3]
    return ", ".join(repr(n) for n in names) + (", …" if len(ids) > 3 else "")
