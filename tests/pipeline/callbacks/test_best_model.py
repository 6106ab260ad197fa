"""``BestModel`` keeps the best model in a file."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow import Pipeline
from cardioflow.callbacks import BestModel, Callback, Evaluate
from cardioflow.errors import ConfigError, InputError
from cardioflow.models.dump import read_header


class Weights(Callback):
    def __init__(self, model):
        self.model, self.seen = model, []

    def epoch_end(self, context, epoch):
        self.seen.append(self.model.model.copy())


@pytest.fixture
def valid_metrics(valid, prepared):
    return Evaluate(valid >> prepared, "roc_auc")


def test_the_file_holds_the_weights_of_the_best_epoch(train, training, valid_metrics, softmax, tmp_path):
    softmax.set_learning_rate(0.6)
    weights, best = Weights(softmax), BestModel(tmp_path / "best", "eval_roc_auc")
    run = (train >> training).run(10, n_epochs=6, callbacks=[weights, valid_metrics, best])
    figures = run.get_variable("m.eval_roc_auc")
    assert 0 <= int(np.argmax(figures)) < 5
    assert (best.best, best.best_epoch) == (max(figures), int(np.argmax(figures)))
    loaded = type(softmax)().build(20).load(tmp_path / "best")
    assert np.array_equal(loaded.model, weights.seen[best.best_epoch])


def test_the_preprocessing_is_kept_with_it(train, training, prepared, softmax_class, tmp_path):
    (train >> training).run(10, callbacks=[BestModel(tmp_path / "best", "train_loss", preprocessing=prepared)])
    assert softmax_class().build(20).load(tmp_path / "best").preprocessing == prepared.to_json()


def test_a_path_that_is_not_writable_is_reported_before_the_first_record(train, training, softmax, tmp_path):
    for path, reason in ((tmp_path, "it is a folder"), (tmp_path / "no" / "m", "there is no folder")):
        with pytest.raises(InputError, match=f"BestModel cannot write .*: {reason}"):
            (train >> training).run(10, callbacks=[BestModel(path, "train_loss")])
    assert softmax.rates == []


def test_wrong_arguments_are_refused_when_it_is_made():
    with pytest.raises(InputError, match=r"BestModel\(path=3\) is not a path"):
        BestModel(3, "train_loss")
    with pytest.raises(ConfigError, match=r"BestModel\(monitor='eval_x'\): the name does not show whether"):
        BestModel("best", "eval_x")


def test_a_run_saves_a_model_with_the_pipeline_that_prepares_its_files(train, training, tmp_path) -> None:
    run = (train >> training).run(20)
    run.save_model("m", tmp_path / "plain")
    run.save_model("m", tmp_path / "prepared", preprocessing=Pipeline().load().standardize())
    assert read_header(tmp_path / "plain").preprocessing is None
    assert "standardize" in str(read_header(tmp_path / "prepared").preprocessing)
