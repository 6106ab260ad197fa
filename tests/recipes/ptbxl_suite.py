"""The recipe for PTB-XL on the sample, tiny; ``test_ptbxl.py`` runs it on torch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recipes.ptbxl.train import Recipe, _mean_area, score, table, train

from cardioflow.callbacks import Callback

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
    rows = score(TINY, DATA, resumed)
    # 24 records of folds 6 to 8 have a superclass.
    assert [row["class"] for row in rows] == [*one.classes, "macro"]
    assert rows[-1]["records"] == 24
    for row in rows:
        assert row["auroc"] is None or 0 <= row["low"] <= row["auroc"] <= row["high"] <= 1
    assert rows[-1]["auroc"] == pytest.approx(np.mean([row["auroc"] for row in rows[:-1]]))
    assert table(rows).splitlines()[-1].startswith("| macro | 24 | 0.")


def test_the_macro_area_is_the_mean_over_classes_that_have_a_curve() -> None:
    truth = np.array([[1, 0, 1], [0, 1, 1], [0, 0, 1], [1, 1, 1]])
    answer = np.array([[0.9, 0.2, 0.5], [0.1, 0.9, 0.1], [0.8, 0.1, 0.2], [0.3, 0.3, 0.9]])
    # Of the four pairs of the first class, three are in order; all four of the second; the third has no negatives.
    assert _mean_area(truth, answer) == pytest.approx((0.75 + 1.0) / 2)
