"""Models by name: declared by a function, in a batch class, or in the zoo."""

from __future__ import annotations

import sys
import types
from typing import Any

import numpy as np
import pytest

from cardioflow.batch import EcgBatch, Ragged
from cardioflow.errors import (
    ConfigError,
    DumpError,
    DuplicateNameError,
    InputError,
    LabelError,
    ModelError,
    UnknownNameError,
)
from cardioflow.models import declaration
from cardioflow.models.declaration import find, model, names


@pytest.fixture(autouse=True)
def own_declarations(monkeypatch) -> None:
    monkeypatch.setattr(declaration, "_declared", {})


def test_a_declared_function_stays_a_function_and_is_found(linear_class, make_batch) -> None:
    @model(mode="dynamic")
    def regression(batch, config=None):
        """Say what it is."""
        return linear_class().build(batch.signal[0].shape)

    assert regression.__doc__ == "Say what it is."
    assert isinstance(regression(make_batch(2)), linear_class)
    found = find("regression")
    assert (found.name, found.mode) == ("regression", "dynamic")
    assert isinstance(found.build(make_batch(2), None, None), linear_class)
    assert "regression" in names()
    assert "fft_inception" in names()


def test_a_dynamic_builder_gets_the_batch_unstacked(linear_class, make_batch) -> None:
    @model()
    def regression(batch):
        assert batch.signal.ndim == 2
        return linear_class().build(batch.signal[0].shape)

    whole = make_batch(2, (1, 800))
    cut = whole.replace(signal=Ragged(whole.signal.data, [[2, 1, 400]] * 2))
    assert find("regression").build(cut, None, {}).model["w"].shape == (400, 2)


@pytest.mark.parametrize("form", ["pipeline and config", "config", "nothing", "config first"])
def test_a_static_builder_takes_what_it_declares(linear_class, form) -> None:
    seen: dict[str, Any] = {}
    builders = {
        "pipeline and config": lambda pipeline, config=None: seen.update(pipeline=pipeline, n=config["n"]),
        "config": lambda config=None: seen.update(n=config["n"]),
        "nothing": lambda: None,
        "config first": lambda config, ppl: seen.update(pipeline=ppl, n=config["n"]),
    }

    def regression(*args, **kwargs):
        builders[form](*args, **kwargs)
        return linear_class().build((1, 400))

    regression.__signature__ = __import__("inspect").signature(builders[form])
    model(mode="static")(regression)
    config = {} if form == "nothing" else {"n": 3}
    find("regression").build(None, "the pipeline", config)
    assert seen.get("n") == config.get("n")
    assert seen.get("pipeline") == ("the pipeline" if "config" != form != "nothing" else None)


def test_a_model_in_a_class_body_belongs_to_that_class(linear_class, make_batch) -> None:
    class MyBatch(EcgBatch):
        @model(mode="dynamic")
        def regression(batch, config=None):  # noqa: N805 -- as the guide writes it
            return linear_class().build(batch.signal[0].shape)

    class Child(MyBatch):
        pass

    assert "regression" not in names()
    for batch_class in (MyBatch, Child):
        assert isinstance(find("regression", batch_class).build(make_batch(2), None, {}), linear_class)
    with pytest.raises(UnknownNameError):
        find("regression")
    with pytest.raises(UnknownNameError, match=r"no model 'regresion'\. Did you mean 'regression'"):
        find("regresion", MyBatch)


def test_a_class_takes_precedence_over_functions_and_functions_over_the_zoo(linear_class) -> None:
    @model()
    def fft_inception(batch):
        return linear_class()

    class MyBatch(EcgBatch):
        @model(mode="static")
        def fft_inception(config=None):  # noqa: N805 -- a static model gets no batch
            return linear_class()

    assert find("fft_inception", MyBatch).mode == "static"
    assert find("fft_inception").builder is fft_inception
    assert not find("fft_inception").in_zoo


