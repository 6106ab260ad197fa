"""The scores of a recipe as numbers and as text."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from cardioflow.recipe.table import as_text, scores_of

CLASSES = ("A", "N", "O")
Y = np.array([0, 0, 1, 1, 1, 1])
P = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], *[[0.1, 0.8, 0.1]] * 4])
"""Right but for the second record; no record is O, and none is called so."""


def test_a_class_that_no_record_has_leaves_the_scores_of_the_others() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        row = scores_of("test", Y, P, labels=(0, 1, 2))
    # F1 of A: 2 · 1 / (2 + 1); of N: 2 · 4 / (4 + 5); of O there is none.
    assert row.f1[:2] == pytest.approx((2 / 3, 8 / 9))
    assert np.isnan([row.f1[2], row.f1_low[2], row.f1_high[2]]).all()
    assert row.mean_f1 == pytest.approx((2 / 3 + 8 / 9) / 2)
    assert row.low < row.mean_f1 <= row.high == 1
    scores = row.scores(CLASSES, "six records")
    assert [score.label for score in scores] == ["", "A", "N", ""]
    assert as_text([row], CLASSES).splitlines()[-1].startswith("| test | 6 | 0.778 (")
    assert "| 0.667 | 0.889 | – |" in as_text([row], CLASSES)
