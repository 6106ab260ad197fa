"""Several versions of each record in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.core.random_keys import segment_keys
from cardioflow.errors import InputError
from cardioflow.pipeline.steps._nested import NestedStep, PureSteps, bare, check_components, component_names

__all__ = ["MergePipelines"]


@final
@dataclass(frozen=True, init=False, eq=False)
class MergePipelines(NestedStep):
    """Put the rows that each of ``pipelines`` makes of the batch's records beside the batch's own rows.

    A pipeline that begins with ``load`` starts from the records themselves;
    any other goes on from the batch. A batch with nothing loaded gives no rows
    of its own, so that ``Pipeline().merge(a, b)`` has those of ``a`` and ``b``.

    Rows of one record follow one another. Where there are several, they are
    numbered through their record, as segments are (``"A00001/0"``,
    ``"A00001/1"``), so that ``predict_on_batch`` averages over them. Every
    pipeline draws random numbers of its own; the first rows draw those that
    they would draw alone.

    Args:
        *pipelines: Templates of pure steps.

    Raises:
        InputError: naming a step that is not pure; or in a run, when only some of the rows have a component.
    """

    def __init__(self, *pipelines: Any) -> None:
        if not pipelines:
            raise InputError("merge() got no pipeline. Pass at least one.")
        object.__setattr__(self, "parts", tuple(PureSteps.of(p, "merge") for p in pipelines))

    def __call__(self, batch: EcgBatch) -> EcgBatch:
        own = [batch] if component_names(batch) else []
        branches = [*own, *(self._branch(batch, part, i) for i, part in enumerate(self.parts, len(own)))]
        check_components(branches, "merge")
        merged = type(batch).concat([branch.replace(skipped=()) for branch in branches])
        return self._after(batch, _in_order(batch, merged, branches).replace(skipped=batch.skipped))

    @staticmethod
    def _branch(batch: EcgBatch, part: PureSteps, number: int) -> EcgBatch:
        start = bare(batch, "merge") if part.begins_with_load else batch
        if number:
            key = segment_keys(start.provenance.key, np.full(len(start), number))
            start = start.replace(provenance=replace(start.provenance, key=key))
        return part(start)

    def __str__(self) -> str:
        return f"merge_pipelines({len(self.parts)} pipelines)"


def _in_order(batch: EcgBatch, merged: EcgBatch, branches: Sequence[EcgBatch]) -> EcgBatch:
    """Return the rows record by record, and numbered where several branches have rows of a record."""
    place = {record: i for i, record in reversed(list(enumerate(batch.provenance.record_id)))}
    order = np.argsort([place[record] for record in merged.provenance.record_id], kind="stable")
    merged = merged.take(order)
    records = merged.provenance.record_id
    sources = [set(branch.provenance.record_id) for branch in branches]
    shared = {record for record in set(records) if sum(record in own for own in sources) > 1}
    if not shared:
        return merged
    ids, segment, total = list(merged.ids), merged.provenance.segment.copy(), merged.provenance.n_segments.copy()
    counts: dict[str, list[int]] = {}
    for i, record in enumerate(records):
        if record in shared:
            counts.setdefault(record, []).append(i)
    for record, rows in counts.items():
        for number, i in enumerate(rows):
            ids[i] = f"{record}/{number}"
            segment[i], total[i] = number, len(rows)
    return merged.replace(ids=tuple(ids), provenance=replace(merged.provenance, segment=segment, n_segments=total))
