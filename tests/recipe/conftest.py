"""A small recipe as Python values, which tests change entry by entry."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from cardioflow.recipe import DataRecipe, MemberRecipe, Recipe
from cardioflow.recipe.out_of_fold import OutOfFold

CLASSES = ("A", "N", "O")


@pytest.fixture
def data_recipe() -> Callable[..., DataRecipe]:
    """Return a maker of the part on records."""
    return lambda **more: DataRecipe(**{"table": "t.csv", "classes": CLASSES, "train": (0, 1), "test": (2,), **more})


@pytest.fixture
def member_recipe() -> Callable[..., MemberRecipe]:
    """Return a maker of members."""
    return lambda **more: MemberRecipe(
        **{"name": "network", "model": "residual_gru", "prepare": ("standardize",), **more}
    )


@pytest.fixture
def recipe(data_recipe: Any, member_recipe: Any) -> Callable[..., Recipe]:
    """Return a maker of recipes."""
    return lambda **more: Recipe(**{"name": "small", "data": data_recipe(), "members": (member_recipe(),), **more})


@pytest.fixture
def yaml_of(tmp_path: Path) -> Callable[..., Path]:
    """Return a writer of a recipe's file with other entries."""

    def write(text: str | None = None, **changes: Any) -> Path:
        raw = {
            "cardioflow_recipe": 1,
            "name": "small",
            "data": {"table": "t.csv", "classes": list(CLASSES), "train": [0, 1], "test": [2]},
            "members": [{"name": "network", "model": "features_gbm", "prepare": ["standardize"]}],
            **changes,
        }
        path = tmp_path / "small.yaml"
        path.write_text(yaml.safe_dump(raw, sort_keys=False) if text is None else text, "utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def out_of_fold() -> Callable[..., OutOfFold]:
    """Return a maker of left-out predictions: noisy probabilities of a known strength, in two folds."""

    def make(
        *strengths: float, n: int = 300, seed: int = 0, names: tuple[str, ...] = ("a", "b", "c", "d")
    ) -> OutOfFold:
        rng = np.random.default_rng(seed)
        y = np.arange(n) % 3
        members = {}
        for name, strength in zip(names, strengths, strict=False):
            z = rng.normal(size=(n, 3))
            z[np.arange(n), y] += strength
            raised = np.exp(z)
            members[name] = raised / raised.sum(axis=1, keepdims=True)
        return OutOfFold(tuple(f"r{k}" for k in range(n)), np.arange(n) // 3 % 2, y, members)

    return make
