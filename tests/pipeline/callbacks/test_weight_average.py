"""``WeightAverage`` keeps an exponential moving average of the weights."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.callbacks import BestModel, Callback, Evaluate, WeightAverage
from cardioflow.errors import ConfigError, ModelError


class Weights(Callback):
    """Notes the model's weights after every batch and every epoch."""

    def __init__(self, model):
        self.model, self.batches, self.epochs = model, [], []

    def batch_end(self, context, logs):
        self.batches.append(self.model.model.copy())

    def epoch_end(self, context, epoch):
        self.epochs.append(self.model.model.copy())


def expected(batches, decay):
    average = batches[0]
    for n, weights in enumerate(batches[1:], 1):
        d = min(decay, (1 + n) / (10 + n))
        average = d * average + (1 - d) * weights
    return average


def test_the_model_has_the_average_between_epochs_and_after_the_run(train, training, softmax):
    weights = Weights(softmax)
    (train >> training).run(10, n_epochs=3, callbacks=[WeightAverage(0.3), weights])
    for k in range(3):
        assert np.allclose(weights.epochs[k], expected(weights.batches[: 4 * (k + 1)], 0.3), atol=1e-6)
    assert np.array_equal(softmax.model, weights.epochs[2])
    assert not np.allclose(softmax.model, weights.batches[-1], atol=1e-4)


def test_training_continues_with_its_own_weights(train, prepared, softmax_class):
    def trained(callbacks):
        model = softmax_class().build(20)
        weights = Weights(model)
        template = prepared.import_model("m", model).train_on_batch("m")
        (train >> template).run(10, n_epochs=3, callbacks=[*callbacks, weights])
        return weights.batches

    for a, b in zip(trained([]), trained([WeightAverage(0.9)]), strict=True):
        assert np.array_equal(a, b)


def test_the_averaged_weights_are_evaluated_and_saved_after_an_epoch(train, training, prepared, softmax, tmp_path):
    weights = Weights(softmax)
    callbacks = [WeightAverage(0.3), weights, Evaluate(train >> prepared), BestModel(tmp_path / "best", "eval_loss")]
    template = training.save_model("m", tmp_path / "last", every="epoch")
    run = (train >> template).run(10, n_epochs=2, callbacks=callbacks)
    last = type(softmax)().build(20).load(tmp_path / "last")
    assert np.array_equal(last.model, weights.epochs[1])
    best = type(softmax)().build(20).load(tmp_path / "best")
    batch = next(iter((train >> prepared).batches(40)))
    assert best.test_on_batch(batch)["loss"] == pytest.approx(min(run.get_variable("m.eval_loss")), rel=1e-5)


def test_an_empty_batch_causes_no_update(train, training, softmax, prepared):
    weights = Weights(softmax)
    only_a = prepared.call(lambda batch: batch[:0] if batch.ids[0] == "10" else batch)
    template = only_a.import_model("m", softmax).train_on_batch("m")
    (train >> template).run(10, callbacks=[WeightAverage(0.3), weights])
    del weights.batches[1]
    assert np.allclose(softmax.model, expected(weights.batches, 0.3), atol=1e-6)


def test_wrong_decays_and_models_without_weights_are_refused(train, prepared):
    from sklearn.linear_model import LogisticRegression

    from cardioflow.models import SklearnBaseModel

    for decay in (0, 1, "0.9", True):
        with pytest.raises(ConfigError, match=r"WeightAverage\(decay=.*\): expected a number between 0 and 1"):
            WeightAverage(decay)
    template = prepared.import_model("m", SklearnBaseModel().build(LogisticRegression())).train_on_batch("m")
    with pytest.raises(ModelError, match="SklearnBaseModel does not have weights that can be changed"):
        (train >> template).run(10, callbacks=[WeightAverage()])


def test_a_run_that_is_stopped_within_an_epoch_ends_with_the_average(train, training, softmax):
    class Stops(Callback):
        n = 0

        def batch_end(self, context, logs):
            self.n += 1
            if self.n == 6:
                context.stop()

    weights = Weights(softmax)
    (train >> training).run(10, n_epochs=3, callbacks=[WeightAverage(0.3), weights, Stops()])
    assert len(weights.batches) == 6
    np.testing.assert_allclose(softmax.model, expected(weights.batches, 0.3), atol=1e-6)
    assert not np.allclose(softmax.model, weights.batches[-1], atol=1e-5)
