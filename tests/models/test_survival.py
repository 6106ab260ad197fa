"""Survival as a target: times until an event, of which some are censored."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cardioflow import EcgDataset, Pipeline, model
from cardioflow.errors import BadRecordsError, LabelError
from cardioflow.metrics.c_index import CIndex
from cardioflow.models import TorchBaseModel
from cardioflow.models.losses.discrete_survival import DiscreteSurvival
from cardioflow.models.survival import Survival

RNG = np.random.default_rng(0)
RISK = RNG.normal(size=60)
"""Of each record; its signal's mean, so that a linear model can learn it."""
SIGNALS = [np.full((1, 20), r, np.float32) + RNG.normal(0, 0.05, (1, 20)).astype(np.float32) for r in RISK]
TIME = RNG.exponential(np.exp(-2 * RISK))
CENSORED = RNG.exponential(2.0, 60)
TARGETS = np.stack([np.minimum(TIME, CENSORED), TIME <= CENSORED], axis=1).astype(np.float32)


@model(mode="dynamic")
def cox_regression(batch: Any) -> TorchBaseModel:
    built = TorchBaseModel()
    built.model = nn.Sequential(nn.Flatten(), nn.Linear(20, 1))
    built.optimizer = torch.optim.Adam(built.model.parameters(), 0.03)
    built.targets = Survival()
    return built


def test_a_pipeline_learns_risks_from_censored_times_and_scores_them() -> None:
    data = EcgDataset.from_arrays(SIGNALS, fs=100, targets=TARGETS)
    reading = Pipeline().load().load(components="target", numeric=True)
    template = reading.train_on_batch("cox_regression", metrics="c_index")
    run = (data >> template).run(60, n_epochs=60, progress=False)
    losses, scores = (run.get_variable(f"cox_regression.{name}") for name in ("train_loss", "train_metric"))
    trained, batch = run.get_model("cox_regression"), (data >> reading).next_batch(60)
    risk = trained.predict_on_batch(batch)
    assert risk.shape == (60, 1)
    assert losses[-1] < losses[0]
    assert scores[-1] > 0.8
    assert CIndex()(TARGETS, risk) == pytest.approx(trained.test_on_batch(batch, "c_index")["metric"])
    # Breslow's partial likelihood, by hand.
    r, (time, event) = risk[:, 0].astype(np.float64), TARGETS.T
    each = [np.log(np.exp(r[time >= time[i]]).sum()) - r[i] for i in np.flatnonzero(event)]
    assert trained.test_on_batch(batch)["loss"] == pytest.approx(np.mean(each), rel=1e-4)


def test_risks_of_discrete_survival_are_higher_for_lower_probabilities(make_batch) -> None:
    built = TorchBaseModel()
    built.model, built.targets = nn.Sequential(nn.Flatten(), nn.Linear(400, 3)), Survival()
    built.loss = DiscreteSurvival(ends=(1.0, 2.0, 4.0))
    batch = make_batch(8).replace(target=TARGETS[:8], classes=None)
    p = built.predict_on_batch(batch)
    assert (np.diff(p, axis=1) <= 0).all()
    assert built.test_on_batch(batch, "c_index")["metric"] == CIndex()(TARGETS[:8], -p.sum(axis=1))


def test_targets_that_are_not_survival_are_refused_by_record(make_batch) -> None:
    built, batch = cox_regression(None), make_batch(3, (1, 20))
    with pytest.raises(
        LabelError, match=r"learns survival, and the targets have 1 columns\. Give two: the time, and 1"
    ):
        built.train_on_batch(batch.replace(target=np.ones(3, np.float32), classes=None))
    wrong = np.array([[1, 1], [2, 0.5], [-1, 0]], np.float32)
    with pytest.raises(BadRecordsError, match=r"'A00001' is \[2\.0, 0\.5\], and survival is a time of at least 0"):
        built.train_on_batch(batch.replace(target=wrong, classes=None))


def test_two_columns_of_a_table_are_time_and_event(tmp_path) -> None:
    table = tmp_path / "follow_up.csv"
    table.write_text("id,days,age,died\n0,12.5,60,1\n1,400,71,0\n")
    data = EcgDataset.from_arrays(SIGNALS[:2], fs=100)
    reading = Pipeline().load().load(src=table, components="target", numeric=True, label_columns=["days", "died"])
    batch = (data >> reading).next_batch(2)
    assert batch.target.tolist() == [[12.5, 1.0], [400.0, 0.0]]
    assert batch.classes is None
    table.write_text("id,days,died\n0,12.5,yes\n1,400,0\n")
    with pytest.raises(LabelError, match="'yes' is not a number"):
        (data >> reading).next_batch(2)
