"""scikit-learn estimators in a pipeline, fitted at the end or batch by batch."""

from __future__ import annotations

import copy
import json
import pickle
import random
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, SGDClassifier, SGDRegressor
from sklearn.metrics import f1_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

import cardioflow as ds
from cardioflow.errors import ConfigError, DumpError, InputError, ModelError
from cardioflow.models import SklearnBaseModel
from cardioflow.models.declaration import find, model
from cardioflow.models.inputs import Features


def scaled() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression())


def fitted(estimator: Any, *batches: Any, **build: Any) -> SklearnBaseModel:
    made = SklearnBaseModel().build(estimator, **build)
    for batch in batches:
        made.train_on_batch(batch)
    made.end_epoch(0)
    made.end_run()
    return made


def ages(make_batch: Any, n: int = 20) -> Any:
    """Return records whose target is the amplitude of their first sample, in tens."""
    batch = make_batch(n, (1, 20), seed=1)
    return batch.replace(target=10 * batch.signal.dense()[:, 0, 0].astype(np.float64), classes=None)


def test_an_estimator_is_fitted_at_the_end_of_the_epoch_on_all_its_records(make_batch) -> None:
    first, second = make_batch(10, seed=1), make_batch(7, seed=2)
    made = SklearnBaseModel().build(LogisticRegression())
    assert made.train_on_batch(first, f1_score, average="macro") == {}
    assert made.train_on_batch(second, f1_score, average="macro") == {}
    figures = made.end_epoch(0)
    x = np.concatenate([b.signal.dense().reshape(len(b), -1) for b in (first, second)])
    y = np.concatenate([b.target.argmax(axis=1) for b in (first, second)])
    alone = LogisticRegression().fit(x, y)
    assert np.array_equal(made.model.coef_, alone.coef_)
    assert figures["metric"] == f1_score(y, alone.predict(x), average="macro")
    assert figures["loss"] == pytest.approx(-np.log(alone.predict_proba(x)[np.arange(17), y]).mean(), rel=1e-5)
    assert made.hist["train_loss"] == [figures["loss"]]
    assert made.hist["train_metric"] == [figures["metric"]]
    assert made.end_epoch(1) == made.end_run() == {}


def test_an_estimator_is_fitted_at_the_end_of_the_run_on_all_epochs(make_batch, tmp_path) -> None:
    made = SklearnBaseModel().build(LogisticRegression(), fit_at="run")
    for epoch in range(2):
        made.train_on_batch(make_batch(10, seed=epoch))
        assert made.end_epoch(epoch) == {}
    for step in (lambda: made.predict_on_batch(make_batch(2)), lambda: made.save(tmp_path / "dump")):
        with pytest.raises(ModelError, match="SklearnBaseModel is not fitted yet"):
            step()
    assert set(made.end_run()) == {"loss"}
    x = np.concatenate([make_batch(10, seed=k).signal.dense().reshape(10, -1) for k in range(2)])
    alone = LogisticRegression().fit(x, np.tile([0, 1], 10))
    assert np.array_equal(made.model.coef_, alone.coef_)


def test_partial_fit_updates_on_every_batch_and_reports_the_prediction_before(make_batch) -> None:
    made = SklearnBaseModel().build(SGDClassifier(loss="log_loss", random_state=0), fit_at="batch")
    alone = SGDClassifier(loss="log_loss", random_state=0)
    for k in range(3):
        batch = make_batch(8, seed=k)
        x, y = batch.signal.dense().reshape(8, -1), batch.target.argmax(axis=1)
        before = alone.predict_proba(x) if k else None
        alone.partial_fit(x, y, classes=[0, 1])
        p = alone.predict_proba(x) if before is None else before
        loss = made.train_on_batch(batch)["loss"]
        assert loss == pytest.approx(-np.log(np.clip(p[np.arange(8), y], 1e-7, 1)).mean(), rel=1e-4)
    assert np.array_equal(made.model.coef_, alone.coef_)
    assert made.end_epoch(0) == {}


