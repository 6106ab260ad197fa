"""How long each step takes on a batch, and how much it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch

__all__ = ["StepTime", "TimedBatch", "n_bytes"]


class StepTime(NamedTuple):
    """One step on one batch."""

    step: str
    """The step as messages name it: its number and its arguments."""
    seconds: float
    n_records: int
    """Rows that the step was given."""
    n_bytes: int
    """Of the signals and other samples that came out."""


class TimedBatch(NamedTuple):
    """A batch with the times of the steps that made it."""

    batch: EcgBatch
    times: tuple[StepTime, ...]


def n_bytes(batch: EcgBatch) -> int:
    """Return the bytes of the samples and numbers that ``batch`` holds; metadata and annotations are not counted."""
    found = 0 if batch.signal is None else int(batch.signal.data.nbytes)
    found += 0 if batch.target is None else int(batch.target.nbytes)
    for column in batch.columns.values():
        values = column.values
        found += int(getattr(getattr(values, "data", values), "nbytes", 0))
    return found
