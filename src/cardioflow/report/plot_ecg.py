"""One ECG on paper, true to scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cardioflow.analysis.waves.results import Delineation
from cardioflow.batch.annotation import Annotation
from cardioflow.batch.layout import Layout
from cardioflow.errors import InputError
from cardioflow.report.as_figure import EcgFigure, figure_of
from cardioflow.report.layouts import Printed, grid_sheet, layout_for
from cardioflow.report.rows import Rows, rows_sheet, strip_sheets
from cardioflow.report.sheet import Scale, Sheet
from cardioflow.report.view import EcgView, as_marks, wave_spans

__all__ = ["plot_ecg", "sheets_of"]


def plot_ecg(
    signal: ArrayLike,
    fs: float,
    leads: Sequence[str],
    *,
    title: str = "",
    layout: Layout = "auto",
    units: Sequence[str] | None = None,
    waves: Delineation | Annotation | None = None,
    beats: Any = None,
    labels: Any = None,
    saliency: ArrayLike | None = None,
    start_s: float = 0.0,
    stop_s: float | None = None,
    row_s: float = 10.0,
    mm_per_s: float = 25.0,
    mm_per_mv: float = 10.0,
    rhythm: Sequence[str] | None = None,
    simultaneous: bool | None = None,
) -> EcgFigure:
    """Return a figure of one ECG on paper, true to scale: 25 mm per second, 10 mm per millivolt.

    ``figure.savefig("ecg.pdf")`` writes PNG, SVG or PDF at its true size: a calibration pulse of 1 mV is 10 mm high
    on paper if it is printed at 100 %. Each row is centred on its median. NaN is a gap, shaded where it is longer
    than 0.1 s; a lead that was not recorded, has no samples or has no known unit says so. The grid and the conventions
    are those of AHA/ACC/HRS 2007 (Kligfield et al.): squares of 1 and 5 mm, speed and gain on every page.

    Args:
        signal: millivolts of shape (lead, time), or (time,) for one lead.
        fs: samples per second.
        leads: the name of each lead.
        title: what is written above.
        layout: ``"3x4"`` with a rhythm strip, ``"6x2"`` or ``"12x1"`` on A4; ``"rows"``, a row per lead and ``row_s``
            seconds; ``"strips"``, the first A4 page of rows of one height. ``"auto"`` is 3x4 for a 12-lead ECG of
            up to 15 s, and otherwise rows.
        units: the unit of each lead; one that is not mV is not drawn to scale, and says so.
        waves: what ``delineate`` or the action of that name returns, or a reference with brackets, to colour P, QRS
            and T.
        beats: samples, an ``Annotation``, or pairs of a sample and a text, marked above the trace.
        labels: the same, such as a rhythm that begins there.
        saliency: from 0 to 1 per sample, how much a model's answer rests on it.
        start_s: where the drawing starts.
        stop_s: where it ends, for rows and strips; up to 60 rows are drawn, and the footer says which part.
        row_s: seconds per row.
        mm_per_s: the speed of the paper.
        mm_per_mv: the gain.
        rhythm: the leads of the strips under the 3x4; by default II.
        simultaneous: whether the columns show the same time; by default only where the record is too short for one
            after another. The footer says which.

    Raises:
        InputError: when the signal does not have that shape or is empty, or an argument is none of those.
    """
    x = np.atleast_2d(np.asarray(signal))
    n = x.shape[-1]
    names, units, rhythm = _names(leads), _names(units), _names(rhythm)
    view = EcgView(
        x,
        float(fs),
        names or (),
        title,
        units or (),
        wave_spans(waves, len(x), n, float(fs)),
        as_marks(beats, "beats", n),
        as_marks(labels, "labels", n),
        None if saliency is None else np.asarray(saliency),
    )
    how = Rows(row_s, start_s, stop_s)
    printed = Printed(start_s=start_s, rhythm=rhythm, simultaneous=simultaneous)
    return figure_of(sheets_of(view, layout, how, printed, Scale(mm_per_s, mm_per_mv))[0])


def _names(given: Sequence[str] | None) -> tuple[str, ...] | None:
    """Return names as a tuple; a text is one name, and not its letters: ``"II"`` is not I twice."""
    return None if given is None else (given,) if isinstance(given, str) else tuple(given)


def sheets_of(view: EcgView, layout: Layout, how: Rows, printed: Printed, scale: Scale) -> list[Sheet]:
    """Return the pages of a record in a layout: one, but for strips.

    Raises:
        InputError: when the layout does not fit the record.
    """
    chosen = layout_for(view, layout)
    if chosen == "rows":
        return [rows_sheet(view, how, scale)]
    if chosen == "strips":
        return strip_sheets(view, how, scale)
    if not 0 <= printed.start_s < view.duration_s:
        raise InputError(f"start_s={printed.start_s!r} is outside the record, which lasts {view.duration_s:g} s.")
    seconds = 250.0 / scale.mm_per_s
    return [grid_sheet(view, Printed(chosen, printed.start_s, seconds, printed.rhythm, printed.simultaneous), scale)]
