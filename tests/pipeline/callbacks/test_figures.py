"""The figures that callbacks follow: which way is better, what an epoch's mean is, and the rates by hand."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cardioflow.callbacks import CsvLog, EarlyStopping, LearningRate, WeightAverage
from cardioflow.errors import ConfigError, InputError
from cardioflow.pipeline.callbacks._monitor import Monitor
from cardioflow.pipeline.callbacks._schedules import Constant, Cosine, OneCycle
from cardioflow.pipeline.callbacks.base import Callback


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("train_loss", "less"),
        ("m.val_loss", "less"),
        ("loss", "less"),
        ("eval_log_loss", "less"),
        ("eval_neg_log_loss", "more"),
        ("eval_mean_squared_error", "less"),
        ("eval_neg_mean_squared_error", "more"),
        ("eval_max_error", "less"),
        ("eval_calibration_error", "less"),
        ("eval_mae", "less"),
        ("eval_brier", "less"),
        ("eval_brier_score", "less"),
        ("eval_brier_score_loss", "less"),
        ("eval_ranked_probability_score", "less"),
        ("eval_roc_auc", "more"),
        ("eval_f1", "more"),
        ("eval_f1_score", "more"),
        ("eval_c_index", "more"),
        ("eval_balanced_accuracy_score", "more"),
        ("train_accuracy", "more"),
        ("a.b.eval_accuracy", "more"),
        ("eval_cinc2017_score", "more"),
    ],
)
def test_the_name_of_a_figure_tells_which_way_is_better(name: str, better: str) -> None:
    monitor = Monitor("X", name)
    assert monitor.is_better(1.0, 2.0) is (better == "less")
    assert monitor.is_better(3.0, 2.0) is (better == "more")
    # What is said counts more than what the name shows.
    assert Monitor("X", name, "min").is_better(1.0, 2.0)
    assert Monitor("X", name, "max").is_better(3.0, 2.0)


@pytest.mark.parametrize("name", ["train_metric", "eval_auc", "lossy", "m.eval_kappa", "eval_rmse", "figure"])
def test_a_name_that_does_not_tell_asks(name: str) -> None:
    with pytest.raises(ConfigError, match=r"the name does not show whether less or more is better\. Pass mode="):
        Monitor("X", name)


@pytest.mark.parametrize(
    ("value", "best", "min_delta", "expected"),
    [
        (1.0, None, 0, True),
        (math.nan, None, 0, False),
        (math.nan, 1.0, 0, False),
        (1.0, 1.0, 0, False),
        (0.9, 1.0, 0.1, False),
        (0.8, 1.0, 0.1, True),
        (math.inf, None, 0, True),
        (5.0, math.inf, 0, True),
        (math.inf, math.inf, 0, False),
        (-math.inf, 5.0, 0, True),
    ],
)
def test_a_change_counts_when_it_is_larger_than_the_least(
    value: float, best: Any, min_delta: float, expected: bool
) -> None:
    assert Monitor("X", "loss", None, min_delta).is_better(value, best) is expected
    turned = None if best is None else -best
    assert Monitor("X", "loss", "max", min_delta).is_better(-value, turned) is expected


@pytest.mark.parametrize("min_delta", ["0.1", True, -1, math.nan, math.inf, None])
def test_the_least_change_is_a_number(min_delta: Any) -> None:
    with pytest.raises(ConfigError, match=r"min_delta=.*expected a number of at least 0"):
        EarlyStopping("loss", min_delta=min_delta)


# -- means of an epoch ----------------------------------------------------------------------


class Appends(Callback):
    """Appends given values to a variable after each batch, and notes the figure of each epoch."""

    def __init__(self, name: str, values: list[list[Any]]) -> None:
        self._name, self._values, self.seen = name, values, []

    def run_start(self, context: Any) -> None:
        context.variables.extend(self._name, [])

    def batch_end(self, context: Any, logs: Any) -> None:
        if logs.number % 4 == 0:
            context.variables.extend(self._name, self._values[logs.epoch])

    def epoch_end(self, context: Any, epoch: int) -> None:
        self.seen.append(context.figure(self._name))


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("m.eval_f1", [[0.25, 0.75], [1]], [0.5, 1.0]),
        ("m.eval_f1", [[0.25, math.nan], [math.nan]], [0.25, math.nan]),
        ("m.eval_loss", [[0.25, math.nan], [2.0]], [math.nan, 2.0]),
        ("m.eval_f1", [[], [np.float32(0.5)]], [None, 0.5]),
        ("m.eval_f1", [[1e16, 1.0, -1e16], [0.1] * 10], [1 / 3, 0.1]),
    ],
    ids=["means", "a metric without a value", "a loss without a value", "nothing yet", "exact sums"],
)
def test_a_figure_is_the_mean_of_what_came_in_its_epoch(
    train: Any, training: Any, name: str, values: Any, expected: Any
) -> None:
    appends = Appends(name, values)
    (train >> training).run(10, n_epochs=2, progress=False, callbacks=[appends])
    assert appends.seen == pytest.approx(expected, nan_ok=True)


def test_the_table_of_an_epoch_has_the_mean_loss_and_the_last_epoch_its_own(
    train: Any, training: Any, tmp_path: Path
) -> None:
    appends = Appends("m.eval_score", [[1.0, 2.0], [], [np.float32(4)]])
    run = (train >> training).run(10, n_epochs=3, progress=False, callbacks=[appends, CsvLog(tmp_path / "log.csv")])
    with (tmp_path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    losses = run.get_variable("m.train_loss")
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    for i, row in enumerate(rows):
        assert float(row["m.train_loss"]) == pytest.approx(math.fsum(losses[4 * i : 4 * i + 4]) / 4, abs=1e-15)
    assert [row["m.eval_score"] for row in rows] == ["1.5", "", "4.0"]


# -- learning rates by hand --------------------------------------------------------------------


def test_a_warm_up_rises_in_equal_steps_to_the_peak_and_stays() -> None:
    rates = [Constant(0.4, warmup=3).rate(step, 0) for step in range(6)]
    assert rates == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])
    assert [Constant(0.4).rate(step, 0) for step in (0, 99)] == [0.4, 0.4]


def test_half_a_cosine_has_its_middle_in_the_middle_and_ends_where_it_is_to_end() -> None:
    schedule = Cosine(1.0, warmup=2, end=0.2)
    rates = [schedule.rate(step, 10) for step in range(13)]
    assert rates[:3] == pytest.approx([1 / 3, 2 / 3, 1.0])
    assert rates[6] == pytest.approx(0.6)
    assert rates[4] == pytest.approx(0.2 + 0.8 * (1 + math.sqrt(0.5)) / 2)
    # Beyond its length, as in a second loop over the run, it stays.
    assert rates[10:] == pytest.approx([0.2] * 3)
    assert rates[2:] == sorted(rates[2:], reverse=True)


def test_a_schedule_of_one_step_begins_at_its_peak() -> None:
    assert Cosine(0.5).rate(0, 1) == 0.5
    assert OneCycle(0.5).rate(0, 1) == 0.5
    assert Cosine(0.5, warmup=5).rate(0, 3) == pytest.approx(0.5 / 6)


def test_a_plateau_never_goes_below_its_least_rate_nor_above_the_warm_up(
    train: Any, training: Any, softmax: Any
) -> None:
    rate = LearningRate.plateau(0.8, "eval_loss", factor=0.5, patience=1, min_rate=0.3, warmup=2)
    appends = Appends("m.eval_loss", [[1.0]] * 4)
    (train >> training).run(10, n_epochs=4, progress=False, callbacks=[appends, rate])
    expected = [0.8 / 3, 1.6 / 3, 0.8, 0.8] + [0.8] * 4 + [0.4] * 4 + [0.3] * 4
    assert softmax.rates == pytest.approx(expected)


# -- averages of weights, and states -----------------------------------------------------------


def test_the_average_of_weights_is_that_of_its_formula(train: Any, training: Any, softmax: Any) -> None:
    class Notes(Callback):
        def __init__(self) -> None:
            self.weights: list[Any] = []

        def batch_end(self, context: Any, logs: Any) -> None:
            self.weights.append(softmax.model.astype(np.float64))

    notes = Notes()
    (train >> training).run(10, n_epochs=1, progress=False, callbacks=[notes, WeightAverage(0.15)])
    average = notes.weights[0]
    for n, own in enumerate(notes.weights[1:], 1):
        d = min(0.15, (1 + n) / (10 + n))
        average = d * average + (1 - d) * own
    np.testing.assert_allclose(softmax.model, average, rtol=1e-5, atol=1e-7)
    assert not np.allclose(softmax.model, notes.weights[-1], rtol=1e-5)


@pytest.mark.parametrize("make", [lambda: EarlyStopping("loss"), WeightAverage, lambda: LearningRate.constant(1)])
def test_the_state_of_another_callback_is_refused(make: Any) -> None:
    own, other = make(), CsvLog("x.csv")
    with pytest.raises(InputError, match=r"restore\(\) was given the values \['rows'\], and expected"):
        own.restore(other.state())
    own.restore(own.state())
    with pytest.raises(InputError, match=r"CsvLog\.restore\(\) was given the values \['best'"):
        other.restore(EarlyStopping("loss").state())


def test_a_state_is_a_copy_that_later_epochs_do_not_change() -> None:
    log = CsvLog("x.csv")
    log.memory["rows"].append({"epoch": 0})
    state = log.state()
    log.memory["rows"][0]["epoch"] = 9
    assert state == {"rows": [{"epoch": 0}]}
    log.restore(state)
    log.memory["rows"].append({"epoch": 1})
    assert state == {"rows": [{"epoch": 0}]}