def test_probabilities_have_a_column_of_zeros_for_a_label_that_no_record_had(make_batch) -> None:
    batch = make_batch(12, classes=("A", "N", "O"))
    target = batch.target[:, [0, 2, 1]]  # the last label has no record after the change below
    target = np.eye(3, dtype=np.float32)[np.where(target.argmax(axis=1) == 2, 0, target.argmax(axis=1))]
    made = fitted(LogisticRegression(), batch.replace(target=target))
    p = made.predict_on_batch(batch)
    assert p.shape == (12, 3)
    assert not p[:, 2].any()
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-6)


def test_a_regressor_learns_numeric_targets(make_batch) -> None:
    batch = ages(make_batch)
    made = fitted(LinearRegression(), batch)
    assert made.output == "value"
    predicted = made.predict_on_batch(batch)
    assert predicted.shape == (20, 1)
    np.testing.assert_allclose(predicted[:, 0], batch.target, atol=1e-2)
    error = made.test_on_batch(batch, "neg_mean_absolute_error")
    assert error["metric"] == pytest.approx(-np.abs(predicted[:, 0] - batch.target.astype(np.float32)).mean())


@pytest.mark.parametrize("estimator", [OneVsRestClassifier(LogisticRegression()), RandomForestClassifier(5)])
def test_each_of_several_labels_has_its_own_probability(make_batch, estimator) -> None:
    batch = make_batch(12, several=True)
    made = fitted(estimator, batch)
    assert made.output == "independent"
    x, y = batch.signal.dense().reshape(12, -1), batch.target.astype(int)
    p = made.predict_on_batch(batch)
    assert p.shape == (12, 2)
    assert np.array_equal(p > 0.5, made.model.predict(x) > 0.5)
    assert made.test_on_batch(batch, "f1_micro")["metric"] == f1_score(y, made.model.predict(x), average="micro")


@pytest.mark.parametrize("fit_at", ["batch", "epoch"])
def test_every_training_option_is_refused_with_what_to_do_instead(options_are_as_declared, fit_at) -> None:
    options_are_as_declared(lambda: SklearnBaseModel().build(SGDClassifier(loss="log_loss"), fit_at=fit_at))


def test_a_classifier_without_probabilities_predicts_0_and_1(make_batch) -> None:
    made = fitted(LinearSVC(), make_batch(12))
    assert np.array_equal(made.predict_on_batch(make_batch(12)), make_batch(12).target)


def test_features_are_taken_from_a_component_of_the_batch(make_batch) -> None:
    batch = make_batch(10).with_component("features", np.arange(30, dtype=np.float64).reshape(10, 3))
    made = fitted(scaled(), batch, inputs=Features())
    assert made.model.n_features_in_ == 3
    assert made.predict_on_batch(batch).shape == (10, 2)
    with pytest.raises(InputError, match="takes 3 features per record, and the component 'features' has 2"):
        made.predict_on_batch(batch.with_component("features", np.zeros((10, 2))))
    holes = np.zeros((10, 3))
    holes[4, 1] = np.nan
    with pytest.raises(
        InputError, match=r"component 'features' of record 'A00004' is NaN or infinite in 1 of 3 features"
    ):
        made.predict_on_batch(batch.with_component("features", holes))
    with pytest.raises(InputError, match=r"'features' is .* numbers of shape \(record, feature\)"):
        made.predict_on_batch(batch.with_component("features", np.array(["a"] * 10)))


