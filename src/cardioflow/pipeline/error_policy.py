"""A bad record never takes the run down, and never vanishes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from cardioflow.batch.ecg_batch import Skipped
from cardioflow.errors import BadRecordsError, CardioFlowError, StepError

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch

__all__ = ["apply"]


def apply(action: Callable[[EcgBatch], EcgBatch], batch: EcgBatch, *, step: str, on_error: str) -> EcgBatch:
    """Return ``action(batch)``; with ``on_error="skip"`` without the records that it cannot take.

    Each record left out is listed in the result's ``skipped`` with its reason.
    An error that names no record is no record's fault and is raised all the
    same; somebody else's exception is traced to its record by trying each alone.

    Raises:
        CardioFlowError: with ``step`` in it, for what is not skipped.
    """
    while True:
        try:
            return action(batch)
        except Exception as caught:  # noqa: BLE001 -- a step may run anybody's function
            error = _ours(caught, step)
            if on_error != "skip":
                raise _single(error) from (caught if error is not caught else caught.__cause__)
            reasons = _reasons(error, action, batch, step)
            if not reasons:
                raise _single(error) from (caught if error is not caught else caught.__cause__)
        bad = np.array([_reason_of(batch, i, reasons) is not None for i in range(len(batch))])
        skipped = [
            Skipped(batch.provenance.record_id[i], step, reason)
            for i in range(len(batch))
            if (reason := _reason_of(batch, i, reasons)) is not None
        ]
        batch = batch.take(~bad)
        batch = batch.replace(skipped=(*batch.skipped, *skipped))


def _ours(error: Exception, step: str) -> CardioFlowError:
    if not isinstance(error, CardioFlowError):
        wrapped = StepError(f"{type(error).__name__}: {error}", step=step)
        wrapped.__cause__ = error
        return wrapped
    for inner in error.reasons.values() if isinstance(error, BadRecordsError) else (error,):
        # The pipeline knows the step better than the action does: by its number and its arguments.
        inner.step = step
    return error


def _single(error: CardioFlowError) -> CardioFlowError:
    return error.first() if isinstance(error, BadRecordsError) else error


def _reasons(
    error: CardioFlowError, action: Callable[[EcgBatch], EcgBatch], batch: EcgBatch, step: str
) -> dict[str, CardioFlowError]:
    """Return the error of each record at fault, by the row's id or its record's; empty when none is."""
    if isinstance(error, BadRecordsError):
        return error.reasons
    known = {*batch.ids, *batch.provenance.record_id}
    if error.record in known:
        return {str(error.record): error}
    if not isinstance(error, StepError):
        return {}
    found: dict[str, CardioFlowError] = {}
    for row in batch:
        try:
            action(row)
        except Exception as caught:  # noqa: BLE001 -- the same exception as before, of one record
            found[row.ids[0]] = _ours(caught, step)
            found[row.ids[0]].record = row.provenance.record_id[0]
    return found


def _reason_of(batch: EcgBatch, i: int, reasons: dict[str, CardioFlowError]) -> CardioFlowError | None:
    return reasons.get(batch.ids[i]) or reasons.get(batch.provenance.record_id[i])
