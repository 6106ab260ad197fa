"""The median beat of a record with its intervals measured by calipers."""

from __future__ import annotations

from typing import Final

import numpy as np

from cardioflow.analysis.measure.measure import NO_UNIT
from cardioflow.analysis.measure.results import Measurements
from cardioflow.errors import InputError, nearest
from cardioflow.report.as_figure import EcgFigure, figure_of
from cardioflow.report.sheet import Line, Scale, Sheet

__all__ = ["median_beat_sheet", "plot_median_beat"]

_LEFT: Final = 12.0
_ABOVE: Final = 14.0
_CALIPERS: Final = 22.0
_LABEL: Final = 28.0
"""What the name and length of an interval need behind its end, in millimetres."""
_TALLEST_MV: Final = 3.0
_UNSCALED_MV: Final = 2.0
"""How high a beat without a known unit is drawn."""
_INTERVALS: Final = (
    ("P", "p", "p_on", "p_end"),
    ("PR", "pr", "p_on", "qrs_on"),
    ("QRS", "qrs", "qrs_on", "qrs_end"),
    ("QT", "qt", "qrs_on", "t_end"),
)


def plot_median_beat(found: Measurements, lead: str | None = None, *, title: str = "") -> EcgFigure:
    """Return a figure of the median beat at 100 mm/s and 10 mm/mV, with calipers at P, PR, QRS and QT.

    All leads lie over each other, as the intervals are those of all leads together: earliest onset to latest end.

    Args:
        found: what ``measure`` returns.
        lead: the lead to draw alone; its calipers are still those of all leads together.
        title: what is written above.

    Raises:
        InputError: when there is no such lead, or the record has no median beat.
    """
    return figure_of(median_beat_sheet(found, lead, title=title))


def median_beat_sheet(found: Measurements, lead: str | None = None, *, title: str = "") -> Sheet:
    """Return the drawing of ``plot_median_beat``.

    Raises:
        InputError: when there is no such lead, or the record has no median beat.
    """
    beat = found.median_beat
    names = found.delineation.leads
    if not beat.signal.shape[1]:
        raise InputError(f"The record has no median beat: {found.whole['qrs'].reason or 'no beats of one shape'}.")
    if lead is not None and lead not in names:
        raise InputError(f"lead={lead!r} is not a lead of the record. {nearest(lead, names)}")
    rows = [i for i, name in enumerate(names) if lead in (None, name) and np.isfinite(beat.signal[i]).any()]
    if not rows:
        raise InputError(f"The lead {lead!r} has no median beat, because it has gaps. Pass another lead.")
    scale = Scale(100.0, 10.0)
    rows, factor = _to_scale(found, rows)
    own = (1.0 if factor is None else factor) * beat.signal[rows].astype(np.float64)
    drawn = np.clip(own, -_TALLEST_MV, _TALLEST_MV)
    # The pulse has to fit, also above a beat of low voltage.
    reach = (max(1.0, float(np.nanmax(drawn))), -float(np.nanmin(drawn)))
    up, down = (float(5 * np.ceil((10.0 * v + 3.0) / 5)) for v in reach)
    last = max((at for at in beat.marks.values()), default=0) / beat.fs
    needed = max(scale.mm_per_s * beat.signal.shape[1] / beat.fs + 5.0, scale.mm_per_s * last + _LABEL)
    width = float(5.0 * np.ceil((_LEFT + needed) / 5.0))
    trace_height = up + down
    height = _ABOVE + trace_height + _CALIPERS
    sheet = Sheet(width, height, (0.0, _CALIPERS, width, trace_height))
    zero = _CALIPERS + down
    x = np.asarray(_LEFT + scale.mm_per_s * np.arange(drawn.shape[1]) / beat.fs, np.float64)
    for i, row in zip(rows, drawn, strict=True):
        sheet.lines.append(Line("trace", x, np.asarray(zero + scale.mm_per_mv * row, np.float64), names[i]))
    if factor is None:
        _pulse(sheet, zero, scale)
    _calipers(sheet, found, scale)
    sheet.write(2.0, height - 6.0, title or "Median beat", size_pt=10, bold=True)
    which = lead or (names[rows[0]] if len(rows) == 1 else f"{len(rows)} leads over each other")
    clipped = "   ·   clipped at ±3 mV" if np.nanmax(np.abs(own)) > _TALLEST_MV else ""
    shown = str(scale) if factor is None else f"{scale.mm_per_s:g} mm/s   ·   unit unknown, height not to scale"
    note = f"{which}   ·   median of {beat.n_beats} beats   ·   {shown}{clipped}"
    sheet.write(2.0, height - 11.5, note, size_pt=7, soft=True)
    return sheet


def _to_scale(found: Measurements, rows: list[int]) -> tuple[list[int], float | None]:
    """Return the leads in millivolts; where there are none, all of them and what makes them as high as 2 mV."""
    values = list(found.by_lead.values())
    known = [i for i in rows if all(value.reason != NO_UNIT for value in values[i].values())]
    if known:
        return known, None
    height = float(np.nanmax(np.ptp(found.median_beat.signal[rows], axis=1)))
    return rows, _UNSCALED_MV / height if height > 0 else 1.0


def _pulse(sheet: Sheet, zero: float, scale: Scale) -> None:
    """Draw the 1-mV pulse 5 mm wide, as it is at the usual speed."""
    across = np.array([1.0, 3.0, 3.0, 8.0, 8.0, 10.0])
    sheet.lines.append(Line("pulse", across, zero + scale.mm_per_mv * np.array([0.0, 0, 1, 1, 0, 0]), "1 mV"))


def _calipers(sheet: Sheet, found: Measurements, scale: Scale) -> None:
    marks, fs = found.median_beat.marks, found.median_beat.fs

    def at(name: str) -> float:
        return _LEFT + scale.mm_per_s * marks[name] / fs

    for name in marks:
        if name != "t_on":
            span = np.array([_CALIPERS - 20.0, sheet.height - _ABOVE])
            sheet.lines.append(Line("rule", np.array([at(name), at(name)]), span, name))
    y = _CALIPERS - 4.0
    for title, name, first, last in _INTERVALS:
        if first not in marks or last not in marks:
            continue
        a, b = at(first), at(last)
        across = np.array([a, a, np.nan, a, b, np.nan, b, b])
        upwards = y + np.array([-1.2, 1.2, np.nan, 0.0, 0.0, np.nan, -1.2, 1.2])
        sheet.lines.append(Line("calipers", across, upwards, title))
        sheet.write(b + 1.5, y - 1.0, f"{title} {1000 * found[name]:.0f} ms", size_pt=8, bold=True)
        y -= 4.8