def test_redeclaring_a_name_in_the_same_module_replaces_it(linear_class) -> None:
    def declare(n: int) -> Any:
        @model()
        def regression(batch):
            return n

        return regression

    first, second = declare(1), declare(2)
    assert find("regression").builder is second is not first


def test_an_error_for_a_name_in_two_modules_names_both(linear_class) -> None:
    for place in ("lab.one", "lab.two"):

        def regression(batch):
            return None

        regression.__module__ = place
        model()(regression)
    with pytest.raises(DuplicateNameError) as error:
        find("regression")
    assert str(error.value) == "Model 'regression' is declared twice, in lab.one and in lab.two. Rename one of them."


def test_a_function_at_the_top_of_a_module_is_declared(linear_class) -> None:
    module = types.ModuleType("lab_models")
    exec("from cardioflow.models import model\n@model(mode='static')\ndef made(): return None", module.__dict__)
    sys.modules.pop("lab_models", None)
    assert find("made").place == "lab_models.made"


def test_an_error_for_an_unknown_model_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as error:
        find("dirchlet")
    assert str(error.value) == "There is no model 'dirchlet'. Did you mean 'dirichlet'?"


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(InputError, match=r'model\(mode=\'lazy\'\) is neither "dynamic" nor "static"'):
        model(mode="lazy")
    with pytest.raises(InputError, match=r'Write @model\(mode="dynamic"\)'):

        @model
        def forgot_the_brackets(batch):
            return None


def test_an_error_for_a_builder_without_a_model_says_what_it_returned(make_batch) -> None:
    @model()
    def empty(batch):
        pass

    @model()
    def text(batch):
        return "model"

    with pytest.raises(ModelError, match=r"The builder of model 'empty' \(.*\) returned nothing, and a model"):
        find("empty").build(make_batch(2), None, {})
    with pytest.raises(ModelError, match=r"returned a str, and a model was expected\. Return it from the builder"):
        find("text").build(make_batch(2), None, {})


def test_an_error_for_a_dynamic_model_without_a_batch_says_what_to_do(linear_class, make_batch) -> None:
    @model()
    def regression(batch):
        return linear_class()

    with pytest.raises(ModelError, match=r"'regression' is dynamic: it is built from the first batch"):
        find("regression").build(None, None, {})
    with pytest.raises(ModelError, match="cannot be built from a batch without records"):
        find("regression").build(make_batch(2).take([]), None, {})


def test_an_error_for_an_unused_setting_names_the_nearest(linear_class, make_batch) -> None:
    @model()
    def regression(batch, config=None):
        config.get("learning_rate", 1e-3)
        return linear_class().build(batch.signal[0].shape)

    find("regression").build(make_batch(2), None, {"learning_rate": 1e-2})
    with pytest.raises(ConfigError) as error:
        find("regression").build(make_batch(2), None, {"learning_rat": 1e-2})
    assert str(error.value) == (
        "The config of model 'regression' has 'learning_rat', which the model never reads. "
        "Did you mean 'learning_rate'? Otherwise remove it."
    )


def test_a_setting_for_a_builder_without_config_is_refused(linear_class, make_batch) -> None:
    @model()
    def regression(batch):
        return linear_class().build(batch.signal[0].shape)

    with pytest.raises(ConfigError, match="has 'depth', which the model never reads"):
        find("regression").build(make_batch(2), None, {"depth": 3})


def test_all_settings_count_as_read_if_the_builder_uses_the_whole_config(linear_class, make_batch) -> None:
    taken = []

    @model()
    def regression(batch, config=None):
        taken.append(
            (dict(**config), {**config}, dict(config), config.copy(), list(config.items()), list(config.values()))
        )
        return linear_class().build(batch.signal[0].shape)

    find("regression").build(make_batch(2), None, {"depth": 3})
    assert taken == [({"depth": 3}, {"depth": 3}, {"depth": 3}, {"depth": 3}, [("depth", 3)], [3])]


