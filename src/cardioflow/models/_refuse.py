"""One way to refuse one or several records of a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import CardioFlowError, raise_bad_records

__all__ = ["refuse"]


def refuse(batch: EcgBatch, bad: Any, reason: Callable[[int], CardioFlowError]) -> None:
    """Raise for the rows of ``batch`` where ``bad`` is true; do nothing if there are none.

    Raises:
        CardioFlowError: the error of the record, if there is one.
        BadRecordsError: the errors of all records, if there are several.
    """
    reasons: dict[str, CardioFlowError] = {}
    for row in np.flatnonzero(bad).tolist():
        record = batch.provenance.record_id[row]
        if record not in reasons:
            reasons[record] = reason(row)
    raise_bad_records(reasons)
