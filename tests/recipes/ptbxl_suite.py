"""The recipe for PTB-XL on the sample, tiny; ``test_ptbxl.py`` runs it on torch."""

from __future__ import annotations

import csv
import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recipes.ptbxl.superclass_table import rows
from recipes.ptbxl.train import Recipe, _mean_area, score, table, train

from cardioflow.callbacks import Callback
from cardioflow.recipe import read_recipe

DATA = Path(os.environ["CARDIOFLOW_DATA"]) / "ptbxl"
TINY = Recipe(config={"filters": 4}, train_folds=(1, 2, 3, 4, 5), test_folds=(6, 7, 8), epochs=2, batch_size=16)


class _StoppedError(BaseException):
    """What ends a run as a kill would."""


class _Stops(Callback):
    def __init__(self, at: int | None) -> None:
        self._at = at

    def batch_end(self, context: Any, logs: Any) -> None:
        if logs.number == self._at:
            raise _StoppedError


def test_a_training_that_is_stopped_goes_on_to_the_same_weights_and_table(tmp_path) -> None:
    whole = train(TINY, DATA, tmp_path / "whole")
    with pytest.raises(_StoppedError):
        train(TINY, DATA, tmp_path / "stopped", [_Stops(4)])
    assert not (tmp_path / "stopped" / "model.model").exists()
    resumed = train(TINY, DATA, tmp_path / "stopped", [_Stops(None)])
    one, other = whole.get_model("resnet1d_wang"), resumed.get_model("resnet1d_wang")
    assert len(one.hist["train_loss"]) == len(other.hist["train_loss"]) == 6
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    areas = score(TINY, DATA, resumed)
    # 24 records of folds 6 to 8 have a superclass.
    assert [row["class"] for row in areas] == [*one.classes, "macro"]
    assert areas[-1]["records"] == 24
    for row in areas:
        assert row["auroc"] is None or 0 <= row["low"] <= row["auroc"] <= row["high"] <= 1
    assert areas[-1]["auroc"] == pytest.approx(np.mean([row["auroc"] for row in areas[:-1]]))
    assert table(areas).splitlines()[-1].startswith("| macro | 24 | 0.")


def test_the_table_of_the_yaml_recipe_has_the_records_with_one_superclass_and_their_published_folds() -> None:
    found = rows(DATA)
    assert found[0] == ("records100/00000/00001_lr", "NORM", 3)
    # Of the 60 records, 48 have one superclass.
    assert Counter(label for _, label, _ in found) == {"NORM": 36, "STTC": 6, "CD": 4, "MI": 2}
    with (DATA / "ptbxl_database.csv").open(newline="", encoding="utf-8") as file:
        published = {row["filename_lr"]: int(row["strat_fold"]) for row in csv.DictReader(file)}
    assert all(published[name] == fold and (DATA / f"{name}.hea").is_file() for name, _, fold in found)
    recipe = read_recipe(Path(__file__).parents[2] / "recipes" / "ptbxl.yaml")
    assert {label for _, label, _ in found} <= set(recipe.data.classes)
    assert (recipe.data.train, recipe.data.test) == (tuple(range(1, 10)), (10,))


def test_the_macro_area_is_the_mean_over_classes_that_have_a_curve() -> None:
    truth = np.array([[1, 0, 1], [0, 1, 1], [0, 0, 1], [1, 1, 1]])
    answer = np.array([[0.9, 0.2, 0.5], [0.1, 0.9, 0.1], [0.8, 0.1, 0.2], [0.3, 0.3, 0.9]])
    # Of the four pairs of the first class, three are in order; all four of the second; the third has no negatives.
    assert _mean_area(truth, answer) == pytest.approx((0.75 + 1.0) / 2)
