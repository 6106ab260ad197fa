"""``LearningRate`` sets the rate of each update."""

from __future__ import annotations

import math

import numpy as np
import pytest

import cardioflow
from cardioflow.callbacks import Callback, EarlyStopping, LearningRate
from cardioflow.errors import ConfigError, ModelError, UnknownNameError


def test_cosine_sets_the_rate_of_every_update_from_the_first_on(train, training, softmax):
    run = (train >> training).run(10, n_epochs=2, callbacks=[LearningRate.cosine(0.1, end=0.02)])
    expected = [0.02 + 0.08 * (1 + math.cos(math.pi * step / 8)) / 2 for step in range(8)]
    assert softmax.rates == pytest.approx(expected)
    assert softmax.rate == pytest.approx(0.02)
    assert run.get_variable("m.learning_rate") == pytest.approx(expected)


def test_the_rates_are_those_of_pytorchs_schedulers(train, training, softmax):
    torch = pytest.importorskip("torch")

    def torchs(make):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
        scheduler = make(optimizer)
        rates = []
        for _ in range(20):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if len(rates) < 20:
                scheduler.step()
        return rates

    schedulers = torch.optim.lr_scheduler
    for ours, theirs in (
        (LearningRate.one_cycle(0.1), lambda o: schedulers.OneCycleLR(o, 0.1, total_steps=20)),
        (LearningRate.one_cycle(0.1, rise=0.5), lambda o: schedulers.OneCycleLR(o, 0.1, total_steps=20, pct_start=0.5)),
        (LearningRate.cosine(0.1), lambda o: schedulers.CosineAnnealingLR(o, T_max=20)),
    ):
        softmax.rates.clear()
        (train >> training).run(10, n_epochs=5, callbacks=[ours])
        assert softmax.rates == pytest.approx(torchs(theirs), abs=1e-9)


def test_warm_up_is_linear(train, training, softmax):
    (train >> training).run(10, n_epochs=2, callbacks=[LearningRate.constant(0.1, warmup=3)])
    assert softmax.rates == pytest.approx([0.025, 0.05, 0.075, 0.1, 0.1, 0.1, 0.1, 0.1])
    softmax.rates.clear()
    (train >> training).run(10, n_epochs=2, callbacks=[LearningRate.cosine(0.1, warmup=3)])
    assert softmax.rates[:4] == pytest.approx([0.025, 0.05, 0.075, 0.1])
    assert softmax.rates[4:] == pytest.approx([0.05 * (1 + math.cos(math.pi * k / 5)) for k in range(1, 5)])


def test_a_model_that_is_built_from_the_first_batch_has_the_first_rate_before_its_first_update(
    train, prepared, softmax_class
):
    built = []

    @cardioflow.model(mode="dynamic")
    def built_late(batch, config=None):
        built.append(softmax_class().build(batch.signal[0].shape[1]))
        return built[0]

    callbacks = [LearningRate.constant(0.2, warmup=1)]
    (train >> prepared.train_on_batch("built_late")).run(10, callbacks=callbacks)
    assert built[0].rates == pytest.approx([0.1, 0.2, 0.2, 0.2])


def test_plateau_multiplies_the_rate_when_the_figure_does_not_improve(train, training, softmax):
    class Script(Callback):
        def run_start(self, context):
            context.variables.extend("m.eval_loss", [])

        def epoch_end(self, context, epoch):
            context.variables.append("m.eval_loss", [3.0, 2.0, 2.0, 2.0, 2.0, 2.0, 1.0][epoch])

    rate = LearningRate.plateau(0.1, "eval_loss", factor=0.1, patience=2, min_rate=0.002)
    (train >> training).run(20, n_epochs=7, callbacks=[Script(), rate])
    assert softmax.rates[::2] == pytest.approx([0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.002])
    assert softmax.rates[1::2] == softmax.rates[::2]


def test_a_run_without_an_end_needs_the_number_of_steps(train, training, softmax):
    stops = EarlyStopping("train_loss", patience=1, mode="max", restore_best=False)
    with pytest.raises(ConfigError, match=r"a run with n_epochs=None has no last step\. Pass n_steps="):
        (train >> training).run(10, n_epochs=None, callbacks=[LearningRate.cosine(0.1)])
    (train >> training).run(10, n_epochs=None, callbacks=[LearningRate.cosine(0.1, n_steps=4), stops])
    assert softmax.rates[:5] == pytest.approx([0.1, 0.05 * (1 + math.sqrt(0.5)), 0.05, 0.05 * (1 - math.sqrt(0.5)), 0])
    assert np.allclose(softmax.rates[4:], 0)


