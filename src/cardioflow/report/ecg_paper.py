"""Several records on ECG paper, with their labels and predicted probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.atomic import whole_file
from cardioflow.errors import InputError
from cardioflow.report.as_figure import EcgFigure, figure_of
from cardioflow.report.rows import Row, Rows, draw_rows, rows_of, width_of
from cardioflow.report.sheet import Band, Scale, Sheet
from cardioflow.report.view import EcgView

__all__ = ["Strip", "record_panel", "save_figure"]

_MARGIN: Final = 5.0
_HEADER: Final = 10.0
_FOOTER: Final = 6.0


@dataclass(frozen=True)
class Strip:
    """One record to draw: its signal, its title and label, and a model's probabilities."""

    signal: NDArray[np.float32]
    """Millivolts of shape (lead, time)."""
    fs: float
    leads: Sequence[str]
    title: str = ""
    truth: str | None = None
    """The true label, if it is known."""
    probabilities: Mapping[str, float] = field(default_factory=dict)
    """The model's probability of each label."""

    def __post_init__(self) -> None:
        self.view()

    def view(self) -> EcgView:
        """Return the record as it is drawn."""
        return EcgView(self.signal, self.fs, tuple(self.leads), self.title)

    @property
    def has_header(self) -> bool:
        """Whether anything is written above the traces."""
        return bool(self.title or self.truth is not None or self.probabilities)


def record_panel(
    strips: Sequence[Strip], *, title: str = "", row_s: float = 10.0, max_rows: int | None = 1
) -> EcgFigure:
    """Return a figure of several records on ECG paper, each with its true label and its predicted probabilities.

    Each lead gets at most ``max_rows`` rows of ``row_s`` seconds.

    Raises:
        InputError: if there are no records, or ``row_s`` is not between 1 and 60 seconds.
    """
    if not strips:
        raise InputError("record_panel() got no records. Pass at least one.")
    scale, how = Scale(), Rows(row_s, max_rows=max_rows)
    parts: list[tuple[Strip, EcgView, list[Row]]] = []
    for strip in strips:
        view = strip.view()
        parts.append((strip, view, rows_of(view, how, scale)[0]))
    heights = [sum(row.height for row in rows) + _HEADER * strip.has_header for strip, _, rows in parts]
    top = _HEADER if title else 0.0
    width = max(width_of(rows, view.fs, scale) for _, view, rows in parts)
    height = float(5 * np.ceil((top + sum(heights) + _FOOTER) / 5))
    sheet = Sheet(width, height, (0.0, 0.0, width, height))
    if title:
        sheet.bands.append(Band("blank", 0.0, height - top, width, top))
        sheet.write(_MARGIN, height - 6.5, title, size_pt=12, bold=True)
    y, clipped = height - top, False
    for strip, view, rows in parts:
        if strip.has_header:
            y -= _HEADER
            _draw_header(sheet, strip, y=y)
        y, cut = draw_rows(sheet, view, rows, y, scale)
        clipped |= cut
    note = "   ·   clipped at ±4 mV" if clipped else ""
    sheet.write(_MARGIN, 2.0, f"{scale}{note}", size_pt=7, soft=True)
    return figure_of(sheet)


def save_figure(figure: Any, path: str | Path) -> Path:
    """Write ``figure`` to ``path`` atomically, in the format of its suffix, and return the path.

    Raises:
        WriteError: if the file cannot be written.
    """
    path = Path(path)
    with whole_file(path) as temporary:
        figure.savefig(temporary)
    return path


def _draw_header(sheet: Sheet, strip: Strip, *, y: float) -> None:
    """Write the title and label on the left, and draw a bar per probability on the right."""
    sheet.bands.append(Band("blank", 0.0, y + 1.0, sheet.width, _HEADER - 2.0))
    truth = f"   labelled {strip.truth}" if strip.truth is not None else ""
    sheet.write(_MARGIN, y + 3.5, f"{strip.title}{truth}", size_pt=10, bold=True)
    x = sheet.width - _MARGIN
    for label, p in reversed(list(strip.probabilities.items())):
        text = f"{label} {p:.2f}"
        x -= 16.0
        sheet.bands.append(Band("track", x, y + 3.6, 16.0, 2.4))
        shown = float(np.clip(np.nan_to_num(p), 0.0, 1.0))
        sheet.bands.append(Band("bar", x, y + 3.6, 16.0 * shown, 2.4))
        sheet.write(x - 1.5, y + 3.5, text, size_pt=9, align="right")
        x -= 4.0 + 2.0 * len(text)
