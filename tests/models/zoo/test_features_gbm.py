"""Gradient boosting on features: equal to scikit-learn's, saved without pickle, and predicted by ONNX Runtime."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from safetensors.numpy import load_file, save_file
from sklearn.ensemble import HistGradientBoostingClassifier

from cardioflow.batch import EcgBatch, Meta, Ragged
from cardioflow.errors import ConfigError, DumpError, InputError, ModelError
from cardioflow.models._onnx.trees import trees_to_onnx
from cardioflow.models._sklearn.tree_ensemble import TreeEnsemble
from cardioflow.models.adapters import from_dump
from cardioflow.models.zoo.features_gbm import FeaturesGbm

CLASSES = ("A", "N", "O")


def table(n: int = 600, n_classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 8)).astype(np.float32)
    label = (x[:, 0] + x[:, 1] ** 2 > 1).astype(int) + (x[:, 2] > 0.6)
    # Missing where the label depends on it, so that the direction of NaN is learned.
    x[(label == 0) & (rng.random(n) < 0.5), 3] = np.nan
    x[rng.random(x.shape) < 0.05] = np.nan
    return x, np.minimum(label, n_classes - 1)


def batch(n: int = 600) -> EcgBatch:
    x, label = table(n)
    return EcgBatch(
        ids=tuple(f"R{i}" for i in range(n)),
        signal=Ragged.from_arrays([np.zeros((1, 5), np.float32)] * n),
        meta=Meta.from_rows([{"fs": 300.0, "leads": ("I",)}] * n),
        target=np.eye(3, dtype=np.float32)[label],
        classes=CLASSES,
    ).with_component("features", x)


def fitted(**settings) -> FeaturesGbm:
    model = FeaturesGbm(n_iterations=20, l2=1.0, **settings).build((1, 5), 3)
    assert model.train_on_batch(batch(), "f1") == {}
    assert model.end_epoch(0)["metric"] > 0.9
    return model


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_trees_and_their_onnx_graph_predict_as_scikit_learn_does(n_classes) -> None:
    x, label = table(n_classes=n_classes)
    estimator = HistGradientBoostingClassifier(max_iter=30, early_stopping=False, random_state=0).fit(x, label)
    trees = TreeEnsemble.of_sklearn(estimator, x)
    expected = estimator.predict_proba(x)
    assert trees.n_classes == expected.shape[1] == n_classes
    np.testing.assert_allclose(trees.probabilities(x), expected, atol=1e-6)
    session = onnxruntime.InferenceSession(trees_to_onnx(trees))
    np.testing.assert_allclose(session.run(None, {"features": x})[0], expected, atol=1e-6)
    empty = np.full((1, 8), np.nan, np.float32)
    np.testing.assert_allclose(trees.probabilities(empty), estimator.predict_proba(empty), atol=1e-6)


def test_a_feature_at_a_threshold_goes_to_the_side_that_scikit_learn_sends_it() -> None:
    # Thresholds between neighbouring float32 numbers are not float32 numbers.
    near = np.nextafter(np.float32(0.1), np.float32(1))
    x = np.array([[0.1]] * 40 + [[near]] * 40, np.float32)
    estimator = HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=5).fit(x, [0] * 40 + [1] * 40)
    trees = TreeEnsemble.of_sklearn(estimator, x)
    np.testing.assert_allclose(trees.probabilities(x), estimator.predict_proba(x), atol=1e-6)
    assert trees.probabilities(x)[0, 0] > 0.5 > trees.probabilities(x)[-1, 0]


def test_a_dump_is_loaded_without_a_builder_and_predicts_the_same(tmp_path) -> None:
    model = fitted()
    model.save(tmp_path / "gbm.model")
    loaded = from_dump(tmp_path / "gbm.model")
    assert loaded.classes == CLASSES
    np.testing.assert_array_equal(loaded.predict_on_batch(batch(50)), model.predict_on_batch(batch(50)))


def test_the_same_seed_gives_the_same_trees_and_another_one_others() -> None:
    one, again, other = fitted(), fitted(), FeaturesGbm(n_iterations=20, l2=1.0).build((1, 5), 3)
    other.seed = 7
    other.train_on_batch(batch())
    other.end_epoch(0)
    p = one.predict_on_batch(batch())
    np.testing.assert_array_equal(p, again.predict_on_batch(batch()))
    assert not np.array_equal(p, other.predict_on_batch(batch()))


def test_class_weights_raise_the_probability_of_a_label() -> None:
    plain, heavy = fitted(), fitted(class_weights={"A": 1.0, "N": 1.0, "O": 5.0})
    assert heavy.predict_on_batch(batch())[:, 2].mean() > plain.predict_on_batch(batch())[:, 2].mean()


@pytest.mark.parametrize("name", ["left", "feature", "output", "root"])
def test_altered_trees_are_refused_before_a_row_can_leave_them(tmp_path, name) -> None:
    path = tmp_path / "trees"
    fitted().model.write(path)
    arrays = load_file(path)
    arrays[name] = arrays[name].copy()
    arrays[name][0] = 10**6
    save_file(arrays, path)
    with pytest.raises(DumpError, match="a node refers to one that is not there"):
        TreeEnsemble.read(path)


def test_faults_are_named() -> None:
    with pytest.raises(ModelError, match="features_gbm is not fitted yet"):
        FeaturesGbm().build((1, 5), 3).predict_on_batch(batch())
    with pytest.raises(ConfigError, match=r"features_gbm\(learning_rate=0\): expected a number above 0"):
        FeaturesGbm(learning_rate=0)
    infinite = batch(20)
    rows = infinite.features.copy()
    rows[4, 2] = np.inf
    with pytest.raises(InputError) as found:
        FeaturesGbm().build((1, 5), 3).train_on_batch(infinite.with_component("features", rows))
    assert found.value.record == "R4"
    lacking = FeaturesGbm().build((1, 5), 3)
    lacking.train_on_batch(batch()[np.flatnonzero(batch().target[:, 2] == 0)])
    with pytest.raises(ModelError, match=r"no record of the labels \['O'\]"):
        lacking.end_epoch(0)


@pytest.mark.parametrize(
    "settings", [{"l2": -1}, {"n_iterations": 0}, {"n_leaves": 1}, {"least_records": 0}, {"feature_share": 0}]
)
def test_a_setting_below_its_least_is_refused(settings) -> None:
    name, value = next(iter(settings.items()))
    with pytest.raises(ConfigError, match=rf"features_gbm\(.*{name}={value}"):
        FeaturesGbm(**settings)
    FeaturesGbm(**{name: {"l2": 0, "n_iterations": 1, "n_leaves": 2, "least_records": 1}.get(name, 1)})
