"""Rows filtered by Butterworth filters designed for each sampling rate."""

from __future__ import annotations

import numpy as np

from cardioflow.batch import EcgBatch
from cardioflow.dsp.iir import butterworth, filtfilt
from cardioflow.errors import CardioFlowError, InputError, raise_bad_records
from cardioflow.transforms._inputs import rates, series

__all__ = ["check_below_nyquist", "filter_rows"]


def check_below_nyquist(batch: EcgBatch, step: str, **frequencies: float | None) -> None:
    """Check that every frequency is below half the sampling rate of every record."""
    fs = rates(batch, step)
    reasons: dict[str, CardioFlowError] = {}
    for name, value in frequencies.items():
        for i in np.flatnonzero(fs / 2 <= (value or 0)):
            reasons.setdefault(
                batch.ids[i],
                InputError(
                    f"{step}({name}={value}) is not below half the sampling rate ({fs[i] / 2} Hz) of record "
                    f"{batch.ids[i]!r}. Lower {name}, or resample first.",
                    record=batch.ids[i],
                ),
            )
    raise_bad_records(reasons)


def filter_rows(batch: EcgBatch, step: str, *, low: float | None, high: float | None, order: int) -> EcgBatch:
    """Return the batch with each lead filtered forward and backward."""
    check_below_nyquist(batch, step, low=low, high=high)
    signal = batch.component("signal")
    starts, lengths, row = series(signal)
    fs, which = np.unique(batch.fs, return_inverse=True)
    designs = [butterworth(order, low, high, float(rate)) for rate in fs]
    return batch.replace(signal=signal.with_data(filtfilt(signal.data, starts, lengths, designs, which[row])))
