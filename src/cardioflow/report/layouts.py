"""ECG paper as it is printed on A4: 3 × 4 with a rhythm strip, 6 × 2 and 12 × 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from cardioflow.batch.layout import LAYOUTS, Layout
from cardioflow.batch.leads import GROUPS
from cardioflow.errors import InputError, nearest
from cardioflow.report.cells import Cell, draw_cell, draw_pulse, levels
from cardioflow.report.marks import Ruler, draw_legend, draw_marks, draw_saliency, upright
from cardioflow.report.sheet import A4, Scale, Sheet
from cardioflow.report.view import EcgView, clock

__all__ = ["STANDARD", "Printed", "grid_sheet", "layout_for"]


STANDARD: Final = GROUPS["standard"]

_SHAPES: Final = {"3x4": (3, 4), "6x2": (6, 2), "12x1": (12, 1)}
_MARGIN: Final = 5.0
_HEADER: Final = 16.0
_FOOTER: Final = 8.0
_PULSE_MM: Final = 12.0
_LEFT: Final = _MARGIN + _PULSE_MM
_RHYTHM: Final = ("II", "V1", "V5", "I", "III", "aVF")
_LEAST_STANDARD: Final = 6
_LONGEST_S: Final = 15.0
_LOW_ROW: Final = 20.0
"""Rows below this height are those of 12 × 1, whose zero does not lie on the grid."""


@dataclass(frozen=True)
class Printed:
    """What is printed where."""

    shape: str = "3x4"
    start_s: float = 0.0
    seconds: float = 10.0
    """What a row shows."""
    rhythm: tuple[str, ...] | None = None
    """The leads of the strips below the 3 × 4; ``None`` for II, or the first that is there."""
    simultaneous: bool | None = None
    """Whether all columns show the same time; ``None`` for one after another where the record is long enough."""


def layout_for(view: EcgView, layout: Layout) -> str:
    """Return the layout that ``"auto"`` stands for: 3 × 4 for a 12-lead ECG of up to 15 s, otherwise rows.

    Raises:
        InputError: for an unknown layout.
    """
    if layout not in LAYOUTS:
        raise InputError(f"layout={layout!r} is not a layout. {nearest(layout, LAYOUTS)}")
    if layout != "auto":
        return layout
    known = sum(lead in STANDARD for lead in view.leads)
    return "3x4" if known >= _LEAST_STANDARD and view.duration_s <= _LONGEST_S else "rows"


def grid_sheet(view: EcgView, printed: Printed, scale: Scale) -> Sheet:
    """Return an A4 page with the twelve leads in columns; those that were not recorded are named in their place.

    Raises:
        InputError: when none of the twelve standard leads is there.
    """
    if not any(lead in STANDARD for lead in view.leads):
        raise InputError(
            f"layout={printed.shape!r} needs leads with standard names, and this record has {', '.join(view.leads)}. "
            "Pass layout='rows', or rename the leads."
        )
    return _Page(view, printed, scale).drawn()


class _Page:
    """A page in the making."""

    def __init__(self, view: EcgView, printed: Printed, scale: Scale) -> None:
        self.view, self.printed, self.scale = view, printed, scale
        self.rows, self.columns = _SHAPES[printed.shape]
        self.rhythm = _rhythm(view, printed) if printed.shape == "3x4" else ()
        width, height = A4
        self.bottom, self.top = _FOOTER, height - _HEADER
        self.sheet = Sheet(width, height, (_MARGIN, self.bottom, width - 2 * _MARGIN, self.top - self.bottom))
        self.n_rows = self.rows + len(self.rhythm)
        self.row = (self.top - self.bottom) / self.n_rows
        self.column = scale.mm_per_s * printed.seconds / self.columns
        self.start = round(printed.start_s * view.fs)
        self.stop = min(self.start + round(printed.seconds * view.fs), view.n_samples)
        left_s = view.duration_s - printed.start_s
        self.same = left_s < printed.seconds - 0.5 if printed.simultaneous is None else printed.simultaneous
        self.clipped = False

    def drawn(self) -> Sheet:
        n = max(1, round(self.printed.seconds / self.columns * self.view.fs))
        for number, lead in enumerate(STANDARD):
            column, row = divmod(number, self.rows)
            first = self.start if self.same else self.start + column * n
            self._cell(lead, (row, column), (first, first + n))
            if column:
                x, y = _LEFT + column * self.column, self._zero(row)
                self.sheet.lines.append(upright("rule", x, y - 3.0, y + 3.0))
        for k, lead in enumerate(self.rhythm):
            self._cell(lead, (self.rows + k, 0), (self.start, self.stop))
        for row in range(self.n_rows):
            draw_pulse(self.sheet, _MARGIN, self._zero(row), self.scale)
        self._marks()
        self._frame()
        return self.sheet

    def _zero(self, row: int) -> float:
        """Return the y of a row's zero, on a line of the 5-mm grid, which begins at the lower margin."""
        if self.row < _LOW_ROW:
            # The calibration pulse needs 10 mm above the zero.
            return self.top - row * self.row - 11.0
        return self.bottom + 5.0 * round((self.top - (row + 0.55) * self.row - self.bottom) / 5.0)

    def _cell(self, lead: str, place: tuple[int, int], samples: tuple[int, int]) -> None:
        view = self.view
        x, y = _LEFT + place[1] * self.column, self._zero(place[0])
        if lead not in view.leads:
            self.sheet.write(x + 1.0, y + 1.5, f"{lead}: not recorded", soft=True, boxed=True)
            return
        index = view.leads.index(lead)
        start, stop = samples[0], min(samples[1], view.n_samples)
        label = f"{lead}: the record has ended"
        if start < view.n_samples:
            # As on paper, a high wave reaches into the rows beside it; only the edges of the paper cut it.
            cell = Cell(index, start, stop, x, y, self.bottom, self.top)
            self.clipped |= draw_cell(self.sheet, view, cell, self.scale, levels(view, index, self.scale))
            label = lead + _caption(view, index, start, stop)
        self.sheet.write(x + 1.0, self.top - place[0] * self.row - 3.5, label, bold=True, boxed=True)

    def _marks(self) -> None:
        """Mark beats and labels above the last row, if that shows all the time."""
        if self.columns > 1 and not self.rhythm:
            return
        ruler = Ruler(self.start, self.stop, _LEFT, self.scale.mm_per_s / self.view.fs)
        y = self.top - (self.n_rows - 1) * self.row
        draw_marks(self.sheet, self.view.beats, ruler, y - 1.5)
        draw_marks(self.sheet, self.view.labels, ruler, y + 2.0, "label")
        if self.view.saliency is not None:
            draw_saliency(self.sheet, self.view.saliency, ruler, self.view.fs, self.bottom + 0.5)

    def _frame(self) -> None:
        """Write the title above, and below the scale and what was left out."""
        view, printed = self.view, self.printed
        self.sheet.write(_MARGIN, self.sheet.height - 8.0, view.title, size_pt=12, bold=True)
        notes = [str(self.scale)]
        if self.columns > 1:
            notes.append("all columns show the same time" if self.same else "columns follow each other in time")
        shown_s = printed.seconds / (self.columns if self.same and not self.rhythm else 1)
        end_s = min(printed.start_s + shown_s, view.duration_s)
        if printed.start_s > 0 or view.duration_s > end_s + 0.05:
            notes.append(f"{clock(printed.start_s)} to {clock(end_s)} of {clock(view.duration_s)}")
        # Of two leads of one name, the first is drawn.
        others = [lead for i, lead in enumerate(view.leads) if lead not in STANDARD or lead in view.leads[:i]]
        if others:
            notes.append(f"not shown: {', '.join(others)}")
        if self.clipped:
            notes.append("clipped at the edge of the paper")
        self.sheet.write(_MARGIN, 3.0, "   ·   ".join(notes), size_pt=7.0, soft=True)
        if view.waves is not None:
            draw_legend(self.sheet, self.sheet.width - _MARGIN, self.sheet.height - 7.5)


def _rhythm(view: EcgView, printed: Printed) -> tuple[str, ...]:
    if printed.rhythm is not None:
        for lead in printed.rhythm:
            if lead not in view.leads:
                raise InputError(f"rhythm={lead!r} is not a lead of the record. {nearest(lead, view.leads)}")
        return printed.rhythm
    usable = [lead for lead in _RHYTHM if lead in view.leads and view.in_mv(view.leads.index(lead))]
    return tuple(usable[:1])


def _caption(view: EcgView, index: int, start: int, stop: int) -> str:
    if not np.isfinite(view.signal[index, start:stop]).any():
        return ": no samples"
    if not view.in_mv(index):
        return f" ({view.unit(index) or 'unit unknown'}, not to scale)"
    return ""
