"""Beats, labels, the legend of the waves, and the weight of each moment in a model's answer, drawn on a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cardioflow.report.sheet import Band, Line, LineKind, Sheet
from cardioflow.report.view import Mark

__all__ = ["Ruler", "draw_legend", "draw_marks", "draw_saliency", "upright"]

_STEP_S: Final = 0.1
_FAINT: Final = 0.02
_WAVES: Final[tuple[tuple[LineKind, str], ...]] = (("t", "T"), ("qrs", "QRS"), ("p", "P"))


class Ruler(NamedTuple):
    """Where the samples of a row lie on the paper."""

    start: int
    stop: int
    x: float
    """Of the first sample, in millimetres."""
    mm_per_sample: float

    def at(self, sample: int) -> float:
        """Return the x of a sample."""
        return self.x + self.mm_per_sample * (sample - self.start)


def upright(kind: LineKind, x: float, low: float, high: float, name: str = "") -> Line:
    """Return a vertical line."""
    return Line(kind, np.array([x, x]), np.array([low, high]), name)


def draw_marks(
    sheet: Sheet, marks: Sequence[Mark], ruler: Ruler, y: float, kind: Literal["beat", "label"] = "beat"
) -> None:
    """Draw a stroke per mark of the row, with its text, below ``y``."""
    for mark in marks:
        if ruler.start <= mark.sample < ruler.stop:
            x = ruler.at(mark.sample)
            sheet.lines.append(upright(kind, x, y - 1.5, y, mark.text or kind))
            if mark.text:
                sheet.write(x + 0.6, y - 1.7, mark.text, size_pt=6.5, bold=kind == "label", soft=kind == "beat")


def draw_saliency(sheet: Sheet, saliency: NDArray[np.float64], ruler: Ruler, fs: float, y: float) -> None:
    """Draw from ``y`` upwards how much each tenth of a second weighs in a model's answer."""
    step = max(1, round(_STEP_S * fs))
    for start in range(ruler.start, min(ruler.stop, saliency.size), step):
        strength = float(np.nan_to_num(saliency[start : start + step]).mean())
        if strength > _FAINT:
            sheet.bands.append(Band("episode", ruler.at(start), y, ruler.mm_per_sample * step, 2.5, min(strength, 1.0)))


def draw_legend(sheet: Sheet, right: float, y: float) -> None:
    """Write which colour is which wave, ending at ``right``."""
    x = right
    for kind, name in _WAVES:
        x -= 4.0 + 2.2 * len(name)
        sheet.write(x, y, name, size_pt=8)
        sheet.lines.append(Line(kind, np.array([x - 6.0, x - 1.0]), np.array([y + 1.0, y + 1.0]), f"legend: {name}"))
        x -= 8.0