@pytest.mark.parametrize(
    ("estimator", "other"),
    [
        (scaled(), scaled()),
        (GaussianNB(), GaussianNB()),
        (SVC(), SVC()),
        (SGDClassifier(loss="log_loss"), SGDClassifier(loss="log_loss")),
        (KNeighborsClassifier(algorithm="brute"), KNeighborsClassifier(algorithm="brute")),
    ],
    ids=["pipeline", "naive Bayes", "support vectors", "SGD", "neighbours"],
)
def test_a_dump_is_loaded_into_the_built_estimator(make_batch, tmp_path, estimator, other) -> None:
    batch = make_batch(16)
    made = fitted(estimator, batch)
    made.preprocessing = "[]"
    made.save(tmp_path / "dump")
    loaded = SklearnBaseModel().build(other).load(tmp_path / "dump")
    assert np.array_equal(loaded.predict_on_batch(make_batch(9, seed=5)), made.predict_on_batch(make_batch(9, seed=5)))
    assert (loaded.classes, loaded.hist, loaded.output) == (("A", "NO"), made.hist, "exclusive")
    with pytest.raises(InputError, match=r"takes signals of shape \(1, 400\)"):
        loaded.predict_on_batch(make_batch(1, (1, 300)))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"])
def test_a_copied_estimator_predicts_and_continues_training_with_equal_numbers(make_batch, copied) -> None:
    made = SklearnBaseModel().build(SGDClassifier(loss="log_loss"), fit_at="batch")
    made.train_on_batch(make_batch(8))
    other = copied(made)
    assert np.array_equal(other.predict_on_batch(make_batch(8)), made.predict_on_batch(make_batch(8)))
    assert other.train_on_batch(make_batch(8, seed=2)) == made.train_on_batch(make_batch(8, seed=2))
    assert np.array_equal(other.model.coef_, made.model.coef_)


def test_a_loaded_estimator_continues_training_as_if_it_had_never_been_saved(make_batch, tmp_path) -> None:
    made = SklearnBaseModel().build(SGDRegressor(), fit_at="batch")
    made.train_on_batch(ages(make_batch))
    made.save(tmp_path / "dump")
    again = SklearnBaseModel().build(SGDRegressor(), fit_at="batch").load(tmp_path / "dump")
    assert again.train_on_batch(ages(make_batch)) == made.train_on_batch(ages(make_batch))


def test_an_estimator_that_cannot_be_saved_without_pickle_is_refused(make_batch, tmp_path) -> None:
    with pytest.raises(ModelError, match=r"RandomForestClassifier keeps a .* in '.*', which cannot be saved without"):
        fitted(RandomForestClassifier(3), make_batch(12)).save(tmp_path / "dump")
    with pytest.raises(ModelError, match="KNeighborsClassifier keeps more than arrays and numbers"):
        fitted(KNeighborsClassifier(algorithm="kd_tree"), make_batch(12)).save(tmp_path / "dump")
    assert not list(tmp_path.iterdir())


def test_the_dump_of_another_estimator_is_refused_and_changes_nothing(make_batch, tmp_path) -> None:
    fitted(scaled(), make_batch(12)).save(tmp_path / "dump")
    with pytest.raises(DumpError, match="holds a 'Pipeline', and this model is a GaussianNB"):
        SklearnBaseModel().build(GaussianNB()).load(tmp_path / "dump")
    longer = SklearnBaseModel().build(make_pipeline(StandardScaler(), StandardScaler(), LogisticRegression()))
    with pytest.raises(DumpError, match="was saved with the estimators"):
        longer.load(tmp_path / "dump")
    assert not hasattr(longer.model[0], "mean_")
    with pytest.raises(DumpError, match=r"and not the estimator\. Call build\(estimator\) first"):
        SklearnBaseModel().load(tmp_path / "dump")


@pytest.mark.parametrize(
    "learned",
    [
        {"predict": {"value": 1}},
        {"__class__": {"value": "x"}},
        {"coef_": {"array": "missing"}},
        {"coef_": {"eval": "1"}},
        {"coef_": {"value": {"a": 1}}},
        {"coef_": 3},
        [],
    ],
)
def test_a_tampered_state_is_refused(make_batch, tmp_path, learned) -> None:
    made = fitted(GaussianNB(), make_batch(8))
    path = tmp_path / "weights.safetensors"
    made._write(tmp_path)
    tree = {"type": "GaussianNB", "learned": learned, "parts": {}}
    save_file(load_file(path), path, metadata={"state": json.dumps(tree)})
    with pytest.raises(DumpError, match="The saved state of the estimator is damaged"):
        made._read(path, None)


