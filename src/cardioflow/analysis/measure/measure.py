"""Measure rate, intervals, amplitudes, ST levels and axes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.lead_names import distinct_names
from cardioflow.analysis.measure.amplitudes import AMPLITUDES, amplitudes
from cardioflow.analysis.measure.axes import axis
from cardioflow.analysis.measure.median_beat import Aligned, align
from cardioflow.analysis.measure.qtc import QtFormula, corrected_qt
from cardioflow.analysis.measure.results import Beats, Measurements, MedianBeat, Value
from cardioflow.analysis.waves.delineate import NO_LEAD, delineate, voltages, why_not_measured
from cardioflow.analysis.waves.prepare import SHORT_GAP_S, bridged
from cardioflow.analysis.waves.results import Delineation, LeadWaves

__all__ = ["NO_UNIT", "measure"]

Floats = NDArray[np.float64]

NO_UNIT: Final = "the unit is not known"
_NO_WAVE: Final = {"pr": "no P wave", "p": "no P wave", "qt": "no T wave", "t": "no T wave", "qrs": "no QRS"}
_LEAST_SHARE: Final = 0.3
"""A wave that fewer beats than this share have is not one of the median beat."""


def measure(
    signal: NDArray[Any], fs: float, *, leads: Sequence[str] | None = None, units: Sequence[str] | None = None
) -> Measurements:
    """Return the measurements of a record: per beat, of its median beat, and as a whole.

    The waves are those of ``delineate``. The median beat is of the beats with the common shape, aligned by correlation;
    ectopic beats are left out. Its boundaries are medians of those of its beats, of all leads together: earliest onset
    to latest end, as devices measure. Intervals of the record are those of the median beat. ``rr`` and ``heart_rate``
    come from the median RR of the record, which also corrects QT. What cannot be measured is NaN, with a reason.

    Args:
        signal: millivolts, (lead, time) or (time,); NaN where there is no sample.
        fs: samples per second, 100 or more.
        leads: the names of the leads; axes need I and aVF, I and II, or II and III.
        units: the unit of each lead; one that is known and not mV is not measured, and one that is not known has no
            amplitudes.

    Raises:
        InputError: when the signal has another shape, or ``fs`` is not above 0.
    """
    signal = np.asarray(signal)
    signal = signal[None] if signal.ndim == 1 else signal
    found = delineate(signal, fs, leads=leads, units=units)
    waves = found.whole
    voltage = voltages(units, len(signal))
    x = bridged(signal, fs, SHORT_GAP_S)
    x[~voltage] = np.nan
    made = align(x, fs, waves.qrs.peak)
    beats = _beats(waves, fs, made.used)
    marks = _marks(waves, made)
    n_used = int(made.used.sum())
    median = MedianBeat(made.signal, fs, marks, n_used)
    why = _why_no_median(found)
    whole = {**_intervals(beats, marks, median, why), **_axes(found.leads, median, why)}
    each = {
        name: amplitudes(made.signal[i], fs, marks, n_used)
        if (reason := _why_no_heights(units, i, voltage)) is None
        else dict.fromkeys(AMPLITUDES, Value(math.nan, 0, reason))
        for i, name in enumerate(distinct_names(found.leads))
    }
    return Measurements(whole, each, beats, median, found)


def _why_no_heights(units: Sequence[str] | None, lead: int, voltage: NDArray[np.bool_]) -> str | None:
    """Return why the heights of a lead are not millivolts; its intervals do not depend on the scale."""
    if not voltage[lead]:
        return why_not_measured(units, lead)
    return NO_UNIT if units is not None and units[lead] != "mV" else None


def _beats(waves: LeadWaves, fs: float, used: NDArray[np.bool_]) -> Beats:
    qrs, p, t = waves.qrs, waves.p, waves.t
    own_p, own_t = waves.p_of_beat(), waves.t_of_beat()
    p_on, p_end = (_of(marks, own_p) for marks in (p.onset, p.end))
    t_on, t_end = (_of(marks, own_t) for marks in (t.onset, t.end))
    rr = np.diff(qrs.peak.astype(np.float64), prepend=np.nan) / fs
    # Over a stretch that was not measured, beats may have been missed.
    for part in waves.not_measured:
        rr[(qrs.peak >= part.start) & (np.concatenate([[0], qrs.peak[:-1]]) < part.stop)] = np.nan
    return Beats(
        r=qrs.peak,
        rr=rr,
        pr=(qrs.onset - p_on) / fs,
        qrs=(qrs.end - qrs.onset) / fs,
        qt=(t_end - qrs.onset) / fs,
        p=(p_end - p_on) / fs,
        t=(t_end - t_on) / fs,
        in_median=used,
    )


def _of(marks: NDArray[np.int64], rows: NDArray[np.int64]) -> Floats:
    """Return the mark of each beat, NaN where it has none."""
    if not marks.size:
        return np.full(rows.size, np.nan)
    return np.where(rows >= 0, marks[np.maximum(rows, 0)].astype(np.float64), np.nan)


def _marks(waves: LeadWaves, made: Aligned) -> dict[str, int]:
    """Return the boundaries in the median beat: medians of those of its beats."""
    if not made.used.any():
        return {}
    p, t = waves.p_of_beat(), waves.t_of_beat()
    sides: Mapping[str, Floats] = {
        "qrs_on": waves.qrs.onset.astype(np.float64),
        "qrs_end": waves.qrs.end.astype(np.float64),
        "p_on": _of(waves.p.onset, p),
        "p_end": _of(waves.p.end, p),
        "t_on": _of(waves.t.onset, t),
        "t_end": _of(waves.t.end, t),
    }
    found = {}
    for name, times in sides.items():
        own = (times - made.places)[made.used]
        known = np.isfinite(own)
        if known.mean() >= _LEAST_SHARE:
            at = made.at + round(float(np.median(own[known])))
            if 0 <= at < made.signal.shape[1]:
                found[name] = at
    for kind in ("p", "t"):
        if not {f"{kind}_on", f"{kind}_end"} <= found.keys():
            found = {name: at for name, at in found.items() if not name.startswith(f"{kind}_")}
    return found


def _why_no_median(found: Delineation) -> str:
    """Return why there is no median beat, should there be none."""
    n = len(found.whole.qrs)
    if n > 1:
        return "no beats of one shape"
    if n == 1:
        return "one beat alone"
    reasons = dict.fromkeys(part.reason for part in found.whole.not_measured)
    if NO_LEAD in reasons:
        # Why each lead cannot be measured says more.
        reasons = dict.fromkeys(part.reason for lead in found.by_lead for part in lead.not_measured)
    return f"no beats: {', '.join(reasons)}" if reasons else "no beats"


def _intervals(beats: Beats, marks: Mapping[str, int], median: MedianBeat, why: str) -> dict[str, Value]:
    fs, n_used = median.fs, median.n_beats
    known_rr = beats.rr[np.isfinite(beats.rr)]
    rr = float(np.median(known_rr)) if known_rr.size else math.nan
    too_few = "" if known_rr.size else "fewer than two beats in a row" if beats.r.size > 1 else why
    found = {
        "heart_rate": Value(60.0 / rr, known_rr.size, too_few),
        "rr": Value(rr, known_rr.size, too_few),
    }
    sides = {
        "pr": ("p_on", "qrs_on"), "qrs": ("qrs_on", "qrs_end"), "qt": ("qrs_on", "t_end"),
        "p": ("p_on", "p_end"), "t": ("t_on", "t_end"),
    }  # fmt: skip
    for name, (a, b) in sides.items():
        own: Floats = getattr(beats, name)
        n_beats = int(np.isfinite(own[beats.in_median]).sum())
        if a in marks and b in marks:
            found[name] = Value((marks[b] - marks[a]) / fs, n_beats)
        else:
            found[name] = Value(math.nan, 0, _NO_WAVE[name] if n_used else why)
    for formula in get_args(QtFormula):
        qt = found["qt"]
        known = qt.known and math.isfinite(rr)
        value = corrected_qt(qt.value, rr, formula) if known else math.nan
        found[f"qtc_{formula}"] = Value(value, qt.n_beats if known else 0, "" if known else qt.reason or too_few)
    return found


def _axes(leads: Sequence[str], median: MedianBeat, why: str) -> dict[str, Value]:
    found = {}
    for kind in ("p", "qrs", "t"):
        a, b = f"{kind}_on", f"{kind}_end"
        if a in median.marks and b in median.marks:
            named = dict(zip(leads, median.signal, strict=True))
            found[f"{kind}_axis"] = axis(named, median.marks[a], median.marks[b], median.fs, median.n_beats)
        else:
            found[f"{kind}_axis"] = Value(math.nan, 0, f"no {kind.upper()} wave" if median.marks else why)
    return found
