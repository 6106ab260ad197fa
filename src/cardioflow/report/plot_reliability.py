"""The plot of a reliability diagram."""

from __future__ import annotations

from typing import Any

import numpy as np

from cardioflow.calibration import Reliability
from cardioflow.report.as_figure import EcgFigure
from cardioflow.report.style import COLOURS, SOFT, styled

__all__ = ["plot_reliability"]


def plot_reliability(found: Reliability, *, title: str = "Reliability") -> EcgFigure:
    """Return a figure of how often predictions of each probability came true, and of how many there are.

    Points on the diagonal are calibrated; below it, the model is too sure. The bars are the limits of ``found``.

    Args:
        found: What ``cardioflow.calibration.reliability`` returns.
        title: What is written above.
    """
    figure = EcgFigure(figsize=(3.6, 4.2), dpi=150, layout="constrained")
    above: Any
    above, below = figure.subplots(2, 1, height_ratios=(4, 1), sharex=True)
    styled(above, title=title, xlabel="", ylabel="came true")
    above.plot((0, 1), (0, 1), color=SOFT, lw=0.8, ls="--")
    errors = np.maximum([found.frequency - found.low, found.high - found.frequency], 0)
    above.errorbar(
        found.probability, found.frequency, errors, color=COLOURS["p"], marker="o", ms=3, lw=1.0, elinewidth=0.8
    )
    above.set(xlim=(0, 1), ylim=(0, 1))
    styled(below, title="", xlabel="predicted probability", ylabel="records")
    below.bar(found.probability, found.n_records, width=0.02, color=COLOURS["p"])
    return figure
