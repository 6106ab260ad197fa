"""Read signals, metadata, annotations or labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import InputError, nearest
from cardioflow.pipeline.data.read_records import READ_COMPONENTS, ReadRecords
from cardioflow.pipeline.expressions import expressions_in
from cardioflow.pipeline.labels.join import JoinLabels
from cardioflow.pipeline.steps.base import Reader

if TYPE_CHECKING:
    from cardioflow.pipeline.data.dataset import EcgDataset

__all__ = ["Load"]

_COMPONENTS = (*READ_COMPONENTS, "target")


@final
@dataclass(frozen=True, init=False, eq=False)
class Load(Reader):
    """Read components of each record: signals, metadata and annotations from files, targets from a table.

    ``load(fmt="wfdb", components=["signal", "meta"])`` reads each record's
    file; ``fmt=None`` recognises the format from the content. Records of a
    packed store, simulations and arrays in memory are read as what they are,
    whatever ``fmt`` is. ``src`` is where the files are if not where the data
    set says: a folder, or a mapping of ids to paths. Options are those of
    ``ReadRequest``: ``start_s``, ``stop_s``, ``channels``, ``ann_ext``,
    ``derive`` (which limb leads are computed), ``strict``, ``identify``,
    ``damaged`` (``"read"`` reads what is whole of a damaged file), and for
    records whose leads have different rates ``common_fs`` or ``group``; and those of the format, where it is named:
    ``load(fmt="npy", fs=500)``, ``load(fmt="muse_xml", waveform="Median")``.

    ``load(src="REFERENCE.csv", components="target")`` joins a table with the
    records by id: a CSV file with or without a header, a mapping, a pandas or
    an Arrow table; without ``src``, the labels that the data set knows. It is
    read once, not per batch. Options are those of ``TableShape``
    (``id_column``, ``label_column``, ``label_columns``, ``separator``,
    ``several``, ``threshold``, ``numeric``, ``missing``, ``header``),
    ``classes`` (all labels, where the table does not show them all) and
    ``extra_labels="ignore"`` for a table that also labels records which the
    data set does not hold. ``missing="drop"`` leaves out records without a
    label.

    Raises:
        FormatError: for a file that cannot be read, naming the record.
        LabelError: for a record without a label, or a label without a record.
    """

    src: Any
    fmt: str | None
    components: tuple[str, ...]
    options: Mapping[str, Any]
    part: ReadRecords | JoinLabels
    """What does the work: one of the two."""

    def __init__(
        self, src: Any = None, fmt: str | None = None, components: str | Sequence[str] | None = None, **options: Any
    ) -> None:
        if components is None:
            chosen: tuple[str, ...] = ("signal", "meta", *(("annotation",) if "ann_ext" in options else ()))
        else:
            chosen = (components,) if isinstance(components, str) else tuple(components)
        _refuse_expressions({"src": src, "fmt": fmt, "components": chosen, **options})
        _check_components(chosen)
        part: ReadRecords | JoinLabels
        if chosen == ("target",):
            if fmt not in (None, "csv"):
                raise InputError(f"load(fmt={fmt!r}, components='target'): targets are read from 'csv' or a table.")
            part = JoinLabels(src, options)
        else:
            part = ReadRecords(src, fmt, chosen, options)
        values = {"src": src, "fmt": fmt, "components": chosen, "options": options, "part": part}
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def bind(self, dataset: EcgDataset) -> Load:
        """Return the step with its table of labels read and compared with the records, or its mapping copied."""
        if isinstance(self.part, ReadRecords):
            if not isinstance(self.src, Mapping):
                return self
            return Load(dict(self.src), self.fmt, self.components, **self.options)
        bound = Load(self.src, self.fmt, self.components, **self.options)
        part = self.part
        if self.src is None and dataset.classes is not None and "classes" not in self.options:
            part = replace(part, options={**part.options, "classes": dataset.classes})
        object.__setattr__(bound, "part", part.bound(dataset.labels, dataset.ids, dataset.all_ids))
        return bound

    def content(self) -> Any:
        table = self.part.table if isinstance(self.part, JoinLabels) else None
        return None if table is None else (dict(table.labels), table.columns, table.is_numeric)

    def __call__(self, batch: EcgBatch) -> EcgBatch:
        return self.part(batch).replace(history=(*batch.history, self.action_name))

    def __str__(self) -> str:
        given = [f"{k}={v!r}" for k, v in (("src", self.src), ("fmt", self.fmt)) if isinstance(v, (str, Path))]
        return f"load({', '.join([*given, f'components={list(self.components)}'])})"


def _refuse_expressions(arguments: Mapping[str, Any]) -> None:
    for name, value in arguments.items():
        if any(True for _ in expressions_in(value)):
            raise InputError(
                f"load({name}={value!r}) has no value here: expressions are known in a pipeline. Pass the value, or "
                "write the step in a pipeline: dataset >> Pipeline().load(…)."
            )


def _check_components(components: Sequence[str]) -> None:
    for name in components:
        if name not in _COMPONENTS:
            raise InputError(f"load(components={name!r}): there is no such component. {nearest(name, _COMPONENTS)}")
    if not components:
        raise InputError(f"load(components=[]): nothing to load. Pass some of {', '.join(_COMPONENTS)}.")
    if "target" in components and len(components) > 1:
        raise InputError(
            f"load(components={list(components)}): targets come from a table and the others from files. "
            "Write two steps, the second with components='target'."
        )
