"""Tachogram and Poincaré plot, inside the page."""

from __future__ import annotations

import io
import re
from html import escape

from cardioflow.report.as_figure import EcgFigure
from cardioflow.report.page.examination import Examination
from cardioflow.report.page.texts import Texts
from cardioflow.report.plot_rr import plot_poincare, plot_tachogram

__all__ = ["rhythm_figures"]

_FEWEST_BEATS = 5


def rhythm_figures(seen: Examination, texts: Texts) -> str:
    """Return the two plots; nothing for a few beats."""
    beats = seen.measured.beats
    if len(beats.r) < _FEWEST_BEATS:
        return ""
    times = beats.r / seen.record.fs
    plots = (("tachogram", plot_tachogram), ("poincare", plot_poincare))
    inside = "".join(
        _figure(plot(times, used=beats.in_median, title=""), texts(f"rhythm.{name}"), name) for name, plot in plots
    )
    return f'<div class="pair">{inside}</div>'


def _figure(figure: EcgFigure, caption: str, name: str) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :]
    # Names of both plots would meet in one page.
    svg = re.sub(r'( id="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{escape(caption)}" ', 1)
    return f'<figure class="small">{svg}<figcaption>{escape(caption)}</figcaption></figure>'
