"""Features and numbers become the arrays that a model takes, and settings know which of them were read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cardioflow.batch import EcgBatch, Ragged
from cardioflow.errors import ConfigError, InputError, LabelError
from cardioflow.models import HMModel
from cardioflow.models._config import ModelConfig
from cardioflow.models.dump import read_header
from cardioflow.models.inputs import Features
from cardioflow.models.targets import Vector


def with_features(values) -> EcgBatch:
    n = len(values)
    batch = EcgBatch.from_arrays(np.zeros((n, 1, 4)), fs=100)
    return batch.with_component("features", values)


@pytest.mark.parametrize("dtype", [np.int64, np.float64, np.float32, bool])
def test_features_of_any_number_type_are_float32_rows(dtype) -> None:
    given = np.array([[0, 1, 1], [1, 0, 1]], dtype)
    x = Features().encode(with_features(given), None, None)
    assert (x.dtype, x.flags.c_contiguous) == (np.float32, True)
    assert x.tolist() == [[0, 1, 1], [1, 0, 1]]


def test_one_number_for_each_record_is_one_feature() -> None:
    assert Features().encode(with_features(np.array([3, 5, 7])), None, (1,)).tolist() == [[3], [5], [7]]


@pytest.mark.parametrize("values", [np.zeros((2, 3, 4)), np.array([["a"], ["b"]]), np.zeros((2, 3), complex)])
def test_what_is_not_a_row_of_real_numbers_is_refused(values) -> None:
    with pytest.raises(InputError, match=r"the model takes numbers of shape \(record, feature\)"):
        Features().encode(with_features(values), None, None)


@pytest.mark.parametrize(("expected", "trained"), [((3,), None), (None, (3,)), ((3,), (2,))])
def test_another_number_of_features_than_was_declared_or_trained_is_refused(expected, trained) -> None:
    with pytest.raises(InputError, match=r"takes 3 features per record, and the component 'features' has 2"):
        Features().encode(with_features(np.zeros((2, 2))), expected, trained)
    assert Features().encode(with_features(np.zeros((2, 2))), (None,), None).shape == (2, 2)


def test_a_missing_feature_names_its_record_unless_the_model_takes_it() -> None:
    batch = with_features(np.array([[1.0, 2.0], [np.nan, 4.0]]))
    with pytest.raises(InputError) as caught:
        Features().encode(batch, None, None)
    assert caught.value.record == "1"
    assert np.isnan(Features(missing=True).encode(batch, None, None)[1, 0])


def test_whole_numbers_are_numbers_for_a_model_of_numbers_though_the_batch_has_labels() -> None:
    batch = EcgBatch.from_arrays(np.zeros((2, 1, 4)), fs=100, targets=np.array([3, 5]), classes=["x", "y"])
    y = Vector().encode(batch, np.zeros((2, 1)))
    assert (y.dtype, y.tolist()) == (np.float32, [[3], [5]])
    with pytest.raises(LabelError):
        Vector().encode(batch.replace(target=np.array([3.0, np.nan])), np.zeros((2, 1)))


@pytest.mark.parametrize(
    "read", [lambda c: c.items(), lambda c: c.keys(), lambda c: c.values(), list, lambda c: c.copy(), lambda c: {**c}]
)
def test_a_builder_that_takes_all_settings_has_read_each(read) -> None:
    config = ModelConfig({"a": 1, "b": 2})
    assert config.read == set()
    read(config)
    assert config.read == {"a", "b"}


@pytest.mark.parametrize(
    "read",
    [lambda c: c["a"], lambda c: c.get("a"), lambda c: "a" in c, lambda c: c.pop("a"), lambda c: c.setdefault("a")],
)
def test_a_builder_that_takes_one_setting_has_read_that_one(read) -> None:
    config = ModelConfig({"a": 1, "b": 2})
    read(config)
    assert config.read == {"a"}


def test_a_class_accepts_the_dumps_of_its_own_name_and_backend_only(linear, linear_class, tmp_path) -> None:
    linear.save(tmp_path / "model")
    header = read_header(tmp_path / "model")
    assert linear_class.accepts(header)
    assert not linear_class.accepts(replace(header, adapter="keras"))
    assert not linear_class.accepts(replace(header, model="Other"))


def of_states(n=2) -> EcgBatch:
    rng = np.random.default_rng(0)
    x = np.where(np.arange(400) // 50 % 2, 1.0, -1.0) + 0.3 * rng.normal(size=(n, 1, 400))
    return EcgBatch.from_arrays(x, fs=250).with_component("f", Ragged.from_arrays(list(x)))


def small(**settings) -> HMModel:
    from cardioflow.analysis.gaussian_hmm import GaussianHmm

    start = GaussianHmm([0.5, 0.5], [[0.9, 0.1], [0.1, 0.9]], [[-1.0], [1.0]], [[[0.5]], [[0.5]]])
    return HMModel("f", n_iter=2, **settings).build(start)


def test_a_least_variance_holds_where_the_samples_vary_less() -> None:
    free, held = small(), small(min_variance=0.8)
    for model in (free, held):
        model.train_on_batch(of_states())
        model.end_run()
    # The noise has a variance of 0.09.
    assert free.model.covariances.reshape(-1) == pytest.approx([0.09, 0.09], abs=0.03)
    assert held.model.covariances.reshape(-1).min() >= 0.8


def test_a_markov_model_has_no_metrics_in_training_nor_in_a_test() -> None:
    model = small()
    model.train_on_batch(of_states())
    model.end_run()
    for step in (model.train_on_batch, model.test_on_batch):
        with pytest.raises(ConfigError):
            step(of_states(), "f1")
