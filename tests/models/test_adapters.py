"""The class that loads a dump is found among all adapters, including custom backends."""

from __future__ import annotations

import json
import zipfile
from typing import Any

import numpy as np
import pytest

from cardioflow.errors import ConfigError, DumpError, ModelError
from cardioflow.models import declaration
from cardioflow.models.adapters import adapter_class, from_dump
from cardioflow.models.declaration import find, model
from cardioflow.models.dump import read_header
from cardioflow.models.dump_header import DumpHeader
from cardioflow.models.sklearn import SklearnBaseModel


@pytest.fixture(autouse=True)
def own_declarations(monkeypatch) -> None:
    monkeypatch.setattr(declaration, "_declared", {})


@pytest.fixture
def whole_class(linear_class) -> Any:
    """Return a backend whose dump contains the complete model."""

    class WholeModel(linear_class):
        adapter = "whole"
        holds_architecture = True

    return WholeModel


def test_a_dump_with_the_architecture_is_loaded_without_a_builder(whole_class, make_batch, tmp_path) -> None:
    trained = whole_class().build((1, 400))
    trained.train_on_batch(make_batch(4))
    trained.save(tmp_path / "dump")

    @model()
    def regression(batch, config=None):
        raise AssertionError

    config = {"path": tmp_path / "dump"}
    for loaded in (find("regression").build(None, None, config), from_dump(tmp_path / "dump")):
        assert type(loaded) is whole_class
        assert np.array_equal(loaded.predict_on_batch(make_batch(3)), trained.predict_on_batch(make_batch(3)))
    with pytest.raises(ConfigError, match="has a path, so the dump is loaded and nothing is built: 'depth' would"):
        find("regression").check({**config, "depth": 3})


def test_a_dump_with_weights_only_needs_the_builder(linear, make_batch, tmp_path) -> None:
    linear.train_on_batch(make_batch(4))
    linear.save(tmp_path / "dump")
    with pytest.raises(ModelError, match="holds the weights of LinearModel, which only its own code can build"):
        from_dump(tmp_path / "dump")


def test_the_adapter_of_a_dump_is_found_by_its_name() -> None:
    assert adapter_class(DumpHeader(adapter="sklearn", model="Any")) is SklearnBaseModel
    assert adapter_class(DumpHeader(adapter="os", model="system")) is None


def test_a_multilabel_dump_of_version_1_stays_multilabel(linear, linear_class, make_batch, tmp_path) -> None:
    linear.train_on_batch(make_batch(6, several=True))
    linear.save(tmp_path / "new")
    with zipfile.ZipFile(tmp_path / "new") as new, zipfile.ZipFile(tmp_path / "old", "w") as old:
        for name in new.namelist():
            content = new.read(name)
            if name == "model.json":
                header = json.loads(content)
                assert header.pop("output") == "independent"
                header.pop("thresholds")
                content = json.dumps({**header, "version": 1, "multilabel": True}).encode()
            old.writestr(name, content)
    assert read_header(tmp_path / "old").output == "independent"
    loaded = linear_class().load(tmp_path / "old")
    assert loaded.output == "independent"
    assert np.array_equal(loaded.model["w"], linear.model["w"])


def test_a_dump_of_another_backend_is_refused(linear, whole_class, make_batch, tmp_path) -> None:
    linear.save(tmp_path / "dump")
    with pytest.raises(DumpError, match="holds a model of the adapter 'numpy', and WholeModel is of 'whole'"):
        whole_class().load(tmp_path / "dump")
