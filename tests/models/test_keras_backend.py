"""The choice of Keras's backend, and that no backend is loaded before it is needed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from cardioflow.errors import MissingDependencyError
from cardioflow.models._keras import backend as _keras


@pytest.fixture
def choose(monkeypatch, tmp_path):
    """Return the choice on a machine where only ``installed`` can be found and Keras is not imported yet."""

    def chosen(*installed: str, env: str | None = None, json: str | None = None) -> str:
        monkeypatch.setattr(_keras, "find_spec", lambda name: name if name in installed else None)
        monkeypatch.delitem(sys.modules, "keras", raising=False)
        monkeypatch.setenv("KERAS_HOME", str(tmp_path))
        monkeypatch.setenv("KERAS_BACKEND", env or "")
        if json is not None:
            (tmp_path / "keras.json").write_text(json)
        return _keras.choose_backend()

    return chosen


def test_the_environment_variable_takes_precedence(choose) -> None:
    assert choose("keras", "jax", "torch", env="torch", json='{"backend": "jax"}') == "torch"


def test_keras_json_is_used_if_its_backend_is_installed(choose) -> None:
    assert choose("keras", "torch", "tensorflow", json='{"backend": "torch"}') == "torch"
    # Keras writes "tensorflow" there by itself, whatever is installed.
    assert choose("keras", "torch", json='{"backend": "tensorflow"}') == "torch"


@pytest.mark.parametrize("json", [None, "no json", "[]", '{"backend": 3}'])
def test_otherwise_the_first_installed_backend_is_chosen_and_passed_to_keras(choose, json) -> None:
    assert choose("keras", "torch", "jax", json=json) == next(b for b in _keras.BACKENDS if b in ("jax", "torch"))
    assert os.environ["KERAS_BACKEND"] in ("jax", "torch")


def test_an_error_for_a_missing_package_names_the_command_that_installs_it(choose) -> None:
    with pytest.raises(MissingDependencyError, match=r"Keras is not installed.*pip install 'cardioflow\[tensorflow\]'"):
        choose("torch")
    with pytest.raises(MissingDependencyError, match=r"none of its backends is\. Install one"):
        choose("keras")
    with pytest.raises(MissingDependencyError, match=r"KERAS_BACKEND is 'jax', which is not installed"):
        choose("keras", "torch", env="jax")


@pytest.mark.parametrize("version", ["3.15.1", "4.0.0", "3.16.0.dev20261101"])
def test_a_keras_version_that_loads_safely_is_accepted(version) -> None:
    _keras.refuse_unsafe(version)


@pytest.mark.parametrize("version", ["3.15.0", "3.13.2", "3.9.0", "2.15.0"])
def test_a_keras_version_that_can_be_made_to_run_code_is_refused(version) -> None:
    with pytest.raises(MissingDependencyError) as error:
        _keras.refuse_unsafe(version)
    assert str(error.value) == (
        f"Keras {version} is installed; older than 3.15.1, it can be made to run code from a model's file. "
        "Update it: pip install --upgrade keras."
    )


def test_an_already_imported_keras_keeps_its_backend() -> None:
    assert _keras.choose_backend() == _keras.keras.config.backend()


@pytest.mark.parametrize(
    "code", ["import cardioflow.models", "from cardioflow.models import BaseModel, names, model; names()"]
)
def test_importing_models_loads_no_backend(code) -> None:
    heavy = ("keras", "torch", "jax", "tensorflow", "sklearn", "scipy", "numba", "pandas")
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; print([m for m in {heavy!r} if m in sys.modules])"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_native_tensorflow_models_do_not_import_our_keras_modules() -> None:
    code = "import sys, cardioflow.models.tensorflow; print('cardioflow.models._keras.backend' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    import cardioflow.models

    with pytest.raises(AttributeError, match="has no attribute 'KerasModel'"):
        cardioflow.models.KerasModel  # noqa: B018 -- the access is what is tested
    assert {"BaseModel", "KerasBaseModel", "TensorFlowBaseModel", "names"} <= set(dir(cardioflow.models))
