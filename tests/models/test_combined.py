"""Ensembles and test-time augmentation: means, dumps, metrics, and what they refuse."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LogisticRegression

from cardioflow import EcgDataset, Pipeline, V
from cardioflow.errors import DumpError, InputError, ModelError
from cardioflow.metrics.roc_auc import RocAuc
from cardioflow.models import Ensemble, SklearnBaseModel, TestTimeAugmentation
from cardioflow.models._plain_loss import plain_loss
from cardioflow.models.adapters import from_dump
from cardioflow.models.onnx import OnnxModel


def fitted(estimator: Any, batch: Any) -> SklearnBaseModel:
    made = SklearnBaseModel().build(estimator)
    made.train_on_batch(batch)
    made.end_run()
    return made


def as_onnx(model: SklearnBaseModel) -> OnnxModel:
    """Return a fitted logistic regression of two labels as a graph, which holds its layers."""
    weights = np.concatenate([np.zeros_like(model.model.coef_), model.model.coef_]).T.astype(np.float32)
    shift = np.array([0, model.model.intercept_[0]], np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["x"], ["flat"]),
            helper.make_node("Gemm", ["flat", "weights", "shift"], ["z"]),
            helper.make_node("Softmax", ["z"], ["p"]),
        ],
        "logistic",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["record", 1, 60])],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, ["record", 2])],
        [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(shift, "shift")],
    )
    content = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    found = OnnxModel(threads=1).build(content.SerializeToString())
    found.classes, found.leads, found.units = model.classes, model.leads, model.units
    return found


@pytest.fixture
def pair(make_batch: Any) -> tuple[OnnxModel, OnnxModel]:
    batches = (make_batch(30, (1, 60), seed=seed) for seed in (1, 9))
    first, second = (as_onnx(fitted(LogisticRegression(), batch)) for batch in batches)
    return first, second


SCALE = [("random_amplitude_scale", {"low": 0.2, "high": 5.0})]


def test_an_ensemble_predicts_the_weighted_mean_and_shows_each_member(pair: Any, make_batch: Any) -> None:
    batch = make_batch(12, (1, 60), seed=2)
    each = [model.predict_on_batch(batch) for model in pair]
    np.testing.assert_allclose(Ensemble(pair).predict_on_batch(batch), (each[0] + each[1]) / 2, rtol=1e-6)
    weighted = Ensemble(pair, weights=[3, 1])
    np.testing.assert_allclose(weighted.predict_on_batch(batch), 0.75 * each[0] + 0.25 * each[1], rtol=1e-6)
    assert np.array_equal(weighted.predict_of_each(batch), np.stack(each))
    assert weighted.classes == ("A", "NO")


def test_a_member_of_other_labels_is_named_by_its_place(pair: Any, make_batch: Any) -> None:
    third = as_onnx(fitted(LogisticRegression(), make_batch(30, (1, 60), seed=4)))
    third.classes = ("NO", "A")
    with pytest.raises(ModelError, match=r"Model 0 predicts 'exclusive' of \('A', 'NO'\), and model 2 'exclusive' of"):
        Ensemble([*pair, third])


def test_views_of_a_record_are_averaged_and_depend_on_the_record_and_not_on_its_batch(
    pair: Any, make_batch: Any
) -> None:
    batch = make_batch(12, (1, 60), seed=2)
    steady = TestTimeAugmentation(pair[0], SCALE, n_views=3, seed=7)
    each = steady.predict_of_each(batch)
    assert each.shape == (4, 12, 2)
    assert np.array_equal(each[0], pair[0].predict_on_batch(batch))
    assert len({view.tobytes() for view in each}) == 4
    np.testing.assert_allclose(steady.predict_on_batch(batch), each.mean(axis=0), rtol=1e-6)
    alone = np.concatenate([steady.predict_on_batch(row.replace(seed=5, epoch=3)) for row in batch])
    np.testing.assert_allclose(alone, steady.predict_on_batch(batch), rtol=1e-6)


@pytest.mark.parametrize("kind", ["ensemble", "views", "views of an ensemble"])
def test_a_saved_one_predicts_the_same_when_it_is_loaded_without_code(
    kind: str, pair: Any, make_batch: Any, tmp_path: Path
) -> None:
    batch = make_batch(12, (1, 60), seed=2)
    ensemble = Ensemble(pair, weights=[2, 1])
    model = {
        "ensemble": ensemble,
        "views": TestTimeAugmentation(pair[0], SCALE, n_views=2, seed=3),
        "views of an ensemble": TestTimeAugmentation(ensemble, SCALE, n_views=2),
    }[kind]
    model.notes = "two of them"
    model.save(tmp_path / "both")
    again = from_dump(tmp_path / "both")
    assert type(again) is type(model)
    assert np.array_equal(again.predict_on_batch(batch), model.predict_on_batch(batch))
    assert (again.classes, again.notes, again.leads) == (model.classes, "two of them", model.leads)


def test_it_is_tested_as_any_model_and_asked_from_a_pipeline(
    pair: Any, make_batch: Any, tmp_path: Path, cinc: Path
) -> None:
    batch = make_batch(12, (1, 60), seed=2)
    ensemble = Ensemble(pair)
    p = ensemble.predict_on_batch(batch)
    found = ensemble.test_on_batch(batch, "roc_auc")
    truth = batch.target.argmax(axis=1)
    assert found["metric"] == RocAuc()(truth, p[:, 1])
    assert found["loss"] == pytest.approx(-np.log(np.maximum(p[np.arange(12), truth], 1e-7)).mean(), rel=1e-5)
    for model in pair:
        model.leads = model.units = "any"
    Ensemble(pair).save(tmp_path / "both")
    cut = Pipeline().load(fmt="wfdb").slice_signals(slice(0, 60)).import_model("both", from_dump(tmp_path / "both"))
    paths = sorted(cinc.glob("*.hea"))[:3]
    run = (EcgDataset(paths) >> cut.predict_on_batch("both", save_to=V("p", mode="e"))).run(batch_size=2)
    assert len(run.get_variable("p")) == 3


def test_it_refuses_to_be_trained_and_models_that_do_not_go_together(
    pair: Any, make_batch: Any, tmp_path: Path
) -> None:
    batch = make_batch(12, (1, 60), seed=2)
    ensemble = Ensemble(pair)
    with pytest.raises(ModelError, match=r"Ensemble only predicts: .* Train each of its members"):
        ensemble.train_on_batch(batch)
    other = fitted(LogisticRegression(), make_batch(12, (1, 60), classes=("A", "N", "O")))
    with pytest.raises(ModelError, match="Combine models of the same labels, in the same order"):
        Ensemble([pair[0], other])
    with pytest.raises(ModelError, match="a number above 0 for each of the 2 models"):
        Ensemble(pair, weights=[1, 0])
    with pytest.raises(ModelError, match="Member Ensemble cannot be part of Ensemble"):
        Ensemble([ensemble, pair[0]])
    alone = fitted(LogisticRegression(), batch)
    assert Ensemble([alone, pair[0]]).predict_on_batch(batch).shape == (12, 2)
    with pytest.raises(ModelError, match="Model 0, a SklearnBaseModel, is saved without its layers"):
        Ensemble([alone, pair[0]]).save(tmp_path / "both")
    with pytest.raises(ModelError, match="has no model yet"):
        Ensemble().predict_on_batch(batch)


def test_views_that_are_no_views_are_refused(pair: Any, make_batch: Any) -> None:
    batch = make_batch(4, (1, 60), seed=2)
    model = pair[0]
    with pytest.raises(ModelError, match="changes the rows of the batch"):
        TestTimeAugmentation(model, [("split_signals", {"length": 30, "step": 30})]).predict_on_batch(batch)
    with pytest.raises(ModelError, match="'dump' is not an action that transforms records"):
        TestTimeAugmentation(model, [("dump", {})])
    with pytest.raises(InputError, match="random_amplitude_scale"):
        TestTimeAugmentation(model, [("random_amplitude_scale", {"low": -1.0})])
    with pytest.raises(ModelError, match="pass at least one"):
        TestTimeAugmentation(model)
    with pytest.raises(ModelError, match="is not a whole number from 1 to 1000"):
        TestTimeAugmentation(model, SCALE, n_views=0)


def _changed(path: Path, change: Any) -> Path:
    """Return a copy of the dump at ``path`` whose inner archive went through ``change``, a function of its entries."""
    with zipfile.ZipFile(path) as outer:
        entries = {name: outer.read(name) for name in outer.namelist()}
    inner_path = path.with_name("inner.zip")
    inner_path.write_bytes(entries["weights.zip"])
    with zipfile.ZipFile(inner_path) as inner:
        members = {name: inner.read(name) for name in inner.namelist()}
    with zipfile.ZipFile(inner_path, "w") as inner:
        for name, content in change(members).items():
            inner.writestr(name, content)
    entries["weights.zip"] = inner_path.read_bytes()
    done = path.with_name("changed")
    with zipfile.ZipFile(done, "w") as outer:
        for name, content in entries.items():
            outer.writestr(name, content)
    return done


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: {**m, "about.json": json.dumps({"weights": [1, -1]})}, "expected a number above 0 for each"),
        (lambda m: {**m, "about.json": "{}"}, "does not hold its members"),
        (lambda m: {**m, "about.json": "[1, 2]"}, "does not hold its members"),
        (lambda m: {**m, "0.member": b"nothing"}, "0"),
        (lambda m: {**m, "../x": b"nothing"}, "not members with the numbers from 0 on"),
        (lambda m: {"about.json": m["about.json"]}, "not members with the numbers from 0 on"),
    ],
)
def test_a_damaged_or_hostile_dump_is_a_dump_error(
    change: Any, words: str, pair: Any, make_batch: Any, tmp_path: Path
) -> None:
    Ensemble(pair).save(tmp_path / "both")
    with pytest.raises(DumpError, match=words):
        from_dump(_changed(tmp_path / "both", change))


def test_a_dump_that_nests_models_of_models_is_refused_before_it_is_loaded(pair: Any, tmp_path: Path) -> None:
    Ensemble(pair).save(tmp_path / "both")
    inside = (tmp_path / "both").read_bytes()
    with pytest.raises(DumpError, match="is itself of the kind 'ensemble'"):
        from_dump(_changed(tmp_path / "both", lambda m: {**m, "1.member": inside}))


def test_losses_of_models_that_only_predict_are_those_of_their_formulas() -> None:
    """By hand: cross-entropies, and the mean squared error."""
    p = np.array([[0.8, 0.2], [0.4, 0.6]])
    exclusive = -(np.log(0.8) + np.log(0.6)) / 2
    assert plain_loss("exclusive", np.eye(2), p) == pytest.approx(exclusive)
    independent = -(np.log(0.8) + np.log(0.8) + np.log(0.4) + np.log(0.4)) / 4
    assert plain_loss("independent", np.array([[1, 0], [1, 1]]), np.array([[0.8, 0.2], [0.4, 0.4]])) == pytest.approx(
        independent
    )
    states = np.array([[[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]]])
    assert plain_loss("states", np.array([[0, 2]]), states) == pytest.approx(-(np.log(0.7) + np.log(0.8)) / 2)
    assert plain_loss("value", np.array([[1.0], [3.0]]), np.array([[2.0], [1.0]])) == pytest.approx(2.5)
    with pytest.raises(ModelError, match=r"an array of shape \(1, 2, 3\), and the targets are of shape \(2,\)"):
        plain_loss("states", np.array([0, 2]), states)
