"""``EarlyStopping`` ends a run, and the model keeps its best weights."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.callbacks import Callback, EarlyStopping, Evaluate
from cardioflow.errors import ConfigError, InputError, UnknownNameError


class Script(Callback):
    """Writes given figures, one per epoch, and notes the weights that each epoch ended with."""

    def __init__(self, model, figures):
        self.model, self.figures, self.weights = model, figures, []

    def run_start(self, context):
        context.variables.extend("m.eval_score", [])

    def epoch_end(self, context, epoch):
        self.weights.append(self.model.model.copy())
        if self.figures[epoch] is not None:
            context.variables.append("m.eval_score", self.figures[epoch])


def test_it_stops_after_its_patience_and_restores_the_best_weights(train, training, softmax):
    script, stopping = Script(softmax, [1.0, 3.0, 2.0, 3.0, 9.0]), EarlyStopping("eval_score", patience=2)
    run = (train >> training).run(10, n_epochs=5, callbacks=[script, stopping])
    # Two epochs of four batches without an improvement, and no batch of the next epoch.
    assert len(run.get_variable("m.train_loss")) == 4 * 4
    assert (stopping.best, stopping.best_epoch) == (3.0, 1)
    assert np.array_equal(softmax.model, script.weights[1])
    assert not np.array_equal(softmax.model, script.weights[3])


def test_the_best_weights_are_restored_even_if_the_run_was_not_stopped(train, training, softmax):
    script = Script(softmax, [1.0, 3.0, 2.0])
    (train >> training).run(10, n_epochs=3, callbacks=[script, EarlyStopping("m.eval_score", patience=9)])
    assert np.array_equal(softmax.model, script.weights[1])


def test_without_restoring_the_model_keeps_its_last_weights(train, training, softmax):
    script = Script(softmax, [1.0, 3.0, 2.0])
    (train >> training).run(10, n_epochs=3, callbacks=[script, EarlyStopping("eval_score", restore_best=False)])
    assert np.array_equal(softmax.model, script.weights[2])


def test_a_model_that_is_saved_by_the_pipeline_is_the_best_one(train, training, softmax, softmax_class, tmp_path):
    script = Script(softmax, [3.0, 1.0, 2.0])
    template = training.save_model("m", tmp_path / "m")
    (train >> template).run(10, n_epochs=3, callbacks=[script, EarlyStopping("eval_score")])
    assert np.array_equal(softmax_class().build(20).load(tmp_path / "m").model, script.weights[0])


def test_a_lower_loss_is_better_and_a_small_change_is_ignored(train, training, softmax):
    script = Script(softmax, [-1.0, -1.4, -1.6, -1.7, -1.8])
    stopping = EarlyStopping("eval_score", patience=1, mode="min", min_delta=0.5)
    (train >> training).run(10, n_epochs=5, callbacks=[script, stopping])
    assert (stopping.best, stopping.best_epoch) == (-1.0, 0)
    assert len(script.weights) == 2


def test_nan_is_never_the_best_and_an_epoch_without_a_value_is_ignored(train, training, softmax):
    script = Script(softmax, [float("nan"), 1.0, None, None, None, 0.5])
    stopping = EarlyStopping("eval_score", patience=2)
    (train >> training).run(10, n_epochs=6, callbacks=[script, stopping])
    assert len(script.weights) == 6
    assert (stopping.best, stopping.best_epoch) == (1.0, 1)


def test_the_training_loss_is_the_mean_over_the_batches_of_the_epoch(train, training):
    stopping = EarlyStopping("train_loss")
    run = (train >> training).run(10, n_epochs=2, callbacks=[stopping])
    losses = run.get_variable("m.train_loss")
    assert stopping.best == pytest.approx(np.mean(losses[4:]))
    assert np.mean(losses[4:]) < np.mean(losses[:4])


def test_it_restarts_with_another_run_and_continues_in_a_second_loop_over_the_same(train, training, softmax):
    stopping = EarlyStopping("eval_score")
    for _ in range(2):
        (train >> training).run(10, n_epochs=1, callbacks=[Script(softmax, [2.0]), stopping])
        assert (stopping.best, stopping.best_epoch) == (2.0, 0)
    run = (train >> training).batches(10, callbacks=[Script(softmax, [2.0, 1.0, 3.0]), stopping])
    for _ in range(3):
        assert sum(1 for _ in run) == 4
    assert (stopping.best, stopping.best_epoch) == (3.0, 2)


def test_a_run_that_was_stopped_gives_whole_epochs_in_the_next_loop(train, training, softmax):
    run = (train >> training).batches(
        10,
        n_epochs=3,
        callbacks=[Script(softmax, [3.0, 2.0, 9.0, 4.0, 5.0, 6.0]), EarlyStopping("eval_score", patience=1)],
    )
    assert sum(1 for _ in run) == 8
    assert sum(1 for _ in run) == 12


def test_a_metric_that_is_never_computed_is_reported_before_the_first_record(train, valid, training, prepared, softmax):
    evaluate = Evaluate(valid >> prepared, "roc_auc")
    with pytest.raises(UnknownNameError, match=r"monitor='eval_roc_auk'\): the run has no such figure\. Did you mean"):
        (train >> training).run(10, callbacks=[evaluate, EarlyStopping("eval_roc_auk", mode="max")])
    with pytest.raises(UnknownNameError, match=r"Those of Evaluate are known if it stands before EarlyStopping"):
        (train >> training).run(10, callbacks=[EarlyStopping("eval_roc_auc"), evaluate])
    assert softmax.rates == []
    with pytest.raises(UnknownNameError, match=r"monitor='train_los'"):
        (train >> training).run(10, callbacks=[EarlyStopping("train_los", mode="min")])


def test_wrong_arguments_are_refused_when_it_is_made():
    with pytest.raises(ConfigError, match=r"patience=0\): expected a whole number of at least 1"):
        EarlyStopping("eval_loss", 0)
    with pytest.raises(ConfigError, match=r"mode='less'\): expected 'min', 'max' or None"):
        EarlyStopping("eval_loss", mode="less")
    with pytest.raises(ConfigError, match=r"min_delta=-1\): expected a number of at least 0"):
        EarlyStopping("eval_loss", min_delta=-1)
    with pytest.raises(ConfigError, match=r"'train_metric'\): the name does not show whether less or more is better"):
        EarlyStopping("train_metric")
    with pytest.raises(ConfigError, match=r"monitor=3\) is not the name of a variable"):
        EarlyStopping(3)


def test_a_model_without_weights_is_refused_by_name_before_it_learns(train, prepared):
    from sklearn.linear_model import LogisticRegression

    from cardioflow.models import SklearnBaseModel

    model = SklearnBaseModel().build(LogisticRegression())
    template = prepared.import_model("m", model).train_on_batch("m")
    with pytest.raises(ConfigError, match=r"a SklearnBaseModel does not have weights that can be put back\. Pass rest"):
        (train >> template).run(10, callbacks=[EarlyStopping("train_loss")])
    stopping = EarlyStopping("train_loss", patience=1, restore_best=False)
    (train >> template).run(10, n_epochs=5, callbacks=[stopping])
    # It is fitted anew on the same records in each epoch.
    assert stopping.best_epoch == 0
    assert stopping.state()["n_waited"] == 1


def test_a_metric_says_itself_whether_less_is_better(monkeypatch):
    from cardioflow.metrics.f1 import F1

    assert EarlyStopping("eval_f1").monitor.is_better(0.5, 0.4)
    monkeypatch.setattr(F1, "greater_is_better", False)
    assert EarlyStopping("eval_f1").monitor.is_better(0.4, 0.5)


def test_a_negated_loss_of_scikit_learn_is_better_when_it_is_greater(train, training):
    class Script(Callback):
        def run_start(self, context):
            context.variables.extend("m.eval_neg_log_loss", [])

        def epoch_end(self, context, epoch):
            context.variables.append("m.eval_neg_log_loss", [-2.0, -1.0, -3.0][epoch])

    stopping = EarlyStopping("eval_neg_log_loss")
    (train >> training).run(10, n_epochs=3, callbacks=[Script(), stopping])
    assert (stopping.best, stopping.best_epoch) == (-1.0, 1)


def test_a_variable_of_ones_own_is_followed_for_the_model_that_is_named(train, prepared, softmax, softmax_class):
    other = softmax_class().build(20)
    template = prepared.import_model("m", softmax).import_model("n", other).train_on_batch("m").init_variable("own", [])

    class Script(Callback):
        def epoch_end(self, context, epoch):
            context.variables.append("own", [2.0, 1.0][epoch])

    with pytest.raises(ConfigError, match=r"EarlyStopping\(monitor='own'\) needs to know its model, and the run has 2"):
        (train >> template).run(10, callbacks=[Script(), EarlyStopping("own", mode="max")])
    stopping = EarlyStopping("own", mode="max", model="m")
    before = other.get_weights()
    (train >> template).run(10, n_epochs=2, callbacks=[Script(), stopping])
    assert stopping.best_epoch == 0
    assert np.array_equal(other.get_weights()[0], before[0])
    assert np.array_equal(softmax.model, stopping.state()["weights"][0])


def test_a_model_that_the_run_does_not_have_is_said_before_the_first_record(train, training, softmax):
    with pytest.raises(UnknownNameError, match=r"EarlyStopping\(monitor='mm\.train_loss'\): the run has no model 'mm'"):
        (train >> training).run(10, callbacks=[EarlyStopping("mm.train_loss", restore_best=False)])
    assert softmax.rates == []


def test_a_variable_that_holds_no_numbers_is_said(train, training):
    with pytest.raises(InputError, match=r"The variable 'own' holds a str, and its figure of an epoch was asked for"):
        (train >> training.init_variable("own", "text")).run(10, callbacks=[EarlyStopping("own", mode="max")])


def test_a_better_figure_starts_the_patience_anew(train, training, softmax):
    script = Script(softmax, [1.0, 0.5, 2.0, 0.5, 3.0, 0.5])
    run = (train >> training).run(10, n_epochs=6, callbacks=[script, EarlyStopping("eval_score", patience=2)])
    assert len(run.get_variable("m.train_loss")) == 6 * 4