def test_a_config_may_be_changed_by_the_builder(linear_class, make_batch) -> None:
    @model()
    def regression(batch, config=None):
        assert config.pop("depth") == 3
        assert config.setdefault("width", 2) == 2
        assert "height" not in config
        return linear_class().build(batch.signal[0].shape)

    given = {"depth": 3}
    find("regression").build(make_batch(2), None, given)
    assert given == {"depth": 3}


def test_a_path_that_is_missing_fails_before_any_record_is_read(tmp_path) -> None:
    called = []

    @model()
    def regression(batch, config=None):
        called.append(1)

    for name in ("regression", "fft_inception"):
        with pytest.raises(DumpError, match=r"The dump .* does not exist"):
            find(name).check({"path": tmp_path / "nowhere"})
        with pytest.raises(DumpError, match=r"The dump .* does not exist"):
            find(name).build(None, None, {"path": tmp_path / "nowhere"})
    assert not called


def test_a_path_in_the_config_loads_the_weights_into_the_built_model(
    linear, linear_class, make_batch, tmp_path
) -> None:
    linear.train_on_batch(make_batch(4))
    linear.save(tmp_path / "dump")

    @model()
    def regression(batch, config=None):
        return linear_class().build(batch.signal[0].shape)

    find("regression").check({"path": tmp_path / "dump"})
    loaded = find("regression").build(make_batch(2), None, {"path": tmp_path / "dump"})
    assert np.array_equal(loaded.model["w"], linear.model["w"])
    assert loaded.classes == ("A", "NO")


def test_the_zoo_refuses_an_unknown_setting_before_any_record_is_read() -> None:
    with pytest.raises(ConfigError) as error:
        find("fft_inception").check({"learning_rat": 1})
    assert str(error.value) == (
        "The config of model 'fft_inception' has 'learning_rat', which it has no parameter for. "
        "Did you mean 'learning_rate'?"
    )
    find("fft_inception").check({"learning_rate": 1e-3})
    find("fft_inception").check(None)


def test_the_zoo_refuses_the_dump_of_another_model(linear, tmp_path) -> None:
    linear.save(tmp_path / "dump")
    with pytest.raises(DumpError, match=r"is the dump of LinearModel, and model 'fft_inception' is FftInception"):
        find("fft_inception").check({"path": tmp_path / "dump"})


def test_the_zoo_needs_the_number_of_labels(make_batch) -> None:
    with pytest.raises(LabelError, match=r"'FftInception' is built from the first batch, and the batch has no labels"):
        find("fft_inception").build(make_batch(2).replace(target=None, classes=None), None, {})


def test_the_initial_weights_depend_only_on_the_seed_of_the_batch(linear_class, make_batch) -> None:
    import random

    @model()
    def regression(batch):
        made = linear_class().build(batch.signal[0].shape)
        made.model = {"w": np.random.normal(size=(400, 2)), "python": random.random()}  # noqa: NPY002 -- what backends use
        return made

    np.random.seed(3)  # noqa: NPY002 -- the user's own
    random.seed(3)
    expected = (np.random.random(), random.random())  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    random.seed(3)
    first, again, other = (
        find("regression").build(make_batch(2).replace(seed=seed), None, {}).model for seed in (1, 1, 2)
    )
    assert np.array_equal(first["w"], again["w"])
    assert first["python"] == again["python"] != other["python"]
    assert not np.array_equal(first["w"], other["w"])
    assert (np.random.random(), random.random()) == expected  # noqa: NPY002
    chosen = find("regression").build(make_batch(2).replace(seed=7), None, {}, seed=1)
    assert np.array_equal(chosen.model["w"], first["w"])
    # Dropout and its like are drawn from it, too.
    assert chosen.seed == 1
    assert find("regression").build(make_batch(2).replace(seed=7), None, {}).seed == 7
