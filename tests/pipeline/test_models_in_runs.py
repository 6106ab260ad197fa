"""A run's seed decides a model's first weights, and models hear when an epoch ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cardioflow import Pipeline, model
from cardioflow.errors import ConfigError, InputError, ModelError
from cardioflow.pipeline.model_store import ModelStore


@pytest.fixture
def drawn(twelve, loading):
    from cardioflow.models.base import BaseModel

    class DrawnModel(BaseModel):
        def __init__(self) -> None:
            self.weights = np.random.normal(size=3)  # noqa: NPY002 -- what is tested

        def load(self, path: str | Path) -> Any: ...
        def save(self, path: str | Path) -> None: ...
        def train_on_batch(self, batch, metrics=None, **kwargs):
            return {"loss": 0.0}

        def test_on_batch(self, batch, metrics=None, **kwargs):
            return {"loss": 0.0}

        def predict_on_batch(self, batch):
            return np.zeros((len(batch), 1))

    @model(mode="dynamic")
    def drawn_model(batch, config=None):
        return DrawnModel()

    @model(mode="static")
    def static_drawn_model(pipeline, config=None):
        return DrawnModel()

    def weights(name, seed):
        run = (twelve >> loading.init_model(name).train_on_batch(name)).run(batch_size=6, seed=seed)
        return run.get_model(name).weights.tolist()

    return weights


@pytest.mark.parametrize("name", ["drawn_model", "static_drawn_model"])
def test_the_runs_seed_decides_the_first_weights(drawn, name):
    assert drawn(name, 1) == drawn(name, 1)
    assert drawn(name, 1) != drawn(name, 2)


def test_a_static_builder_is_given_the_pipeline(twelve, loading):
    given = []

    @model(mode="static")
    def asks_for_its_pipeline(pipeline, config=None):
        given.append(pipeline)
        raise InputError("enough")

    bound = twelve >> loading.init_model("asks_for_its_pipeline")
    with pytest.raises(InputError, match="enough"):
        bound.run(batch_size=4)
    assert given == [bound]


def test_models_are_told_the_end_of_every_epoch_and_their_figures_are_kept(twelve, training, counting):
    counting.end_epoch = lambda epoch: {"loss": 10.0 + epoch}
    counting.end_run = lambda: {"auc": 0.5}
    run = (twelve >> training).run(batch_size=6, n_epochs=2)
    assert run.get_variable("m.train_loss") == [1.0, 2.0, 10.0, 3.0, 4.0, 11.0]
    assert run.get_variable("m.train_auc") == [0.5]


def test_a_model_that_returns_no_figures_is_told_what_is_expected(twelve, training, counting):
    counting.train_on_batch = lambda batch, metrics=None: None
    with pytest.raises(ModelError, match=r"'m' returned NoneType from train_on_batch, .* Return \{\} if it has none"):
        (twelve >> training).run(batch_size=6)


def test_a_model_that_the_run_only_asks_is_told_nothing(twelve, loading, counting):
    (twelve >> loading.import_model("m", counting).predict_on_batch("m")).run(batch_size=6)
    assert counting.epochs == []


def test_preprocessing_is_refused_where_the_model_would_lose_it(twelve, training, tmp_path):
    template = training.save_model("m", tmp_path / "m", preprocessing=Pipeline().standardize())
    with pytest.raises(InputError, match="a CountingModel does not keep its preprocessing"):
        (twelve >> template).run(batch_size=6)


def test_the_store_names_what_it_has(counting, twelve):
    store = ModelStore({}, twelve.batch_class, None, seed=0)
    store.put("mine", counting)
    with pytest.raises(LookupError, match=r"no model 'mien'\. Did you mean 'mine'"):
        store.get("mien")


def test_a_model_of_another_run_goes_on_as_the_same_object(twelve, loading, training, counting):
    first = (twelve >> training).run(6)
    second = (twelve >> loading.import_model("m", first).train_on_batch("m")).run(6)
    assert second.get_model("m") is first.get_model("m") is counting
    assert len(counting.updates) == 4


@pytest.mark.parametrize("setting", ["m.keras", 3, ["path"]])
def test_the_setting_of_a_model_is_a_mapping(twelve, setting):
    store = ModelStore({"fft_inception": setting}, twelve.batch_class, None, seed=0)
    with pytest.raises(ConfigError, match=r"The setting 'fft_inception' is .*\. A model's is a mapping"):
        store.declare("fft_inception")


def test_a_store_knows_the_configuration_of_what_was_declared_and_none_of_what_was_put_in(counting, twelve):
    @model(mode="dynamic")
    def of_some_width(batch, config=None):
        return counting

    store = ModelStore({"of_some_width": {"width": 4, "depth": 2}}, twelve.batch_class, None, seed=0)
    store.declare("of_some_width", {"width": 8})
    store.put("own", counting)
    assert store.config_of("of_some_width") == {"width": 8, "depth": 2}
    assert store.config_of("own") is None