def test_targets_of_the_wrong_kind_for_the_estimator_are_refused(make_batch) -> None:
    for estimator, batch, what in (
        (Ridge(), make_batch(8), "labels. Use a classifier"),
        (LogisticRegression(), ages(make_batch), "numbers. Use a regressor"),
    ):
        made = SklearnBaseModel().build(estimator)
        made.train_on_batch(batch)
        with pytest.raises(ModelError, match=f"cannot learn targets that are {what}"):
            made.end_epoch(0)


def test_an_estimator_that_cannot_be_used_is_refused_when_it_is_built() -> None:
    with pytest.raises(ConfigError, match="StandardScaler is neither a classifier nor a regressor"):
        SklearnBaseModel().build(StandardScaler())
    with pytest.raises(ConfigError, match=r"Ridge has no partial_fit\. Pass fit_at="):
        SklearnBaseModel().build(Ridge(), fit_at="batch")
    with pytest.raises(ConfigError, match=r"FitAtEnd\(at='day'\) is neither 'epoch' nor 'run'"):
        SklearnBaseModel().build(Ridge(), fit_at="day")


def test_an_error_of_scikit_learn_becomes_a_model_error(make_batch) -> None:
    made = SklearnBaseModel().build(LogisticRegression())
    made.train_on_batch(make_batch(1))
    with pytest.raises(ModelError, match="LogisticRegression could not be fitted on 1 records: ValueError"):
        made.end_epoch(0)


def test_the_same_seed_gives_the_same_forest_and_leaves_the_callers_random_state_alone(make_batch) -> None:
    @model()
    def forest(batch):
        return SklearnBaseModel().build(RandomForestClassifier(3))

    def importances(seed: int) -> Any:
        made = find("forest").build(make_batch(12), None, {}, seed=seed)
        made.train_on_batch(make_batch(12))
        made.end_epoch(0)
        return made.model.feature_importances_

    random.seed(1)
    expected = random.random()
    random.seed(1)
    assert np.array_equal(importances(1), importances(1))
    assert not np.array_equal(importances(1), importances(2))
    assert random.random() == expected


def prepared() -> Any:
    loading = ds.Pipeline().load(components=["signal", "meta"]).load(components="target")
    return loading.split_signals(500, 500).standardize().binarize_labels()


@pytest.fixture(scope="module")
def records() -> Any:
    return ds.EcgDataset.simulated(12, duration_s=4.0, fs=250.0, seed=1, rhythms=("SR", "AF"))


@pytest.mark.parametrize(("fit_at", "n_losses"), [("epoch", 2), ("run", 1), ("batch", 6)])
def test_a_pipeline_trains_saves_and_predicts_with_an_estimator(records, tmp_path, fit_at, n_losses) -> None:
    @model(mode="static")
    def linear_svm(config=None):
        return SklearnBaseModel().build(SGDClassifier(loss="log_loss"), fit_at=fit_at)

    training = prepared().train_on_batch("linear_svm", metrics="f1").save_model("linear_svm", tmp_path / "dump")
    run = (records >> training).run(batch_size=4, n_epochs=2, seed=1)
    fitted_model = run.get_model("linear_svm")
    assert run.get_variable("linear_svm.train_loss") == fitted_model.hist["train_loss"]
    assert len(run.get_variable("linear_svm.train_metric")) == len(fitted_model.hist["train_loss"]) == n_losses
    predicting = ds.Pipeline(config={"linear_svm": {"path": tmp_path / "dump"}}).load(components=["signal", "meta"])
    predicting = predicting.split_signals(500, 500).standardize().predict_on_batch("linear_svm")
    predictions = (records >> predicting).run(batch_size=5).get_variable("prediction")
    assert [p.id for p in predictions] == list(records.ids)
    assert all(p.value.shape == (len(fitted_model.classes),) for p in predictions)


