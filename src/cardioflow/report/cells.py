"""One lead over a stretch of time, drawn on paper."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.dsp.intervals import runs
from cardioflow.report.sheet import Band, Line, LineKind, Scale, Sheet
from cardioflow.report.view import EcgView, LeadSpans, clock

__all__ = ["Cell", "Levels", "draw_cell", "draw_pulse", "levels"]

Floats = NDArray[np.float64]

_PULSE_S: Final = 0.2
_BREAK: Final = np.array([np.nan])
_NOT_TO_SCALE_MM: Final = 20.0
"""What the middle 98 % of a lead without a known unit are drawn as high."""
_GAP_S: Final = 0.1
"""Shorter gaps are seen as an interrupted line, longer ones are shaded too."""


class Levels(NamedTuple):
    """How the samples of a lead become millimetres."""

    zero: float
    """The value that is drawn on the lead's line: its median."""
    mm_per_unit: float


class Cell(NamedTuple):
    """Where a stretch of a lead is drawn."""

    lead: int
    start: int
    stop: int
    x: float
    """Of its first sample, in millimetres."""
    y: float
    """Of its zero."""
    low: float
    """The least and largest y coordinates; what lies beyond is clipped."""
    high: float


def levels(view: EcgView, lead: int, scale: Scale, start: int = 0, stop: int | None = None) -> Levels:
    """Return the zero and scale of a lead; without a known voltage, it is fitted into 20 mm."""
    known = view.signal[lead, start:stop]
    known = known[np.isfinite(known)]
    if not known.size:
        return Levels(0.0, scale.mm_per_mv)
    zero = float(np.median(known))
    if view.in_mv(lead):
        return Levels(zero, scale.mm_per_mv)
    low, high = np.percentile(known, [1, 99])
    return Levels(zero, _NOT_TO_SCALE_MM / float(high - low) if high > low else 1.0)


def draw_cell(sheet: Sheet, view: EcgView, cell: Cell, scale: Scale, level: Levels) -> bool:
    """Draw a stretch of a lead with its gaps, waves and marks; return whether samples were clipped."""
    raw = view.signal[cell.lead, cell.start : cell.stop].astype(np.float64)
    t = np.arange(raw.size) / view.fs
    x = cell.x + scale.mm_per_s * t
    y = cell.y + level.mm_per_unit * (np.where(np.isfinite(raw), raw, np.nan) - level.zero)
    with np.errstate(invalid="ignore"):
        clipped = bool(((y < cell.low) | (y > cell.high)).any())
    y = np.clip(y, cell.low, cell.high)
    _shade_gaps(sheet, cell, x, np.isnan(y), view.fs)
    where = f"{view.leads[cell.lead]}, {clock(cell.start / view.fs)} to {clock(cell.stop / view.fs)}"
    sheet.lines.append(Line("trace", x, y, where))
    if view.waves is not None and view.unit(cell.lead) in ("mV", ""):
        _colour_waves(sheet, view.waves[cell.lead], cell, x, y)
    return clipped


def draw_pulse(sheet: Sheet, x: float, y: float, scale: Scale) -> None:
    """Draw the calibration pulse of 1 mV and 0.2 s, with its left foot at ``x``."""
    width = _PULSE_S * scale.mm_per_s
    across = x + width * np.array([0.0, 0.5, 0.5, 1.5, 1.5, 2.0])
    sheet.lines.append(Line("pulse", across, y + scale.mm_per_mv * np.array([0.0, 0, 1, 1, 0, 0]), "1 mV, 0.2 s"))


def _shade_gaps(sheet: Sheet, cell: Cell, x: Floats, missing: NDArray[np.bool_], fs: float) -> None:
    if not missing.any():
        return
    edged = np.concatenate([[False], missing, [False]]).astype(np.int8)
    for a, b in (runs(edged, [1]) - 1).T:
        if b - a >= _GAP_S * fs:
            sheet.bands.append(Band("gap", float(x[a]), cell.y - 3.0, float(x[b - 1] - x[a]), 6.0))


def _colour_waves(sheet: Sheet, spans: LeadSpans, cell: Cell, x: Floats, y: Floats) -> None:
    """Draw the waves of a lead over its trace, all of one kind as one line."""
    kinds: tuple[LineKind, ...] = ("p", "qrs", "t")
    for kind in kinds:
        pieces_x: list[Floats] = []
        pieces_y: list[Floats] = []
        for onset, end in spans[kind]:
            a, b = max(int(onset) - cell.start, 0), min(int(end) - cell.start + 1, x.size)
            if a < b:
                pieces_x += [x[a:b], _BREAK]
                pieces_y += [y[a:b], _BREAK]
        if pieces_x:
            name = f"{kind.upper()} waves" if kind != "qrs" else "QRS complexes"
            sheet.lines.append(Line(kind, np.concatenate(pieces_x), np.concatenate(pieces_y), name))
