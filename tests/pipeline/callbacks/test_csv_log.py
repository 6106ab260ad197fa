"""``CsvLog`` writes a row per epoch."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest

from cardioflow.callbacks import Callback, CsvLog, Evaluate
from cardioflow.errors import InputError


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_per_epoch_holds_all_figures_and_what_an_epoch_lacks_is_empty(train, valid, training, prepared, tmp_path):
    log, evaluate = CsvLog(tmp_path / "log.csv"), Evaluate(valid >> prepared, every=8)
    run = (train >> training).run(10, n_epochs=4, callbacks=[evaluate, log])
    found = rows(tmp_path / "log.csv")
    assert list(found[0]) == ["epoch", "m.train_loss", "m.eval_loss"]
    assert [row["epoch"] for row in found] == ["0", "1", "2", "3"]
    losses = np.reshape(run.get_variable("m.train_loss"), (4, 4)).mean(axis=1)
    assert [float(row["m.train_loss"]) for row in found] == pytest.approx(losses)
    evaluated = [repr(v) for v in run.get_variable("m.eval_loss")]
    assert [row["m.eval_loss"] for row in found] == ["", evaluated[0], "", evaluated[1]]


def test_the_file_is_complete_after_every_epoch(train, training, tmp_path):
    seen = []

    class Reads(Callback):
        def epoch_end(self, context, epoch):
            seen.append(len(rows(tmp_path / "log.csv")))

    (train >> training).run(10, n_epochs=3, callbacks=[CsvLog(tmp_path / "log.csv"), Reads()])
    assert seen == [1, 2, 3]
    assert [p.name for p in tmp_path.iterdir()] == ["log.csv"]


def test_an_interrupted_epoch_has_a_row_for_its_batches(train, training, tmp_path):
    class Stops(Callback):
        def batch_end(self, context, logs):
            if logs.number == 5:
                context.stop()

    run = (train >> training).run(10, n_epochs=9, callbacks=[CsvLog(tmp_path / "log.csv"), Stops()])
    found = rows(tmp_path / "log.csv")
    assert len(found) == 2
    assert float(found[1]["m.train_loss"]) == pytest.approx(np.mean(run.get_variable("m.train_loss")[4:]))


def test_a_metric_that_a_batch_does_not_define_is_left_out_of_the_mean_and_a_loss_is_not(train, training, tmp_path):
    class Writes(Callback):
        def batch_end(self, context, logs):
            for name in ("m.train_auc", "m.own_loss", "m.train_never"):
                bad = logs.number == 1 or name.endswith("never")
                context.variables.append(name, math.nan if bad else 0.5)

    (train >> training).run(10, callbacks=[Writes(), CsvLog(tmp_path / "log.csv")])
    row = rows(tmp_path / "log.csv")[0]
    assert (row["m.train_auc"], row["m.own_loss"], row["m.train_never"]) == ("0.5", "nan", "nan")


def test_what_a_model_reports_at_the_end_of_the_run_is_in_the_last_row(train, prepared, tmp_path):
    from sklearn.linear_model import LogisticRegression

    from cardioflow.models import SklearnBaseModel

    model = SklearnBaseModel().build(LogisticRegression(), fit_at="run")
    template = prepared.import_model("m", model).train_on_batch("m")
    run = (train >> template).run(10, n_epochs=2, callbacks=[CsvLog(tmp_path / "log.csv")])
    found = rows(tmp_path / "log.csv")
    assert [row["m.train_loss"] for row in found] == ["", repr(run.get_variable("m.train_loss")[0])]


def test_a_path_that_cannot_be_written_is_refused(train, training, tmp_path):
    with pytest.raises(InputError, match=r"CsvLog cannot write .*: it is a folder"):
        (train >> training).run(10, callbacks=[CsvLog(tmp_path)])
    with pytest.raises(InputError, match=r"CsvLog\(path=None\) is not a path"):
        CsvLog(None)
