"""The parts of each record from several pipelines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from cardioflow.batch.columns import Kind
from cardioflow.batch.columns.static import Static
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.core.equality import same
from cardioflow.errors import InputError, nearest
from cardioflow.pipeline.steps._nested import NestedStep, PureSteps, bare, component_names

__all__ = ["Join"]

_TIME = ("time series", "events")


@final
@dataclass(frozen=True, init=False, eq=False)
class Join(NestedStep):
    """Add to each row the components that ``pipelines`` make of its record.

    A pipeline that begins with ``load`` starts from the records themselves;
    any other goes on from the batch. Rows are matched by their ids, and a row
    that one of the pipelines leaves out is left out. Random steps draw the same
    numbers as they would in the pipeline alone, so that two parts that are
    cropped at random are cropped alike.

    Args:
        *pipelines: Templates of pure steps.
        components: Which components are added: a name, several, or a mapping of their names in the pipeline to
            those in the batch, such as ``{"signal": "filtered"}``. By default all that the batch does not have.
        kind: The kind of what is added, as in ``with_component``, for a part that does not follow the time of the
            signal: ``kind="static"``. By default what it is in its pipeline.

    Raises:
        InputError: naming a step that is not pure; or in a run, when a component already exists, when rows cannot
            be matched, or when a component that follows time has not the sampling rate, the start and the length of
            the signal.
    """

    components: Mapping[str, str] | None
    kind: Kind | None

    def __init__(
        self,
        *pipelines: Any,
        components: str | Sequence[str] | Mapping[str, str] | None = None,
        kind: Kind | None = None,
    ) -> None:
        if not pipelines:
            raise InputError("join() got no pipeline. Pass at least one.")
        if components is not None and len(pipelines) > 1:
            raise InputError(
                f"join(components={components!r}) names what to take from one pipeline, and got {len(pipelines)}. "
                "Write one join for each."
            )
        if kind not in (None, "static", *_TIME):
            raise InputError(f"join(kind={kind!r}): expected 'static', 'time series' or 'events'.")
        names = (components,) if isinstance(components, str) else components
        chosen = names if names is None or isinstance(names, Mapping) else {name: name for name in names}
        object.__setattr__(self, "parts", tuple(PureSteps.of(p, "join") for p in pipelines))
        object.__setattr__(self, "components", chosen)
        object.__setattr__(self, "kind", kind)

    def __call__(self, batch: EcgBatch) -> EcgBatch:
        made = [part(bare(batch, "join") if part.begins_with_load else batch) for part in self.parts]
        rows, joined = _matched(batch, made)
        for other in rows:
            joined = self._added(joined, other, before=batch)
        return self._after(batch, joined)

    def _added(self, batch: EcgBatch, other: EcgBatch, before: EcgBatch) -> EcgBatch:
        there, found = component_names(batch), component_names(other)
        if self.components is None:
            old = component_names(before)
            chosen = {name: name for name in found if name not in old}
            if not chosen and len(batch):
                raise InputError(
                    f"join(): its pipeline makes no component that the batch does not have ({', '.join(found)}). "
                    "Pass components={'signal': 'another name'}."
                )
        else:
            chosen = dict(self.components)
        for name in chosen:
            if name not in found:
                raise InputError(f"join(): its pipeline makes no component {name!r}. {nearest(name, found)}")
        has_signal = batch.signal is not None
        # The signal first: what follows time is compared with it.
        for name in sorted(chosen, key=lambda n: (n != "signal", n != "meta")):
            target = chosen[name]
            if target in there:
                if same(_value(batch, target), _value(other, name)) or _equal_meta(batch, other, target, name):
                    if target == name == "target":
                        _check_classes(batch, other)
                    continue
                raise InputError(
                    f"join(): the batch has a component {target!r} already, with other values. "
                    f"Pass components={{{name!r}: 'another name'}}."
                )
            batch = self._with(batch, other, name, target, has_signal=has_signal)
        return batch

    def _with(self, batch: EcgBatch, other: EcgBatch, name: str, target: str, *, has_signal: bool) -> EcgBatch:
        column = other.column(name)
        kind = self.kind or column.kind
        if kind in _TIME and has_signal:
            _check_time(batch, other, name)
            if column.kind == "time series":
                _check_leads(batch, other, name)
        if name == "signal" == target:
            if batch.meta is not None and not _same_leads(batch, other):
                raise InputError("join(): the signal has other leads or another rate than the batch's meta says.")
            return batch.replace(signal=other.signal, provenance=other.provenance)
        if target == "target":
            return (
                batch.replace(target=other.target, classes=other.classes)
                if name == "target"
                else batch.replace(target=np.asarray(_value(other, name)))
            )
        if target in ("signal", "annotation", "meta"):
            return batch.with_component(target, _value(other, name))
        if kind == column.kind and name not in ("signal", "annotation"):
            return batch.with_component(target, column)
        return batch.with_component(
            target, Static(_value(other, name)) if kind == "static" else _value(other, name), kind
        )

    def __str__(self) -> str:
        return f"join({len(self.parts)} pipelines)"


def _value(batch: EcgBatch, name: str) -> Any:
    return batch.component(name)


def _equal_meta(batch: EcgBatch, other: EcgBatch, target: str, name: str) -> bool:
    if not target == name == "meta":
        return False
    return all(same(dict(a), dict(b)) for a, b in zip(batch.component("meta"), other.component("meta"), strict=True))


def _check_classes(batch: EcgBatch, other: EcgBatch) -> None:
    """Check that equal targets mean the same: the columns of one are in the order of its classes."""
    if batch.classes != other.classes:
        raise InputError(
            f"join(): the batch already has a target, of the classes {batch.classes}, and its pipeline has the classes "
            f"{other.classes}. Load the labels of both from one table, or pass components= without 'target'."
        )


def _check_leads(batch: EcgBatch, other: EcgBatch, name: str) -> None:
    """Check that rows of ``name`` are the leads that the metadata of ``batch`` says: it keeps no leads of its own.

    A component of other leads, such as one of them alone, is not compared, and neither is one without metadata.
    """
    if batch.meta is None or other.meta is None:
        return
    pairs = zip(batch.component("meta"), other.component("meta"), strict=True)
    for i, (here, there) in enumerate(pairs):
        ours, theirs = tuple(here.get("leads") or ()), tuple(there.get("leads") or ())
        if ours != theirs and sorted(ours) == sorted(theirs):
            raise InputError(
                f"join(): the leads of the component {name!r} are in the order {', '.join(theirs)}, and the batch's in "
                f"the order {', '.join(ours)}. Call reorder_channels in one of them.",
                record=batch.ids[i],
            )
        units = dict(zip(ours, here.get("units") or (), strict=False))
        for lead, unit in zip(theirs, there.get("units") or (), strict=False):
            if units.get(lead, unit) != unit:
                raise InputError(
                    f"join(): lead {lead} of the component {name!r} is in {unit}, and the batch's in {units[lead]}. "
                    "Call convert_units in one of them.",
                    record=batch.ids[i],
                )


def _same_leads(batch: EcgBatch, other: EcgBatch) -> bool:
    if other.meta is None:
        return True
    pairs = zip(batch.component("meta"), other.meta, strict=True)
    return all(same(a.get(key), b.get(key)) for a, b in pairs for key in ("fs", "leads", "units"))


def _matched(batch: EcgBatch, made: Sequence[EcgBatch]) -> tuple[list[EcgBatch], EcgBatch]:
    """Return the rows that all have, in the order of ``batch``: those of ``made``, and those of ``batch``.

    Raises:
        InputError: when one has other rows of a record than the batch.
    """
    if all(other.ids == batch.ids for other in made):
        return list(made), batch
    places = [{name: i for i, name in enumerate(other.ids)} for other in made]
    for other, own in zip(made, places, strict=True):
        _check_rows(batch, other, own)
    kept = [i for i, name in enumerate(batch.ids) if all(name in own for own in places)]
    names = [batch.ids[i] for i in kept]
    rows = [other.take(np.array([own[n] for n in names], np.intp)) for other, own in zip(made, places, strict=True)]
    return rows, batch.take(np.array(kept, np.intp))


def _check_rows(batch: EcgBatch, other: EcgBatch, places: Mapping[str, int]) -> None:
    here, records = set(batch.ids), set(other.provenance.record_id)
    lost = [n for n, r in zip(batch.ids, batch.provenance.record_id, strict=True) if n not in places and r in records]
    mine = set(batch.provenance.record_id)
    extra = [n for n, r in zip(other.ids, other.provenance.record_id, strict=True) if n not in here and r in mine]
    if lost or extra or len(places) < len(other.ids):
        raise InputError(
            f"join(): its pipeline makes other rows of a record ({', '.join(map(repr, (extra or other.ids)[:2]))}, …) "
            f"than the batch has ({', '.join(map(repr, batch.ids[:2]))}, …). Cut and unstack in both or in neither."
        )


def _check_time(batch: EcgBatch, other: EcgBatch, name: str) -> None:
    """Check that what follows time in ``other`` has the time of the signal of ``batch``.

    Raises:
        InputError: naming the first record of which it does not.
    """
    if other.meta is None:
        raise InputError(
            f"join(): the component {name!r} follows time, and its pipeline does not know the sampling rate. "
            "Load 'meta' with it."
        )
    assert batch.signal is not None  # noqa: S101 -- the caller asks only then
    starts = zip(batch.provenance.segment_start_s, other.provenance.segment_start_s, strict=True)
    right = (batch.fs == other.fs) & np.array([np.array_equal(a, b) for a, b in starts], np.bool_)
    if other.signal is not None:
        right &= batch.signal.lengths == other.signal.lengths
    if not right.all():
        i = int(np.flatnonzero(~right)[0])
        raise InputError(
            f"join(): the component {name!r} does not run along the signal: its sampling rate ({other.fs[i]:g} Hz, the "
            f"signal's is {batch.fs[i]:g} Hz), its start or its length differs. Resample and cut both alike, or pass "
            "kind='static' for a part that does not follow the signal.",
            record=batch.ids[i],
        )
