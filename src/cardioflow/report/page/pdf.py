"""The report as a PDF of A4 pages: the drawings true to scale, then the tables."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

from cardioflow.core.atomic import whole_file
from cardioflow.errors import CardioFlowError
from cardioflow.report.as_figure import figure_of
from cardioflow.report.median_beat import median_beat_sheet
from cardioflow.report.page import sections
from cardioflow.report.page.drawings import drawings_of
from cardioflow.report.page.examination import Examination
from cardioflow.report.page.ranges import SOURCES
from cardioflow.report.page.rhythm import ModelAnswer
from cardioflow.report.page.texts import Texts
from cardioflow.report.page.values import rows_of
from cardioflow.report.sheet import A4, Sheet
from cardioflow.report.style import RC

__all__ = ["write_pdf"]

_MARGIN: Final = 12.0
_LINE: Final = 4.6
_WRAP: Final = 170


def write_pdf(seen: Examination, texts: Texts, path: Path) -> Path:
    """Write the report to ``path``, and return it.

    Raises:
        WriteError: if it cannot be written.
    """
    from matplotlib.backends.backend_pdf import PdfPages

    settings: Any = dict(RC)
    with whole_file(path) as temporary, mpl.rc_context(settings), PdfPages(temporary) as pages:
        for sheet in pages_of(seen, texts):
            pages.savefig(figure_of(sheet))
    return path


def pages_of(seen: Examination, texts: Texts) -> list[Sheet]:
    """Return the pages: the drawings, then the tables."""
    title = texts("page.title", name=seen.path.stem)
    drawn = []
    for drawing in drawings_of(seen, texts):
        sheet = _on_a4(drawing.sheet)
        sheet.write(_MARGIN, sheet.height - 6.0, f"{title}   ·   {drawing.caption}", size_pt=9, bold=True)
        drawn.append(sheet)
    writer = _Writer(title)
    writer.pairs(sections.header_facts(seen, texts))
    writer.pairs(sections.summary(seen, texts))
    writer.lines([texts("page.not_a_device")])
    _measurements(writer, seen, texts)
    _rhythm(writer, seen, texts)
    _quality(writer, seen, texts)
    _notes(writer, seen, texts)
    return [*drawn, *writer.sheets]


def _on_a4(sheet: Sheet) -> Sheet:
    """Return a drawing in the middle of an A4 page at its own scale; one that is larger keeps its own page."""
    width, height = A4
    if sheet.width > width or sheet.height > height:
        return sheet
    dx, dy = (width - sheet.width) / 2, (height - sheet.height) / 2
    grid = None if sheet.grid is None else (sheet.grid[0] + dx, sheet.grid[1] + dy, sheet.grid[2], sheet.grid[3])
    return Sheet(
        width,
        height,
        grid,
        [replace(line, x=line.x + dx, y=line.y + dy) for line in sheet.lines],
        [replace(text, x=text.x + dx, y=text.y + dy) for text in sheet.texts],
        [replace(band, x=band.x + dx, y=band.y + dy) for band in sheet.bands],
    )


class _Writer:
    """Lines of text on as many pages as they need."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.sheets: list[Sheet] = []
        self.y = 0.0
        self._turn()

    def _turn(self) -> None:
        sheet = Sheet(*A4)
        sheet.write(_MARGIN, A4[1] - 12.0, self.title, size_pt=13, bold=True)
        self.sheets.append(sheet)
        self.y = A4[1] - 20.0

    def need(self, height: float) -> None:
        """Begin a new page if less than ``height`` is left on this one."""
        if self.y - height < _MARGIN:
            self._turn()

    def heading(self, text: str, rows: int = 2) -> None:
        self.need((rows + 2) * _LINE)
        self.y -= 2.0
        self.sheets[-1].write(_MARGIN, self.y, text, size_pt=10.5, bold=True)
        self.y -= _LINE + 0.8

    def lines(self, texts: Iterable[str]) -> None:
        for text in texts:
            for line in textwrap.wrap(text, _WRAP) or [""]:
                self.need(_LINE)
                self.sheets[-1].write(_MARGIN, self.y, line, size_pt=8)
                self.y -= _LINE

    def pairs(self, pairs: Sequence[tuple[str, str]]) -> None:
        half = -(-len(pairs) // 2)
        for k in range(half):
            for column, at in ((0, k), (1, k + half)):
                if at < len(pairs):
                    x = _MARGIN + 138.0 * column
                    self.sheets[-1].write(x, self.y, pairs[at][0], size_pt=8, soft=True)
                    self.sheets[-1].write(x + 30.0, self.y, textwrap.shorten(pairs[at][1], 70), size_pt=8)
            self.y -= _LINE
        self.y -= 1.5

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[float]) -> None:
        for number, row in enumerate([head, *rows]):
            self.need(_LINE)
            x = _MARGIN
            for text, width in zip(row, widths, strict=True):
                self.sheets[-1].write(x, self.y, text, size_pt=8, bold=number == 0)
                x += width
            self.y -= _LINE
        self.y -= 1.0


