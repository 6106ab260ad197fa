"""The contract of every model in the zoo, tested as soon as its file exists; ``test_models.py`` runs it."""

from __future__ import annotations

import copy
import inspect
import pickle

import numpy as np
import pytest

from cardioflow import registry
from cardioflow.batch import EcgBatch, Meta, Ragged
from cardioflow.errors import ConfigError, DumpError, InputError, LabelError
from cardioflow.models import BaseModel, OnnxModel
from cardioflow.models.declaration import find
from cardioflow.models.export import export_onnx

# Keras 3.15 implements __array__ with the signature of NumPy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

SHAPE = (2, 1024)
CLASSES = ("A", "N", "O")
STATES = np.arange(6 * SHAPE[1]).reshape(6, -1) // 100 % 3
"""For the models that label every sample."""


def batch(n: int = 6, *, flat: bool = False) -> EcgBatch:
    signals = np.random.default_rng(0).normal(size=(n, *SHAPE)).astype(np.float32) * (not flat)
    return EcgBatch(
        ids=tuple(f"R{i}" for i in range(n)),
        signal=Ragged.from_arrays(list(signals)),
        meta=Meta.from_rows([{"fs": 300.0, "leads": ("I", "II")}] * n),
        target=np.eye(3, dtype=np.float32)[np.arange(n) % 3],
        classes=CLASSES,
    ).with_component("mask", STATES[:n])


def build(name: str, **kwargs) -> BaseModel:
    """Return a new model, small where the published one is large."""
    return find(name).build(batch(), None, dict(registry.models.get(name).example_settings), **kwargs)


OTHERS = {
    "auto_encoder": "learns signals: models/zoo/cardio_suite.py",
    "features_gbm": "takes features, and learns at the end of an epoch: models/zoo/test_features_gbm.py",
    "hmm": "learns states from whole records and takes no labels: models/test_hmm.py",
    "triplet_embedding": "only predicts: models/zoo/cardio_suite.py",
    "triplet_learn": "learns from triplets: models/zoo/cardio_suite.py",
    "variational_auto_encoder": "learns signals: models/zoo/cardio_suite.py",
}
"""Members that do not learn targets from signals of one shape, and where they are tested."""


@pytest.fixture(scope="module", params=[name for name in registry.models.names() if name not in OTHERS])
def name(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def trained(name) -> BaseModel:
    model = build(name)
    for _ in range(2):
        result = model.train_on_batch(batch(), "f1")
        assert np.isfinite(result["loss"])
        assert 0 <= result["metric"] <= 1
    return model


def test_it_is_a_model_and_its_docstring_begins_with_a_sentence(name) -> None:
    member = registry.models.get(name)
    assert issubclass(member, BaseModel)
    first = inspect.getdoc(member).partition("\n")[0]
    assert first.endswith((".", ";", ":", ","))
    assert len(first) > 20


def test_all_its_settings_have_defaults_and_others_are_refused(name) -> None:
    parameters = inspect.signature(registry.models.get(name)).parameters.values()
    assert all(p.default is not p.empty for p in parameters)
    with pytest.raises(ConfigError, match="has 'no_such_setting', which it has no parameter for"):
        find(name).check({"no_such_setting": 1})


def test_predictions_are_probabilities_one_row_per_record(trained) -> None:
    p = trained.predict_on_batch(batch(5))
    assert p.shape == ((5, SHAPE[1], 3) if trained.output == "states" else (5, 3))
    assert ((p >= 0) & (p <= 1)).all()


def test_predictions_of_one_record_do_not_depend_on_the_others(trained) -> None:
    whole = trained.predict_on_batch(batch(6))
    np.testing.assert_allclose(trained.predict_on_batch(batch(6)[:2]), whole[:2], atol=1e-5)


def test_a_loaded_model_gives_equal_predictions(name, trained, tmp_path) -> None:
    trained.save(tmp_path / "dump")
    loaded = find(name).build(batch(), None, {"path": tmp_path / "dump"})
    np.testing.assert_allclose(loaded.predict_on_batch(batch()), trained.predict_on_batch(batch()), atol=1e-6)
    assert loaded.classes == CLASSES


# PyTorch's exporter looks into its own deprecated parts.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_its_onnx_graph_gives_equal_predictions(trained, tmp_path) -> None:
    export_onnx(trained, tmp_path / "network.onnx")
    loaded = OnnxModel().load(tmp_path / "network.onnx")
    np.testing.assert_allclose(loaded.predict_on_batch(batch()), trained.predict_on_batch(batch()), rtol=0, atol=1e-5)
    assert (loaded.classes, loaded.output) == (CLASSES, trained.output)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"])
def test_a_copy_predicts_and_continues_training_with_equal_numbers(name, copied) -> None:
    model = build(name, seed=3)
    model.train_on_batch(batch())
    other = copied(model)
    np.testing.assert_allclose(other.predict_on_batch(batch()), model.predict_on_batch(batch()), atol=1e-6)
    assert other.train_on_batch(batch(), "f1") == pytest.approx(model.train_on_batch(batch(), "f1"), rel=1e-4)


def test_a_record_that_does_not_fit_is_named_and_the_batch_is_not_learned(trained) -> None:
    before, n_learned = trained.predict_on_batch(batch()), len(trained.hist["train_loss"])
    signals, targets = [np.array(s) for s in batch().signal], batch().target.copy()
    signals[2] = np.zeros((SHAPE[0], SHAPE[1] + 1), np.float32)
    targets[2] = np.nan
    states = np.where(np.arange(6)[:, None] == 2, 0.5, STATES)
    with pytest.raises(InputError) as other_shape:
        trained.train_on_batch(batch().replace(signal=Ragged.from_arrays(signals)))
    with pytest.raises(LabelError) as unknown:
        trained.train_on_batch(batch().replace(target=targets).with_component("mask", states))
    assert other_shape.value.record == unknown.value.record == "R2"
    assert len(trained.hist["train_loss"]) == n_learned
    assert np.array_equal(trained.predict_on_batch(batch()), before)


def test_the_dump_of_another_model_is_refused_before_any_record_is_read(name, trained, tmp_path) -> None:
    class Other(type(trained)):
        pass

    other = copy.copy(trained)
    other.__class__ = Other
    other.save(tmp_path / "dump")
    with pytest.raises(DumpError, match=f"is the dump of Other, and model '{name}' is {type(trained).__name__}"):
        find(name).check({"path": tmp_path / "dump"})


def test_weights_stay_finite_on_flat_records(name) -> None:
    model = build(name)
    for _ in range(2):
        model.train_on_batch(batch(flat=True))
    assert np.isfinite(model.predict_on_batch(batch())).all()


def test_the_same_seed_builds_the_same_weights(name) -> None:
    first, again, other = (build(name, seed=seed).predict_on_batch(batch()) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