def test_a_model_without_a_learning_rate_is_refused_by_name_before_it_learns(train, prepared):
    from sklearn.linear_model import LogisticRegression

    from cardioflow.models import SklearnBaseModel

    model = SklearnBaseModel().build(LogisticRegression())
    template = prepared.import_model("m", model).train_on_batch("m")
    with pytest.raises(ModelError, match=r"SklearnBaseModel does not have a learning rate that can be changed"):
        (train >> template).run(10, callbacks=[LearningRate.constant(0.1)])
    assert model.hist["train_loss"] == []


def test_wrong_arguments_are_refused_when_it_is_made(train, training):
    for make, expected in (
        (lambda: LearningRate.constant(0), r"rate=0\): expected a number above 0"),
        (lambda: LearningRate.cosine(math.nan), r"rate=nan\): expected a number above 0"),
        (lambda: LearningRate.cosine(0.1, warmup=0.5), r"warmup=0\.5\): expected a whole number of at least 0"),
        (lambda: LearningRate.cosine(0.1, end=-1), r"end=-1\): expected a number of at least 0"),
        (lambda: LearningRate.cosine(0.1, n_steps=0), r"n_steps=0\): expected a whole number of at least 1"),
        (lambda: LearningRate.one_cycle(0.1, rise=1), r"rise=1\): expected a share between 0 and 1"),
        (lambda: LearningRate.plateau(0.1, "eval_loss", factor=2), r"factor=2\): expected a number between 0 and 1"),
        (lambda: LearningRate.plateau(0.1, "eval_x"), r"LearningRate\(monitor='eval_x'\): the name does not show"),
        (lambda: LearningRate(0.1), r"LearningRate\(0\.1\) is not a schedule\. Call LearningRate\.cosine"),
    ):
        with pytest.raises(ConfigError, match=expected):
            make()
    with pytest.raises(UnknownNameError, match=r"LearningRate: the run has no model 'n'"):
        (train >> training).run(10, callbacks=[LearningRate.constant(0.1, model="n")])


def test_a_number_of_steps_of_ones_own_ends_the_cycle_there(train, training, softmax):
    (train >> training).run(10, n_epochs=2, callbacks=[LearningRate.one_cycle(0.1, n_steps=4)])
    whole = list(softmax.rates)
    softmax.rates.clear()
    (train >> training).run(10, n_epochs=1, callbacks=[LearningRate.one_cycle(0.1)])
    assert whole[:4] == pytest.approx(softmax.rates)


@pytest.mark.parametrize("patience", [0, -1, 1.5])
def test_the_patience_of_a_plateau_is_a_whole_number_of_at_least_1(patience):
    with pytest.raises(ConfigError, match="patience"):
        LearningRate.plateau(0.1, "m.train_loss", patience=patience)


def test_a_better_figure_starts_the_patience_of_a_plateau_anew(train, training, softmax):
    class Script(Callback):
        def run_start(self, context):
            context.variables.extend("m.eval_loss", [])

        def epoch_end(self, context, epoch):
            context.variables.append("m.eval_loss", [3.0, 3.0, 2.0, 2.0, 1.0, 1.0, 0.5][epoch])

    # No two epochs in a row are without a better figure.
    rate = LearningRate.plateau(0.1, "eval_loss", factor=0.1, patience=2)
    (train >> training).run(20, n_epochs=7, callbacks=[Script(), rate])
    assert set(softmax.rates) == {0.1}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LearningRate.constant(0.1, warmup=-1), "warmup"),
        (lambda: LearningRate.constant(0.1, warmup=1.5), "warmup"),
        (lambda: LearningRate.constant(0), "rate"),
        (lambda: LearningRate.one_cycle(0), "rate"),
        (lambda: LearningRate.plateau(0, "eval_loss"), "rate"),
        (lambda: LearningRate.one_cycle(-0.1), "rate"),
        (lambda: LearningRate.cosine(0.1, warmup=-1), "warmup"),
    ],
)
def test_rates_and_warm_ups_out_of_range_are_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


def test_a_plateau_of_a_figure_that_nothing_measures_is_refused_before_anything_is_learned(train, training, softmax):
    with pytest.raises(UnknownNameError, match="evl_loss"):
        (train >> training).run(20, callbacks=[LearningRate.plateau(0.1, "evl_loss", mode="min")])
    assert softmax.rates == []
