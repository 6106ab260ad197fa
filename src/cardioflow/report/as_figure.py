"""A drawing as a Matplotlib figure, true to size in every format that stores one."""

from __future__ import annotations

import io
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cardioflow.report.sheet import Band, Sheet, Text
from cardioflow.report.style import ACCENT, COLOURS, GRID_MAJOR, GRID_MINOR, INK, RC, SOFT

__all__ = ["EcgFigure", "figure_of"]

_INCH: Final = 25.4
_WIDTHS: Final = {"trace": 0.8, "pulse": 0.9, "p": 1.1, "qrs": 1.1, "t": 1.1, "beat": 0.7, "label": 1.0, "rule": 0.6}
_FILLS: Final = {"blank": "white", "gap": "#d4d7dc", "episode": ACCENT, "bar": ACCENT, "track": "#eceef1"}


class EcgFigure(Figure):
    """A figure that notebooks show as it is, and that is saved as text that can be searched."""

    def _repr_png_(self) -> bytes:
        out = io.BytesIO()
        self.savefig(out, format="png", dpi=110)
        return out.getvalue()

    def savefig(self, fname: Any, **more: Any) -> None:
        """Write the figure to a file, in the format of its suffix (PNG, SVG, PDF)."""
        settings: Any = dict(RC)
        with mpl.rc_context(settings):
            super().savefig(fname, **more)


def figure_of(sheet: Sheet) -> EcgFigure:
    """Return ``sheet`` as a figure whose one axes counts millimetres from the lower left corner."""
    figure = EcgFigure(figsize=(sheet.width / _INCH, sheet.height / _INCH), dpi=150, facecolor="white")
    paper = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    paper.set(xlim=(0, sheet.width), ylim=(0, sheet.height))
    paper.set_axis_off()
    if sheet.grid is not None:
        _draw_grid(paper, *sheet.grid)
    for band in sheet.bands:
        paper.add_patch(_patch(band))
    for line in sheet.lines:
        wide = _WIDTHS.get(line.kind, 0.8)
        join = "miter" if line.kind == "pulse" else "round"
        paper.plot(line.x, line.y, color=COLOURS[line.kind], lw=wide, solid_joinstyle=join, zorder=_order(line.kind))
    for text in sheet.texts:
        _write(paper, text)
    return figure


def _order(kind: str) -> float:
    return 3.6 if kind in ("p", "qrs", "t") else 3.5


def _patch(band: Band) -> Rectangle:
    alpha = band.strength if band.kind == "episode" else 1.0
    order = {"blank": 2.0, "gap": 2.5, "episode": 2.5, "track": 3.0, "bar": 3.2}[band.kind]
    return Rectangle(
        (band.x, band.y), band.width, band.height, facecolor=_FILLS[band.kind], edgecolor="none", alpha=alpha,
        zorder=order,
    )  # fmt: skip


def _draw_grid(paper: Axes, x: float, y: float, width: float, height: float) -> None:
    for step, color, lw in ((1.0, GRID_MINOR, 0.3), (5.0, GRID_MAJOR, 0.55)):
        xs, ys = np.arange(x, x + width + 1e-6, step), np.arange(y, y + height + 1e-6, step)
        lines = [[(v, y), (v, y + height)] for v in xs] + [[(x, v), (x + width, v)] for v in ys]
        paper.add_collection(LineCollection(lines, colors=color, linewidths=lw, zorder=1), autolim=False)


def _write(paper: Axes, text: Text) -> None:
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.8} if text.boxed else None
    # parse_math: a record's name may contain a dollar sign.
    paper.text(
        text.x,
        text.y,
        text.text,
        fontsize=text.size_pt,
        fontweight="bold" if text.bold else "normal",
        color=SOFT if text.soft else INK,
        ha=text.align,
        bbox=box,
        # A boxed label covers the grid, and never the trace.
        zorder=3.3 if text.boxed else 5.0,
        parse_math=False,
    )
