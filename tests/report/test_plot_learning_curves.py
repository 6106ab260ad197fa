from __future__ import annotations

import pytest

from cardioflow.errors import InputError, UnknownNameError
from cardioflow.pipeline.run_report import EpochReport, RunReport
from cardioflow.report.plot_learning_curves import plot_learning_curves

LOSS, F1 = [0.9, 0.5, 0.4], [0.3, 0.6, 0.7]


def report(n_epochs: int = 3) -> RunReport:
    figures = [{"net.train_loss": a, "net.train_metric": b} for a, b in zip(LOSS, F1, strict=True)][:n_epochs]
    whole = tuple(EpochReport(i, 10, 0, 1.0, own) for i, own in enumerate(figures))
    return RunReport((*whole, EpochReport(n_epochs, 4, 0, 0.5, {"net.train_loss": 9.0}, is_complete=False)), 0, 0)


def test_losses_and_metrics_of_finished_epochs_are_drawn_in_two_panels() -> None:
    loss, metric = plot_learning_curves(report()).axes
    assert (loss.get_ylabel(), metric.get_ylabel()) == ("loss", "metric")
    assert loss.lines[0].get_xydata().tolist() == [[1, 0.9], [2, 0.5], [3, 0.4]]
    assert metric.lines[0].get_ydata().tolist() == F1


def test_named_figures_alone_are_drawn_and_others_are_refused() -> None:
    (only,) = plot_learning_curves(report(), ["net.train_metric"]).axes
    assert [line.get_label() for line in only.lines] == ["net.train_metric"]
    with pytest.raises(UnknownNameError, match=r"no figure 'net\.train_los'\..*net\.train_loss"):
        plot_learning_curves(report(), ["net.train_los"])
    with pytest.raises(InputError, match="has 0 finished epochs and no figures of a model"):
        plot_learning_curves(report(0))
