"""``Evaluate`` computes each figure once, from all of another data set."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, log_loss, roc_auc_score

from cardioflow import EcgDataset, Pipeline
from cardioflow.callbacks import Evaluate
from cardioflow.errors import CardioFlowError, ConfigError, InputError, LabelError, UnknownNameError


def truth_and_answer(dataset, prepared, model):
    batch = next(iter((dataset >> prepared).batches(len(dataset))))
    return batch.target.argmax(1), model.predict_on_batch(batch)


def test_metrics_are_those_of_all_records_and_not_the_mean_of_batches(train, valid, training, prepared, softmax):
    evaluate = Evaluate(valid >> prepared.run(8), ["roc_auc", f1_score], average="macro")
    run = (train >> training).run(10, n_epochs=2, callbacks=[evaluate])
    y, p = truth_and_answer(valid, prepared, softmax)
    assert run.get_variable("m.eval_roc_auc")[-1] == pytest.approx(roc_auc_score(y, p[:, 1]))
    assert run.get_variable("m.eval_f1_score")[-1] == pytest.approx(f1_score(y, p.argmax(1), average="macro"))
    by_batch = [
        f1_score(b.target.argmax(1), softmax.predict_on_batch(b).argmax(1), average="macro")
        for b in (valid >> prepared).batches(8)
    ]
    assert abs(np.mean(by_batch) - run.get_variable("m.eval_f1_score")[-1]) > 1e-3
    assert len(run.get_variable("m.eval_roc_auc")) == 2


def test_the_loss_is_the_mean_over_records_though_the_last_batch_is_smaller(train, valid, training, prepared, softmax):
    run = (train >> training).run(10, callbacks=[Evaluate(valid >> prepared.run(7))])
    y, p = truth_and_answer(valid, prepared, softmax)
    assert run.get_variable("m.eval_loss") == [pytest.approx(log_loss(y, p), rel=1e-5)]


def test_a_record_counts_once_by_the_mean_of_its_segments(train, valid, prepared, softmax_class):
    model = softmax_class().build(5)
    cut = prepared.split_signals(5, 5).unstack_signals()
    training = cut.import_model("m", model).train_on_batch("m")
    callbacks = [
        Evaluate(valid >> cut.rebatch(3), "roc_auc"),
        Evaluate(valid >> cut, "roc_auc", per="segment", name="segments"),
    ]
    run = (train >> training).run(10, callbacks=callbacks)
    y, p = truth_and_answer(valid, cut, model)
    records_y, records_p = y.reshape(31, 4)[:, 0], p.reshape(31, 4, 2).mean(axis=1)
    assert run.get_variable("m.eval_roc_auc") == [pytest.approx(roc_auc_score(records_y, records_p[:, 1]))]
    assert run.get_variable("m.segments_roc_auc") == [pytest.approx(roc_auc_score(y, p[:, 1]))]


def test_segments_with_different_targets_have_no_target_per_record(train, prepared, softmax_class):
    cut = prepared.split_signals(5, 5).unstack_signals()
    model = softmax_class().build(5)
    flipped = cut.call(_flip_first_target)
    training = cut.import_model("m", model).train_on_batch("m")
    with pytest.raises(LabelError, match=r"segments of record '0' have different targets.*Pass per='segment'"):
        (train >> training).run(10, callbacks=[Evaluate(train >> flipped, "f1")])


def _flip_first_target(batch):
    target = batch.target.copy()
    target[0] = target[0, ::-1]
    return batch.replace(target=target)


def test_evaluating_changes_nothing_in_the_training(train, valid, prepared, softmax_class):
    def trained(callbacks):
        model = softmax_class().build(20)
        template = prepared.import_model("m", model).train_on_batch("m")
        run = (train >> template).run(10, n_epochs=3, shuffle=True, callbacks=callbacks)
        return model, run

    alone, run_alone = trained([])
    watched, run = trained([Evaluate(valid >> prepared, "roc_auc", every=2)])
    assert np.array_equal(alone.model, watched.model)
    assert alone.hist == watched.hist
    assert run.get_variable("m.train_loss") == run_alone.get_variable("m.train_loss")


@pytest.mark.parametrize(("every", "times"), [("epoch", 3), ("run", 1), (5, 2), (12, 1)])
def test_every_sets_how_often_a_callback_is_called(train, training, prepared, every, times):
    run = (train >> training).run(10, n_epochs=3, callbacks=[Evaluate(train >> prepared, every=every)])
    assert len(run.get_variable("m.eval_loss")) == times


def test_random_steps_of_the_evaluation_draw_the_same_numbers_every_time(train, valid, prepared, training, softmax):
    softmax.set_learning_rate(0.0)
    noisy = prepared.random_amplitude_scale().run(8, shuffle=True, seed=3, n_epochs=9)
    run = (train >> training).run(10, n_epochs=3, callbacks=[Evaluate(valid >> noisy)])
    assert len(set(run.get_variable("m.eval_loss"))) == 1


def test_records_that_the_evaluation_skips_are_listed(train, prepared, training):
    short = EcgDataset.from_arrays([np.ones((1, 20)), np.ones((1, 7))], fs=100, targets=["A", "B"], ids=["x", "y"])

    def check(signal):
        if signal.shape[1] < 20:
            raise ValueError("short")
        return signal

    evaluate = Evaluate(short >> prepared.apply_transform(check).run(2, on_error="skip"))
    (train >> training).run(10, callbacks=[evaluate])
    assert [s.record for s in evaluate.skipped] == ["y"]


def test_a_model_of_five_methods_has_metrics_without_a_loss(train, valid, prepared, softmax):
    from cardioflow.models.base import BaseModel

    class Five(BaseModel):
        def load(self, path):
            raise NotImplementedError

        def save(self, path):
            raise NotImplementedError

        def train_on_batch(self, batch, metrics=None, **kwargs):
            return softmax.train_on_batch(batch)

        def test_on_batch(self, batch, metrics=None, **kwargs):
            raise NotImplementedError

        def predict_on_batch(self, batch):
            return softmax.predict_on_batch(batch)

    template = prepared.import_model("m", Five()).train_on_batch("m")
    run = (train >> template).run(10, callbacks=[Evaluate(valid >> prepared, "roc_auc")])
    y, p = truth_and_answer(valid, prepared, softmax)
    assert run.get_variable("m.eval_roc_auc") == [pytest.approx(roc_auc_score(y, p[:, 1]))]
    assert run.get_variable("m.eval_loss") == []


def test_a_data_set_that_gives_no_batch_is_an_error(train, valid, prepared, training):
    with pytest.raises(InputError, match=r"no record of the data set came through the pipeline\. Check its filters"):
        (train >> training).run(10, callbacks=[Evaluate(valid >> prepared.drop_short_signals(999))])


def test_the_model_must_be_named_where_there_are_several(train, valid, prepared, softmax, softmax_class):
    template = prepared.import_model("m", softmax).import_model("n", softmax_class().build(20)).train_on_batch("m")
    with pytest.raises(ConfigError, match=r"Evaluate needs to know its model, and the run has 2 models: 'm', 'n'"):
        (train >> template).run(10, callbacks=[Evaluate(valid >> prepared)])
    run = (train >> template).run(10, callbacks=[Evaluate(valid >> prepared, model="n")])
    assert len(run.get_variable("n.eval_loss")) == 1
    with pytest.raises(UnknownNameError, match=r"the run has no model 'mm'\. Did you mean 'm'"):
        (train >> template).run(10, callbacks=[Evaluate(valid >> prepared, model="mm")])


def test_wrong_arguments_are_refused_when_it_is_made(valid, prepared, softmax):
    source = valid >> prepared
    with pytest.raises(InputError, match=r"is not a pipeline that is bound to a data set\. Pass dataset >> template"):
        Evaluate(prepared)
    with pytest.raises(InputError, match=r"has the step train_on_batch\('m'\), and Evaluate asks the model itself"):
        Evaluate(valid >> prepared.import_model("m", softmax).train_on_batch("m"))
    with pytest.raises(InputError, match=r"has the step predict_on_batch\('m'\), and Evaluate asks the model itself"):
        Evaluate(valid >> prepared.import_model("m", softmax).predict_on_batch("m"))
    with pytest.raises(ConfigError, match=r"every=0\): expected 'epoch', 'run' or a number of batches"):
        Evaluate(source, every=0)
    with pytest.raises(ConfigError, match=r"per='beat'\): expected 'record' or 'segment'"):
        Evaluate(source, per="beat")
    with pytest.raises(ConfigError, match=r"name='a b'\): expected a name of letters"):
        Evaluate(source, name="a b")
    with pytest.raises(ConfigError, match=r"name='val'\): the losses of batches have this name"):
        Evaluate(source, name="val")
    with pytest.raises(UnknownNameError, match=r"There is no metric 'roc_auk'\. Did you mean 'roc_auc'"):
        Evaluate(source, "roc_auk")
    with pytest.raises(ConfigError, match=r"'averge' is not an argument of the metrics"):
        Evaluate(source, f1_score, averge="macro")
    assert Pipeline() != source


def test_two_evaluations_of_one_name_are_refused_and_further_loops_go_on(train, valid, training, prepared):
    source = valid >> prepared
    with pytest.raises(ConfigError, match=r"the run already has the variable 'm\.eval_loss'.*Pass another name"):
        (train >> training).run(10, callbacks=[Evaluate(source), Evaluate(source)])
    run = (train >> training).batches(10, callbacks=[Evaluate(source), Evaluate(source, name="test")])
    for _ in range(2):
        list(run)
    assert len(run.get_variable("m.eval_loss")) == len(run.get_variable("m.test_loss")) == 2


def test_records_of_another_rate_than_the_model_learned_are_not_evaluated(train, training, prepared):
    signals = list(np.random.default_rng(0).normal(size=(4, 1, 20)).astype(np.float32))
    other = EcgDataset.from_arrays(signals, fs=50, targets=["A", "B", "A", "B"])
    with pytest.raises(CardioFlowError, match=r"was trained on signals of 100 Hz, and record '.*' has"):
        (train >> training).run(10, callbacks=[Evaluate(other >> prepared.run(8))])
