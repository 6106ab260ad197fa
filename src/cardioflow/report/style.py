"""The colours and lines of all figures; they differ on pink paper, in grey print and for colour-blind readers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["ACCENT", "COLOURS", "GRID_MAJOR", "GRID_MINOR", "INK", "RC", "SOFT", "styled"]

INK: Final = "#16181d"
SOFT: Final = "#5c6068"
ACCENT: Final = "#b3342d"
GRID_MINOR: Final = "#f7d9d6"
GRID_MAJOR: Final = "#e8a9a3"

COLOURS: Final[Mapping[str, str]] = {
    "trace": INK,
    "pulse": INK,
    "p": "#005a9c",
    "qrs": "#a03c00",
    "t": "#00693e",
    "beat": SOFT,
    "label": "#6a1b7a",
    "calipers": "#6a1b7a",
    "rule": SOFT,
}
"""The colour of each kind of line. On white, each has a contrast of 4.5 : 1 or more (WCAG 2.2, 1.4.3)."""

RC: Final[Mapping[str, Any]] = {
    "font.size": 9.0,
    "font.family": "sans-serif",
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.titlesize": 10.0,
    "axes.titleweight": "bold",
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    # Text stays text: it can be selected, searched and read aloud.
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    # Without a salt, the names inside an SVG differ from run to run.
    "svg.hashsalt": "cardioflow",
}
"""Settings of Matplotlib under which figures are drawn and saved."""


def styled(axes: Any, *, title: str, xlabel: str, ylabel: str) -> Any:
    """Give ``axes`` a title, labels with units, a light grid and two spines, and return them."""
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.set_title(title, loc="left", fontsize=10, fontweight="bold")
    axes.tick_params(labelsize=8)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_fontsize(8)
    axes.grid(visible=True, color="#dfe2e6", lw=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return axes
