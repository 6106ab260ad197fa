"""A backend that is not installed: the error says which command installs it."""

from __future__ import annotations

import importlib
import sys

import pytest

from cardioflow.errors import MissingDependencyError


@pytest.mark.parametrize(
    ("package", "module", "words"),
    [
        ("torch", "cardioflow.models.torch", "PyTorch is not installed"),
        ("torch", "cardioflow.models.zoo.residual_gru", "PyTorch is not installed"),
        ("tensorflow", "cardioflow.models.tensorflow", "TensorFlow is not installed"),
        ("jax", "cardioflow.models.jax", "jax is not installed"),
        ("optax", "cardioflow.models.jax", "optax is not installed"),
    ],
)
def test_a_missing_backend_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, package: str, module: str, words: str
) -> None:
    for name in list(sys.modules):
        if name in (module, f"cardioflow.models.{package}"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    extra = "jax" if package == "optax" else package
    with pytest.raises(MissingDependencyError, match=rf"^{words}, and .* pip install 'cardioflow\[{extra}\]'\.$"):
        importlib.import_module(module)
