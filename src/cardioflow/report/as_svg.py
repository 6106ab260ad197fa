"""A drawing as SVG, true to size, with only those points that a straight line would miss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.compiled import kernel, read_only
from cardioflow.report.sheet import Band, Line, Sheet, Text
from cardioflow.report.style import ACCENT, COLOURS, GRID_MAJOR, GRID_MINOR, INK, SOFT

__all__ = ["svg_of"]

Floats = NDArray[np.float64]

_UNITS_PER_MM: Final = 100.0
"""The unit of coordinates is 0.01 mm: 1 µV at 10 mm/mV."""
_TOLERANCE: Final = 2.5
"""Hundredths of a millimetre by which the line may miss a sample: 2.5 µV at 10 mm/mV, a tenth of its width."""
_COLUMNS: Final = (10.0, 25.0)
"""In each tenth of a millimetre the least and largest value are kept: 500 samples per second at 25 mm/s keep all of
theirs. Of denser ones, those of each quarter of a millimetre."""
_DENSE: Final = 2.2
"""Samples per tenth of a millimetre."""
_MM_PER_PT: Final = 25.4 / 72.0
_WIDTHS: Final = {"trace": 0.25, "pulse": 0.3, "p": 0.42, "qrs": 0.42, "t": 0.42, "calipers": 0.3, "rule": 0.2}
_FILLS: Final = {"blank": "#ffffff", "gap": "#d4d7dc", "episode": ACCENT, "bar": ACCENT, "track": "#eceef1"}


def svg_of(
    sheet: Sheet, *, title: str, description: str, name: str, data: Mapping[str, float] = MappingProxyType({})
) -> str:
    """Return ``sheet`` as an ``<svg>`` element whose width and height are in millimetres.

    Args:
        sheet: the drawing.
        title: what it is, for readers who do not see it.
        description: what it shows, for the same.
        name: an identifier that no other drawing of the page has.
        data: numbers that a script of the page finds in ``dataset``.
    """
    width, height = (round(v * _UNITS_PER_MM) for v in (sheet.width, sheet.height))
    parts = [
        f'<svg class="paper" id="{name}" xmlns="http://www.w3.org/2000/svg" role="img"',
        f' aria-labelledby="{name}-t {name}-d" width="{sheet.width:g}mm" height="{sheet.height:g}mm"',
        f' style="--w:{sheet.width:g}mm;--h:{sheet.height:g}mm" viewBox="0 0 {width} {height}"',
        *(f' data-{key}="{value:g}"' for key, value in {"w": sheet.width, "h": sheet.height, **data}.items()),
        ">",
        f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(description)}</desc>',
        *_grid(sheet),
        *(_band(band, sheet.height) for band in sheet.bands),
        *(_text(text, sheet.height) for text in sheet.texts if text.boxed),
        *_lines(sheet),
        *(_text(text, sheet.height) for text in sheet.texts if not text.boxed),
        "</svg>",
    ]
    return "".join(parts)


def _grid(sheet: Sheet) -> Iterator[str]:
    if sheet.grid is None:
        return
    x, y, width, height = sheet.grid
    top = sheet.height - y - height
    for step, color, stroke in ((1.0, GRID_MINOR, 0.1), (5.0, GRID_MAJOR, 0.2)):
        # The vertical lines count from the left, the horizontal ones from the bottom, as the traces do.
        path = "".join(f"M{_u(v)} {_u(top)}v{_u(height)}" for v in np.arange(x, x + width + 1e-6, step))
        path += "".join(f"M{_u(x)} {_u(sheet.height - v)}h{_u(width)}" for v in np.arange(y, y + height + 1e-6, step))
        yield f'<path d="{path}" fill="none" stroke="{color}" stroke-width="{_u(stroke)}"/>'


def _band(band: Band, height: float) -> str:
    opacity = f' fill-opacity="{band.strength:.2f}"' if band.kind == "episode" else ""
    return (
        f'<rect x="{_u(band.x)}" y="{_u(height - band.y - band.height)}" width="{_u(band.width)}" '
        f'height="{_u(band.height)}" fill="{_FILLS[band.kind]}"{opacity}/>'
    )


def _lines(sheet: Sheet) -> Iterator[str]:
    """Yield the traces, and over them the coloured waves."""
    for wave in (False, True):
        for line in sheet.lines:
            if (line.kind in ("p", "qrs", "t")) is wave:
                yield _line(line, sheet.height)


def _line(line: Line, height: float) -> str:
    x, y = np.round(line.x * _UNITS_PER_MM), np.round((height - line.y) * _UNITS_PER_MM)
    path = "".join(_path(x, y))
    width = _u(_WIDTHS.get(line.kind, 0.25))
    return (
        f'<path class="{line.kind}" d="{path}" fill="none" stroke="{COLOURS[line.kind]}" stroke-width="{width}" '
        'stroke-linejoin="round"/>'
    )


def _path(x: Floats, y: Floats) -> Iterator[str]:
    known = np.isfinite(x) & np.isfinite(y)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(np.int8))).reshape(-1, 2)
    for a, b in edges:
        own_x, own_y = x[a:b], y[a:b]
        extreme = _extremes(own_x, own_y)
        own_x, own_y = own_x[extreme], own_y[extreme]
        kept = _needed(own_x, own_y)
        xs, ys = own_x[kept].astype(np.int64), own_y[kept].astype(np.int64)
        moves = np.stack([np.diff(xs), np.diff(ys)], axis=1).ravel().tolist()
        # A number with a minus sign needs no space before it.
        steps = "".join(f"{v}" if v < 0 or not k else f" {v}" for k, v in enumerate(moves))
        yield f"M{xs[0]} {ys[0]}" + (f"l{steps}" if moves else "h0")


def _extremes(x: Floats, y: Floats) -> NDArray[np.intp]:
    """Return the points with the least and largest value in each tenth of a millimetre, and the first and last."""
    # A path that turns back, as a caliper does, is not a trace.
    if x.size < 3 or (np.diff(x) < 0).any():
        return np.arange(x.size)
    dense = x.size > _DENSE * (x[-1] - x[0]) / _COLUMNS[0]
    column = np.floor(x / _COLUMNS[int(dense)])
    starts = np.flatnonzero(np.diff(column, prepend=-1.0))
    order = np.lexsort((y, column))
    ends = np.append(starts[1:], x.size) - 1
    return np.unique(np.concatenate([order[starts], order[ends], [0, x.size - 1]]))


def _needed(x: Floats, y: Floats) -> NDArray[np.bool_]:
    kept = np.zeros(x.size, np.bool_)
    if x.size:
        _swing(read_only(x), read_only(y), _TOLERANCE, kept)
    return kept


@kernel()
def _swing(x: Any, y: Any, tolerance: float, kept: Any) -> None:
    """Mark the points of a line that misses none of the others by more than ``tolerance`` (swinging door)."""
    n = x.size
    kept[0] = True
    kept[n - 1] = True
    start = 0
    low, high = -1e18, 1e18
    for k in range(1, n):
        dx = x[k] - x[start]
        if dx <= 0.0:
            # Two samples within a hundredth of a millimetre, or a vertical stroke.
            kept[k] = True
            start = k
            low, high = -1e18, 1e18
            continue
        slope = (y[k] - y[start]) / dx
        if slope < low or slope > high:
            kept[k - 1] = True
            start = k - 1
            dx = x[k] - x[start]
            low, high = -1e18, 1e18
            if dx <= 0.0:
                kept[k] = True
                start = k
                continue
        low = max(low, (y[k] - tolerance - y[start]) / dx)
        high = min(high, (y[k] + tolerance - y[start]) / dx)


def _text(text: Text, height: float) -> str:
    anchor = {"left": "", "center": ' text-anchor="middle"', "right": ' text-anchor="end"'}[text.align]
    weight = ' font-weight="bold"' if text.bold else ""
    size = _u(text.size_pt * _MM_PER_PT)
    # A halo of paper instead of a box, so that nothing under the text is cut off at a corner.
    halo = f' paint-order="stroke" stroke="#ffffff" stroke-width="{_u(0.8)}"' if text.boxed else ""
    return (
        f'<text x="{_u(text.x)}" y="{_u(height - text.y)}" font-size="{size}" fill="{SOFT if text.soft else INK}"'
        f"{weight}{anchor}{halo}>{escape(text.text)}</text>"
    )


def _u(mm: float) -> str:
    return f"{mm * _UNITS_PER_MM:.0f}"
