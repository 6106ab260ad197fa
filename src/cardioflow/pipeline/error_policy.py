"""What happens to a record that a step cannot take: it never takes the run down unasked, and never vanishes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

from cardioflow.batch.ecg_batch import Skipped
from cardioflow.core.interrupts import raise_interrupt
from cardioflow.errors import BadRecordsError, CardioFlowError, StepError

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch

__all__ = ["OnError", "apply", "leave_out", "settle"]

OnError = Literal["raise", "skip"]
Reasons = Mapping[str, CardioFlowError]


def apply(
    action: Callable[[EcgBatch], EcgBatch], batch: EcgBatch, *, step: str, on_error: OnError, probes: bool
) -> EcgBatch:
    """Return ``action(batch)``; with ``on_error="skip"`` without the records that it cannot take.

    Each record left out is listed in the result's ``skipped`` with its reason.
    An error that does not name a record is not skipped: it is raised all the
    same. An exception that is not ours is traced to its record by trying each
    alone, where ``probes`` says that the action has no effect besides its
    result; otherwise the error names the records of the batch.

    Raises:
        CardioFlowError: with ``step`` in it, for what is not skipped.
    """
    while True:
        try:
            return action(batch)
        except Exception as caught:  # noqa: BLE001 -- a step may run anybody's function
            raise_interrupt(caught)
            error = _ours(caught, step, None if probes else batch)
            reasons = _reasons(error, batch)
            if not reasons and probes and on_error == "skip" and isinstance(error, StepError):
                reasons = _probed(action, batch, step)
            if on_error != "skip" or not reasons:
                cause = caught if error is not caught else caught.__cause__
                raise (error.first() if isinstance(error, BadRecordsError) else error) from cause
        batch = leave_out(batch, reasons, step)
        if not len(batch):
            # Nothing is left to act on, and some actions, such as training, refuse an empty batch.
            return batch


def settle(reasons: Reasons, batch: EcgBatch, *, step: str, on_error: OnError) -> EcgBatch:
    """Return ``batch`` without the rows in ``reasons``, which a step has refused one by one.

    Raises:
        CardioFlowError: with ``step`` in it, for the first of them, where errors are not skipped.
    """
    if not reasons:
        return batch
    for error in reasons.values():
        error.step = step
    if on_error != "skip":
        raise BadRecordsError(reasons).first()
    return leave_out(batch, reasons, step)


def leave_out(batch: EcgBatch, reasons: Reasons, step: str) -> EcgBatch:
    """Return ``batch`` without the rows that ``reasons`` names, by row or by record, which are listed as skipped."""
    kept: list[int] = []
    skipped: list[Skipped] = []
    for i, (row, record) in enumerate(zip(batch.ids, batch.provenance.record_id, strict=True)):
        reason = reasons.get(row) or reasons.get(record)
        if reason is None:
            kept.append(i)
        elif not any(one.record == record and one.reason is reason for one in skipped):
            # A record whose segments all go for one reason is listed once.
            skipped.append(Skipped(record, step, reason))
    return batch.take(kept).replace(skipped=(*batch.skipped, *skipped))


def _ours(error: Exception, step: str, batch: EcgBatch | None = None) -> CardioFlowError:
    """Return ``error`` as one of ours, with the step in it, and the records of ``batch`` where it is given."""
    if not isinstance(error, CardioFlowError):
        among = "" if batch is None else f" (in a batch of {_named(batch)})"
        wrapped = StepError(f"{type(error).__name__}: {error}{among}", step=step)
        wrapped.__cause__ = error
        return wrapped
    for inner in error.reasons.values() if isinstance(error, BadRecordsError) else (error,):
        # The pipeline knows the step better than the action does: by its number and its arguments.
        inner.step = step
    return error


def _reasons(error: CardioFlowError, batch: EcgBatch) -> Reasons:
    """Return the error of each record that it names, by the row's id or its record's; empty when it names none."""
    named = error.reasons if isinstance(error, BadRecordsError) else {str(error.record): error}
    known = {*batch.ids, *batch.provenance.record_id}
    return {name: reason for name, reason in named.items() if name in known}


def _probed(action: Callable[[EcgBatch], EcgBatch], batch: EcgBatch, step: str) -> Reasons:
    """Return the error of each row that fails alone."""
    found: dict[str, CardioFlowError] = {}
    for row in batch:
        try:
            action(row)
        except Exception as caught:  # noqa: BLE001 -- the same exception as before, of one record
            found[row.ids[0]] = _ours(caught, step)
            found[row.ids[0]].record = row.provenance.record_id[0]
    return found


def _named(batch: EcgBatch) -> str:
    names = list(dict.fromkeys(batch.provenance.record_id))
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"{len(names)} records: {', '.join(names[:10])}{more}"