def test_an_estimator_without_a_batch_loss_refuses_to_save_it(records) -> None:
    @model(mode="static")
    def fitted_later(config=None):
        return SklearnBaseModel().build(LogisticRegression())

    training = prepared().train_on_batch("fitted_later", save_to=ds.V("loss"))
    with pytest.raises(ConfigError, match=r"'fitted_later' learns at the end of an epoch .* 'fitted_later.train_loss'"):
        (records >> training).run(batch_size=4)


def test_records_of_another_length_are_named_before_anything_is_collected(make_batch) -> None:
    made = SklearnBaseModel().build(LogisticRegression())
    made.train_on_batch(make_batch(4))
    with pytest.raises(InputError, match="'A00000' has") as error:
        made.train_on_batch(make_batch(1, (1, 300)))
    assert error.value.record == "A00000"
    made.train_on_batch(make_batch(4))
    assert set(made.end_epoch(0)) == {"loss"}


def test_a_regressor_gives_a_row_per_record_and_a_column_per_number(make_batch) -> None:
    batch = ages(make_batch, 12)
    found = fitted(LinearRegression(), batch).predict_on_batch(batch)
    assert (found.shape, found.dtype) == ((12, 1), np.float32)
    two = batch.replace(target=np.stack([np.arange(12.0) / 7, np.arange(12.0) / 3 + 0.5], axis=1))
    assert fitted(LinearRegression(), two).predict_on_batch(two).shape == (12, 2)


def test_a_class_that_no_record_had_has_the_probability_0(make_batch) -> None:
    target = np.zeros((12, 4))
    target[np.arange(12), np.arange(12) % 2 + 1] = 1
    batch = make_batch(12).replace(target=target, classes=("A", "B", "C", "D"))
    found = fitted(LogisticRegression(), batch).predict_on_batch(batch)
    assert found.shape == (12, 4)
    assert (found[:, [0, 3]] == 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)


ESTIMATORS = {
    "sgd": lambda: SklearnBaseModel().build(SGDClassifier(loss="log_loss", average=3), fit_at="batch"),
    "bayes": lambda: SklearnBaseModel().build(GaussianNB(), fit_at="batch"),
    "at the end of the epoch": lambda: SklearnBaseModel().build(scaled(), fit_at="epoch"),
    "at the end of the run": lambda: SklearnBaseModel().build(scaled(), fit_at="run"),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_run_that_was_killed_goes_on_to_the_same_estimator(resumed, name) -> None:
    one, other = resumed(ESTIMATORS[name])
    x = np.random.default_rng(3).normal(size=(50, 12))
    np.testing.assert_array_equal(one.model.predict_proba(x), other.model.predict_proba(x))
    assert len(other.hist["train_loss"]) == {"epoch": 3, "run": 1}.get(name.rpartition(" ")[2], 12)


class Drifting(SGDClassifier):
    """An estimator whose updates depend on what it does not show."""

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Any:  # noqa: N803 -- as scikit-learn calls it
        self._own = getattr(self, "_own", None) or iter(range(1, 1000))
        super().partial_fit(X, y, classes=classes)
        self.intercept_ += next(self._own)
        return self


def test_an_estimator_that_keeps_more_than_is_saved_is_refused_with_the_first_checkpoint(resumed) -> None:
    with pytest.raises(
        ModelError, match=r"Drifting keeps more from batch to batch than can be saved without pickle, suc"
    ):
        resumed(lambda: SklearnBaseModel().build(Drifting(loss="log_loss"), fit_at="batch"))


def test_the_loss_of_independent_labels_is_their_mean_log_loss(make_batch) -> None:
    target = np.array([[1, 0], [0, 1], [1, 1], [0, 0]] * 4, float)
    batch = make_batch(16).replace(target=target, classes=("A", "B"))
    made = fitted(OneVsRestClassifier(LogisticRegression()), batch)
    p = made.predict_on_batch(batch)
    expected = -np.log(np.where(target > 0.5, p, 1 - p)).mean()
    assert made.test_on_batch(batch)["loss"] == pytest.approx(expected, rel=1e-5)
