"""Checks of the components that an action reads; each error names the record and the remedy."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import EcgBatch, Ragged
from cardioflow.dsp.finite import not_finite
from cardioflow.errors import CardioFlowError, InputError, raise_bad_records

__all__ = ["finite", "lead_units", "rates", "real", "refuse_not_finite", "series", "uncut"]


def rates(batch: EcgBatch, step: str) -> NDArray[np.float64]:
    """Return the sampling rate of each row in Hz.

    Raises:
        InputError: for a record whose rate is unknown or not above zero.
    """
    column = batch.component("meta")["fs"]
    try:
        fs = np.asarray(column, dtype=np.float64)
    except (TypeError, ValueError):
        fs = np.array([_float(v) for v in column])
    good = np.isfinite(fs) & (fs > 0)
    if good.all():
        return fs
    raise_bad_records(
        {
            batch.ids[i]: InputError(
                f"{step} needs the sampling rate of record {batch.ids[i]!r}, but meta['fs'] is {column[i]!r}. "
                "Pass it when loading, or leave the record out.",
                record=batch.ids[i],
            )
            for i in np.flatnonzero(~good)
        }
    )
    return fs


def _float(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def lead_units(batch: EcgBatch) -> list[tuple[str, ...] | None]:
    """Return the units of each record's leads, ``None`` where the metadata has none."""
    meta = batch.component("meta")
    return list(meta["units"]) if "units" in meta.columns else [None] * len(batch)


def real(batch: EcgBatch, step: str, src: str = "signal") -> Ragged:
    """Return the component ``src`` as float32 records.

    Raises:
        InputError: when it is not a signal, or is complex.
    """
    signal = batch.component(src)
    if not isinstance(signal, Ragged):
        raise InputError(f"{step} needs a signal, but component {src!r} holds {type(signal).__name__}.")
    if np.iscomplexobj(signal.data):
        raise InputError(
            f"{step} needs real samples, but {src!r} is complex. Call irfft or apply_transform(np.abs) first."
        )
    # Components of the user's own may hold integers or float64, which the kernels are not compiled for.
    return signal if signal.dtype == np.float32 else signal.with_data(signal.data.astype(np.float32))


def uncut(batch: EcgBatch, step: str) -> Ragged:
    """Return the signals when they are (lead, time).

    Raises:
        InputError: when they are cut into segments.
    """
    signal: Ragged = batch.component("signal")
    if signal.ndim != 2:
        raise InputError(
            f"{step} needs signals of (lead, time), but these have {signal.ndim} axes. Call unstack_signals first."
        )
    return signal


def finite(batch: EcgBatch, step: str, src: str = "signal") -> Ragged:
    """Return the component ``src`` when all its samples are finite.

    Raises:
        InputError: naming the record, the lead and the number of samples that are not.
    """
    signal = real(batch, step, src)
    if not_finite(signal.data):
        refuse_not_finite(batch, step, src)
    return signal


def refuse_not_finite(batch: EcgBatch, step: str, src: str = "signal") -> NoReturn:
    """Raise an error that names every record with a sample that is not finite."""
    reasons: dict[str, CardioFlowError] = {}
    for i, x in enumerate(real(batch, step, src)):
        bad = ~np.isfinite(x)
        if bad.any():
            lead = int(np.argwhere(bad)[0][-2]) if x.ndim > 1 else 0
            reasons[batch.ids[i]] = InputError(
                f"{step} cannot work on record {batch.ids[i]!r}: {int(bad.sum())} of its {x.size} samples are "
                f"not finite (NaN or infinite), the first in lead {_lead(batch, i, lead)}. "
                "Call fill_missing_signals first, drop the lead, or leave the record out.",
                record=batch.ids[i],
            )
    raise_bad_records(reasons)
    raise InputError(f"{step} found samples too large for float32. Check the units.")


def _lead(batch: EcgBatch, row: int, lead: int) -> str:
    leads = batch.meta["leads"][row] if batch.meta is not None and "leads" in batch.meta.columns else None
    return repr(leads[lead]) if leads is not None and lead < len(leads) else str(lead)


def series(signal: Ragged) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return where each run along time starts in the flat buffer, how long it is, and the row that it belongs to."""
    return signal.runs()