def _measurements(writer: _Writer, seen: Examination, texts: Texts) -> None:
    rows = rows_of(seen)
    writer.heading(texts("measurements.heading"), len(rows))
    head = [texts(f"measurements.{key}") for key in ("name", "value", "range", "verdict", "device", "difference")]
    body = [
        [
            texts.names()[row.name],
            row.value or textwrap.shorten(texts("measurements.unmeasured", reason=texts.reason(row.reason)), 48),
            row.range,
            texts(f"measurements.{row.verdict}").lstrip("▲▼ ") if row.verdict else "",
            row.device,
            row.difference,
        ]
        for row in rows
    ]
    writer.table(head, body, (40, 60, 40, 40, 30, 30))
    writer.lines(sections.range_notes(seen, texts))
    used = dict.fromkeys(limits.source for limits in seen.ranges.values())
    writer.lines(f"–  {SOURCES[name]}" for name in used)
    try:
        sheet = median_beat_sheet(seen.measured, title=texts("measurements.median_beat"))
    except CardioFlowError:
        return
    writer.need(sheet.height + 4.0)
    page = writer.sheets[-1]
    dx, dy = _MARGIN, writer.y - sheet.height
    moved = Sheet(page.width, page.height, None)
    moved.lines = [replace(line, x=line.x + dx, y=line.y + dy) for line in sheet.lines]
    moved.texts = [replace(text, x=text.x + dx, y=text.y + dy) for text in sheet.texts]
    page.lines += moved.lines
    page.texts += moved.texts
    if sheet.grid is not None:
        page.grid = (sheet.grid[0] + dx, sheet.grid[1] + dy, sheet.grid[2], sheet.grid[3])
    writer.y = dy - 4.0


def _rhythm(writer: _Writer, seen: Examination, texts: Texts) -> None:
    writer.heading(texts("rhythm.heading"))
    answer = seen.rhythm.model
    writer.lines([texts("rhythm.no_model")] if answer is None else _model(answer, texts))
    writer.lines(
        [f"{texts('rhythm.classical')}: {sections.classical_answer(seen, texts)}", texts("rhythm.classical_note")]
    )
    writer.lines(sections.interval_facts(seen, texts))


def _model(answer: ModelAnswer, texts: Texts) -> list[str]:
    name = texts("rhythm.model", name=answer.name)
    if answer.failed:
        return [f"{name}: {texts('rhythm.not_read', reason=answer.failed)}"]
    if answer.reasons:
        return [f"{name}: {texts('rhythm.abstained')}", *answer.reasons]
    shares = ", ".join(f"{label} {p:.3f}" for label, p in answer.probabilities.items())
    found = [f"{name}: {answer.said(answer.labels)} ({shares})"]
    if answer.prediction_set is not None:
        found.append(f"{texts('rhythm.set')}: {', '.join(answer.prediction_set) or '–'}")
    return [*found, *answer.notes]


def _quality(writer: _Writer, seen: Examination, texts: Texts) -> None:
    writer.heading(texts("quality.heading"), min(len(seen.quality), 12))

    def share(value: float) -> str:
        return "–" if not math.isfinite(value) else f"{100 * value:.0f} %"

    head = [
        texts(f"quality.{key}") for key in ("lead", "model", "missing", "unusable", "agreement", "likeness", "reasons")
    ]
    body = [
        [
            lead,
            sections.lead_judged(own, texts)[0].lstrip("▲ "),
            *map(share, own[:4]),
            textwrap.shorten(", ".join(map(texts.reason, own.reasons)), 60),
        ]
        for lead, own in zip(seen.record.leads, seen.quality, strict=True)
    ]
    writer.table(head, body, (24, 26, 22, 24, 44, 28, 100))
    writer.lines([*sections.quality_answer(seen, texts), texts("quality.note")])


def _notes(writer: _Writer, seen: Examination, texts: Texts) -> None:
    writer.heading(texts("notes.heading"))
    groups = sections.note_groups(seen, texts)
    for title, said in groups:
        writer.lines([f"{title}:", *(f"–  {text}" for text in said)])
    if not groups:
        writer.lines([texts("notes.none")])
