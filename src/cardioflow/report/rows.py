"""ECG paper with a row per lead and stretch of time, as high as its samples need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from cardioflow.errors import InputError
from cardioflow.report.cells import Cell, Levels, draw_cell, draw_pulse, levels
from cardioflow.report.marks import Ruler, draw_legend, draw_marks, draw_saliency
from cardioflow.report.sheet import A4, Scale, Sheet
from cardioflow.report.view import EcgView, clock

__all__ = ["Rows", "draw_rows", "rows_of", "rows_sheet", "strip_sheets"]

_MARGIN: Final = 5.0
_PULSE: Final = 10.0
LEFT: Final = _MARGIN + _PULSE + 5.0
_HEADER: Final = 10.0
_FOOTER: Final = 6.0
_TALLEST_MM: Final = 40.0
"""What lies further from the median is clipped, and the footer says so: 4 mV at 10 mm/mV."""
_MOST_ROWS: Final = 60
_STRIP_MM: Final = 30.0


@dataclass(frozen=True)
class Rows:
    """Which part of a record is drawn, and how much of it in a row."""

    row_s: float = 10.0
    start_s: float = 0.0
    stop_s: float | None = None
    max_rows: int | None = None
    """Rows per lead; ``None`` for as many as the part needs, up to 60 rows in all."""

    def __post_init__(self) -> None:
        if not 1.0 <= self.row_s <= 60.0:
            raise InputError(f"row_s={self.row_s!r} is not between 1 and 60 seconds.")


class Row(NamedTuple):
    """One lead over one stretch."""

    lead: int
    start: int
    stop: int
    level: Levels
    up: float
    """How far it reaches above its zero, in millimetres."""
    down: float

    @property
    def height(self) -> float:
        """Of the whole row, in millimetres."""
        return self.up + self.down


def part_of(view: EcgView, start_s: float, stop_s: float | None) -> tuple[int, int]:
    """Return the first sample and the sample after the last of a part in seconds.

    Raises:
        InputError: when there is nothing in it.
    """
    end_s = view.duration_s if stop_s is None else min(stop_s, view.duration_s)
    known = 0 <= start_s < end_s
    start, stop = (round(start_s * view.fs), min(round(end_s * view.fs), view.n_samples)) if known else (0, 0)
    if not start < stop:
        raise InputError(
            f"start_s={start_s!r}, stop_s={stop_s!r} is not a part of the record, which lasts {view.duration_s:g} s."
        )
    return start, stop


def rows_of(view: EcgView, how: Rows, scale: Scale) -> tuple[list[Row], int]:
    """Return the rows of a record and the sample at which they end: there may be more of it than is drawn."""
    start, stop = part_of(view, how.start_s, how.stop_s)
    n = max(1, round(how.row_s * view.fs))
    each = -(-(stop - start) // n)
    most = max(1, _MOST_ROWS // len(view.leads)) if how.max_rows is None else how.max_rows
    end = min(stop, start + min(each, most) * n)
    rows = [
        _row(view, lead, a, min(a + n, end), scale) for lead in range(len(view.leads)) for a in range(start, end, n)
    ]
    return rows, end


def _row(view: EcgView, lead: int, start: int, stop: int, scale: Scale) -> Row:
    level = levels(view, lead, scale, start, stop)
    known = view.signal[lead, start:stop]
    known = known[np.isfinite(known)]
    top, bottom = (float(known.max()), float(known.min())) if known.size else (level.zero, level.zero)
    up, down = (np.clip(level.mm_per_unit * v, 0.0, _TALLEST_MM) for v in (top - level.zero, level.zero - bottom))
    # Whole squares of 5 mm, so that the zero of every row lies on a major grid line. The pulse has to fit.
    pulse = scale.mm_per_mv if view.in_mv(lead) else 10.0
    up, down = (float(5 * np.ceil((v + 2.0) / 5)) for v in (max(up, pulse + 0.5), max(down, 4.5)))
    return Row(lead, start, stop, level, up, down)


def draw_rows(sheet: Sheet, view: EcgView, rows: list[Row], y: float, scale: Scale) -> tuple[float, bool]:
    """Draw rows below ``y``; return the y of their lower end, and whether samples were clipped."""
    clipped = False
    for row in rows:
        y -= row.up
        if view.in_mv(row.lead):
            draw_pulse(sheet, _MARGIN, y, scale)
        cell = Cell(row.lead, row.start, row.stop, LEFT, y, y - _TALLEST_MM, y + _TALLEST_MM)
        clipped |= draw_cell(sheet, view, cell, scale, row.level)
        sheet.write(LEFT - 3.5, y + row.up - 4.5, _label(view, row), bold=True, boxed=True)
        top = y + row.up
        ruler = Ruler(row.start, row.stop, LEFT, scale.mm_per_s / view.fs)
        draw_marks(sheet, view.beats, ruler, top - 0.5)
        draw_marks(sheet, view.labels, ruler, top - 2.5, "label")
        y -= row.down
        if view.saliency is not None and row.lead == 0:
            draw_saliency(sheet, view.saliency, ruler, view.fs, y + 0.3)
    return y, clipped


def _label(view: EcgView, row: Row) -> str:
    label = view.leads[row.lead]
    if row.start:
        label += f"  {clock(row.start / view.fs)}"
    part = view.signal[row.lead, row.start : row.stop]
    if not np.isfinite(part).any():
        return f"{label}: no samples"
    if not view.in_mv(row.lead):
        label += f"  ({view.unit(row.lead) or 'unit unknown'}, not to scale)"
    return label


def width_of(rows: list[Row], fs: float, scale: Scale) -> float:
    """Return the width of paper that the longest row needs, in whole squares."""
    longest = max(row.stop - row.start for row in rows) / fs
    return float(5 * np.ceil((LEFT + scale.mm_per_s * longest + _MARGIN) / 5))


def rows_sheet(view: EcgView, how: Rows, scale: Scale) -> Sheet:
    """Return one sheet, as high as the rows need."""
    rows, end = rows_of(view, how, scale)
    header = _HEADER if view.title or view.waves is not None else 0.0
    height = float(5 * np.ceil((header + sum(row.height for row in rows) + _FOOTER) / 5))
    width = width_of(rows, view.fs, scale)
    sheet = Sheet(width, height, (0.0, 0.0, width, height - header))
    _, clipped = draw_rows(sheet, view, rows, height - header, scale)
    sheet.write(_MARGIN, height - 6.5, view.title, size_pt=11, bold=True)
    if view.waves is not None:
        draw_legend(sheet, width - _MARGIN, height - 6.5)
    sheet.write(_MARGIN, 2.0, footer(view, how, end, scale, clipped=clipped), size_pt=7, soft=True, boxed=True)
    return sheet


def footer(view: EcgView, how: Rows, end: int, scale: Scale, *, clipped: bool) -> str:
    """Return the scale, the part that is drawn, and what was clipped."""
    notes = [str(scale)]
    start = round(how.start_s * view.fs)
    if start or end < view.n_samples:
        notes.append(f"{clock(start / view.fs)} to {clock(end / view.fs)} of {clock(view.duration_s)}")
    if clipped:
        notes.append(f"clipped at ±{_TALLEST_MM / scale.mm_per_mv:g} mV")
    return "   ·   ".join(notes)


def strip_sheets(view: EcgView, how: Rows, scale: Scale) -> list[Sheet]:
    """Return A4 pages of strips of one height, all leads of a stretch of time under each other."""
    start, stop = part_of(view, how.start_s, how.stop_s)
    n = max(1, round(min(how.row_s, (A4[0] - LEFT - _MARGIN) / scale.mm_per_s) * view.fs))
    free = A4[1] - _HEADER - _FOOTER
    per_page = max(1, int(free // _STRIP_MM))
    chunks = [(lead, a, min(a + n, stop)) for a in range(start, stop, n) for lead in range(len(view.leads))]
    pages = [chunks[i : i + per_page] for i in range(0, len(chunks), per_page)]
    sheets = []
    for number, page in enumerate(pages, 1):
        sheet = Sheet(*A4, (0.0, 0.0, A4[0], A4[1] - _HEADER))
        height = 5.0 * (free / len(page) // 5.0) if len(page) == per_page else _STRIP_MM
        rows = [Row(lead, a, b, levels(view, lead, scale, a, b), 0.6 * height, 0.4 * height) for lead, a, b in page]
        _, clipped = draw_rows(sheet, view, rows, A4[1] - _HEADER, scale)
        sheet.write(_MARGIN, A4[1] - 6.5, view.title, size_pt=11, bold=True)
        if view.waves is not None:
            draw_legend(sheet, A4[0] - _MARGIN, A4[1] - 6.5)
        notes = f"page {number} of {len(pages)}   ·   {footer(view, how, stop, scale, clipped=clipped)}"
        sheet.write(_MARGIN, 2.0, notes, size_pt=7, soft=True, boxed=True)
        sheets.append(sheet)
    return sheets
