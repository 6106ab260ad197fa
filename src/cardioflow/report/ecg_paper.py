"""ECGs on paper, true to scale: 25 mm per second, 10 mm per millivolt, on a grid of 1 mm and 5 mm."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from cardioflow.core.atomic import whole_file
from cardioflow.errors import InputError

__all__ = ["Strip", "plot_ecg", "record_panel", "save_figure"]

MM_PER_S = 25.0
MM_PER_MV = 10.0

_INCH = 25.4
_MARGIN = 5.0
_PULSE = 5.0  # the calibration pulse lasts 0.2 s and is 1 mV high
_LEFT = _MARGIN + 3 * _PULSE
_HEADER = 10.0
_FOOTER = 6.0
_TALLEST_MV = 4.0  # samples further from the median are clipped, and the footer says so
_MINOR, _MAJOR, _INK, _SOFT, _BAR = "#f7d9d6", "#e8a9a3", "#16181d", "#5c6068", "#b3342d"


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
        who = f" of {self.title!r}" if self.title else ""
        if self.signal.ndim != 2 or not self.signal.size:
            raise InputError(f"The signal{who} has the shape {self.signal.shape}. Pass (lead, time), with samples.")
        if len(self.leads) != len(self.signal):
            raise InputError(f"{len(self.leads)} lead names for {len(self.signal)} leads{who}. Pass one name per lead.")
        if not self.fs > 0:
            raise InputError(f"fs={self.fs!r}{who} is not a sampling rate. Pass the number of samples per second.")


@dataclass(frozen=True)
class _Row:
    """One row of the trace: its label, its samples, and how far it extends from its median, in millimetres."""

    label: str
    mv: NDArray[np.float32]
    fs: float
    up: float
    down: float
    cut: bool


def plot_ecg(
    signal: NDArray[np.float32], fs: float, leads: Sequence[str], *, title: str = "", row_s: float = 10.0
) -> Figure:
    """Return a figure of one ECG on paper, true to scale, with one row per lead and ``row_s`` seconds.

    ``signal`` is in millivolts, of shape (lead, time). Each row is centred on
    its median; NaN is drawn as a gap. ``figure.savefig`` writes the figure in any
    format, at its true size if the format stores one.

    Raises:
        InputError: if the signal does not have that shape, or is empty.
    """
    return record_panel([Strip(signal, fs, leads, title)], row_s=row_s, max_rows=None)


def record_panel(strips: Sequence[Strip], *, title: str = "", row_s: float = 10.0, max_rows: int | None = 1) -> Figure:
    """Return a figure of several records on ECG paper, each with its true label and its predicted probabilities.

    Each lead gets at most ``max_rows`` rows of ``row_s`` seconds.

    Raises:
        InputError: if there are no records, or ``row_s`` is not between 1 and 60 seconds.
    """
    if not strips:
        raise InputError("record_panel() got no records. Pass at least one.")
    if not 1.0 <= row_s <= 60.0:
        raise InputError(f"row_s={row_s!r} is not between 1 and 60 seconds.")
    parts = [(strip, _rows(strip, row_s, max_rows)) for strip in strips]
    longest = max(len(row.mv) / row.fs for _, rows in parts for row in rows)
    width = 5 * np.ceil((_LEFT + MM_PER_S * longest + _MARGIN) / 5)
    heights = [sum(r.up + r.down for r in rows) + (_HEADER if _has_header(strip) else 0) for strip, rows in parts]
    top = _HEADER if title else 0.0
    height = 5 * np.ceil((top + sum(heights) + _FOOTER) / 5)

    figure = Figure(figsize=(width / _INCH, height / _INCH), dpi=150, facecolor="white")
    paper = figure.add_axes((0.0, 0.0, 1.0, 1.0))  # in millimetres from the lower left corner
    paper.set(xlim=(0, width), ylim=(0, height))
    paper.set_axis_off()
    _draw_grid(paper, width, height)
    if title:
        _blank(paper, height - top, width, top)
        _write(paper, _MARGIN, height - 6.5, title, size=12, weight="bold")
    y = height - top
    for strip, rows in parts:
        y = _draw_strip(paper, strip, rows, y=y, width=width)
    cut = f"   ·   clipped at ±{_TALLEST_MV:g} mV" if any(r.cut for _, rows in parts for r in rows) else ""
    _write(paper, _MARGIN, 2.0, f"{MM_PER_S:g} mm/s   ·   {MM_PER_MV:g} mm/mV{cut}", size=7, color=_SOFT)
    return figure


def save_figure(figure: Figure, path: str | Path) -> Path:
    """Write ``figure`` to ``path`` atomically, in the format of its suffix, and return the path."""
    path = Path(path)
    with whole_file(path) as temporary:
        figure.savefig(temporary)
    return path


def _rows(strip: Strip, row_s: float, max_rows: int | None) -> list[_Row]:
    n = max(1, round(row_s * strip.fs))
    rows = []
    for lead, mv in zip(strip.leads, strip.signal, strict=True):
        starts = list(range(0, mv.size, n))[:max_rows]
        for start in starts:
            label = f"{lead}  {start / strip.fs:g} s" if start else str(lead)
            rows.append(_row(label, mv[start : start + n], strip.fs))
    return rows


def _row(label: str, mv: NDArray[np.float32], fs: float) -> _Row:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a row with only NaN is drawn empty
        middle = np.nan_to_num(np.nanmedian(mv))
        centred = np.where(np.isfinite(mv), mv - middle, np.nan)
        top, bottom = np.nan_to_num([np.nanmax(centred), np.nanmin(centred)])
    cut = bool(max(top, -bottom) > _TALLEST_MV)
    up, down = (np.clip(v, 0.0, _TALLEST_MV) * MM_PER_MV for v in (top, -bottom))
    # Whole squares of 5 mm, so that the zero of every row lies on a major grid line.
    up, down = (float(5 * np.ceil((v + 2.0) / 5)) for v in (max(up, 10.5), max(down, 4.5)))
    return _Row(label, np.clip(centred, -_TALLEST_MV, _TALLEST_MV).astype(np.float32), fs, up, down, cut)


def _has_header(strip: Strip) -> bool:
    return bool(strip.title or strip.truth is not None or strip.probabilities)


def _draw_strip(paper: Axes, strip: Strip, rows: list[_Row], *, y: float, width: float) -> float:
    """Draw ``strip`` below ``y`` and return the y coordinate of its lower end."""
    if _has_header(strip):
        y -= _HEADER
        _draw_header(paper, strip, y=y, width=width)
    for row in rows:
        y -= row.up
        x = _MARGIN + _PULSE * np.array([0.0, 0.5, 0.5, 1.5, 1.5, 2.0])
        paper.plot(x, y + MM_PER_MV * np.array([0, 0, 1, 1, 0, 0]), color=_INK, lw=0.9, solid_joinstyle="miter")
        t = np.arange(row.mv.size) / row.fs
        paper.plot(_LEFT + MM_PER_S * t, y + MM_PER_MV * row.mv, color=_INK, lw=0.8, solid_joinstyle="round")
        _write(paper, _LEFT - 3.5, y + row.up - 4.5, row.label, size=8, weight="bold", boxed=True)
        y -= row.down
    return y


def _draw_header(paper: Axes, strip: Strip, *, y: float, width: float) -> None:
    """Write the title and label on the left, and draw a bar per probability on the right."""
    _blank(paper, y + 1.0, width, _HEADER - 2.0)
    truth = f"   labelled {strip.truth}" if strip.truth is not None else ""
    _write(paper, _MARGIN, y + 3.5, f"{strip.title}{truth}", size=10, weight="bold")
    x = width - _MARGIN
    for label, p in reversed(list(strip.probabilities.items())):
        text = f"{label} {p:.2f}"
        x -= 16.0
        paper.add_patch(Rectangle((x, y + 3.6), 16.0, 2.4, facecolor="#eceef1", edgecolor="none", zorder=3))
        shown = float(np.clip(np.nan_to_num(p), 0.0, 1.0))
        paper.add_patch(Rectangle((x, y + 3.6), 16.0 * shown, 2.4, facecolor=_BAR, edgecolor="none", zorder=4))
        _write(paper, x - 1.5, y + 3.5, text, size=9, align="right")
        x -= 4.0 + 2.0 * len(text)


def _blank(paper: Axes, y: float, width: float, height: float) -> None:
    paper.add_patch(Rectangle((0, y), width, height, facecolor="white", edgecolor="none", zorder=2))


def _draw_grid(paper: Axes, width: float, height: float) -> None:
    for step, color, lw in ((1.0, _MINOR, 0.3), (5.0, _MAJOR, 0.55)):
        xs, ys = np.arange(0.0, width + 0.5, step), np.arange(0.0, height + 0.5, step)
        lines = [[(x, 0.0), (x, height)] for x in xs] + [[(0.0, y), (width, y)] for y in ys]
        paper.add_collection(LineCollection(lines, colors=color, linewidths=lw, zorder=1), autolim=False)


def _write(
    paper: Axes,
    x: float,
    y: float,
    text: str,
    *,
    size: float,
    weight: str = "normal",
    color: str = _INK,
    align: str = "left",
    boxed: bool = False,
) -> None:
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.8} if boxed else None
    # parse_math: a record's name may contain a dollar sign.
    paper.text(
        x, y, text, fontsize=size, fontweight=weight, color=color, ha=align, bbox=box, zorder=5, parse_math=False
    )
