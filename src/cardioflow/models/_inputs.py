"""From a batch to the arrays that a model takes, with every reason why it cannot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import CardioFlowError, InputError, LabelError, raise_bad_records

__all__ = ["refuse", "signals", "targets"]


def signals(batch: EcgBatch) -> NDArray[np.float32]:
    """Return the signals of an unstacked ``batch`` as float32 of shape (record, lead, time).

    Raises:
        InputError: when there are none, when they differ in shape, or when one holds NaN or infinity.
    """
    signal = batch.component("signal")
    if not len(batch):
        raise InputError("The batch has no records left for the model. Pass over empty batches.")
    if signal.dtype.kind == "c":
        raise InputError("The signal is complex, and models take real numbers. Take its magnitude first.")
    differs = np.flatnonzero((signal.shapes != signal.shapes[0]).any(axis=1))
    if differs.size:
        other = int(differs[0])
        axis, unit, remedy = (
            (1, "samples", "Cut them to one length first, with split_signals or random_split_signals.")
            if signal.shapes[other][1] != signal.shapes[0][1]
            else (0, "leads", "Keep the same leads of each first, with keep_channels.")
        )
        raise InputError(
            f"Record {batch.ids[0]!r} has {signal.shapes[0][axis]} {unit} and record {batch.ids[other]!r} "
            f"{signal.shapes[other][axis]}, but a model takes signals of one shape. {remedy}"
        )
    x: NDArray[np.float32] = np.ascontiguousarray(signal.dense(), dtype=np.float32)
    if not np.isfinite(x).all():
        bad = np.logical_not(np.isfinite(x)).any(axis=(1, 2))
        refuse(batch, bad, lambda i: _not_finite(batch.ids[i], x[i]))
    return x


def _not_finite(name: str, signal: NDArray[np.float32]) -> InputError:
    n_bad = int((~np.isfinite(signal)).sum())
    return InputError(
        f"The signal of record {name!r} holds {n_bad} samples of {signal.size} that are NaN or infinite, "
        'and one of them would spoil every weight. Drop the record (on_error="skip"), or fill the gaps first.'
    )


def targets(batch: EcgBatch) -> NDArray[np.float32]:
    """Return the targets of ``batch`` as float32 of shape (record, class).

    A row of floats without classes, as for a regression, becomes (record, 1).

    Raises:
        LabelError: when there are none, when they are labels still, or when one is NaN.
    """
    target = batch.target
    if target is None:
        raise LabelError(
            "The batch has no targets, and a model cannot learn or be tested without. "
            'Load them first: load(src=…, fmt="csv", components="target").'
        )
    if target.dtype.kind not in "fiub" or (target.ndim == 1 and target.dtype.kind != "f"):
        raise LabelError(
            f"The target {target[0]!r} of record {batch.ids[0]!r} is a label, and a model takes numbers. "
            "Call binarize_labels() before the model."
        )
    y = np.ascontiguousarray(target, dtype=np.float32)
    y = y[:, None] if y.ndim == 1 else y
    refuse(batch, np.isnan(y).any(axis=1), lambda i: _not_known(batch.ids[i]))
    return y


def _not_known(name: str) -> LabelError:
    return LabelError(f"The target of record {name!r} is NaN. Drop records without a label first, with drop_labels.")


def refuse(batch: EcgBatch, bad: Any, reason: Callable[[int], CardioFlowError]) -> None:
    """Raise what is wrong with the rows ``bad``: of one record its error, of several all of them, of none nothing."""
    if not np.any(bad):
        return
    reasons: dict[str, CardioFlowError] = {}
    for row in np.flatnonzero(bad).tolist():
        record = batch.provenance.record_id[row]
        if record not in reasons:
            reasons[record] = reason(row)
    raise_bad_records(reasons)
