"""Plots of what a model learned, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from cardioflow.errors import InputError, UnknownNameError, nearest
from cardioflow.pipeline.run_report import RunReport
from cardioflow.report.as_figure import EcgFigure
from cardioflow.report.style import ACCENT, COLOURS, INK, styled

__all__ = ["plot_learning_curves"]

_COLOURS: Final = (COLOURS["p"], ACCENT, COLOURS["qrs"], COLOURS["t"], INK)


def plot_learning_curves(report: RunReport, names: Sequence[str] | None = None) -> EcgFigure:
    """Return a figure of losses and metrics over the epochs of a run: losses on the left, the others on the right.

    >>> plot_learning_curves(run.report()).savefig("learning.svg")

    Args:
        report: What ``Run.report()`` returns; an epoch that was not finished is left out.
        names: The variables to draw, such as ``"my_model.train_loss"``; by default all of the report.

    Raises:
        InputError: when the run has no finished epoch, or no figures.
        UnknownNameError: for a name that the report does not have.
    """
    epochs = [own for own in report.epochs if own.is_complete]
    known = list(dict.fromkeys(name for own in epochs for name in own.figures))
    if not known:
        raise InputError(
            f"The run has {len(epochs)} finished epochs and no figures of a model. Train a model in it with "
            "train_on_batch, for one epoch at least."
        )
    names = [names] if isinstance(names, str) else names
    if names is not None and not len(names):
        raise InputError("names is empty. Pass the names of the figures to draw, or leave names out for all.")
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise UnknownNameError(f"The report has no figure {unknown[0]!r}. {nearest(unknown[0], known)}")
    drawn = known if names is None else list(names)
    groups = [[n for n in drawn if n.endswith("loss")], [n for n in drawn if not n.endswith("loss")]]
    groups = [group for group in groups if group]
    figure = EcgFigure(figsize=(3.5 * len(groups), 2.6), dpi=150, layout="constrained")
    x = np.array([own.epoch + 1 for own in epochs])
    for place, group in enumerate(groups, 1):
        label = "loss" if group[0].endswith("loss") else "metric"
        axes = styled(figure.add_subplot(1, len(groups), place), title="", xlabel="epoch", ylabel=label)
        for number, name in enumerate(group):
            y = np.array([own.figures.get(name, np.nan) for own in epochs], np.float64)
            axes.plot(x, y, ".-", color=_COLOURS[number % len(_COLOURS)], ms=4, lw=1, label=name)
        axes.legend(fontsize=7, frameon=False)
        axes.xaxis.get_major_locator().set_params(integer=True)
    return figure
