"""The recipe of ``af_dirichlet``, and the bundle that it made."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

import cardioflow

sys.path.append(str(Path(__file__).parents[2]))

described = pytest.importorskip("recipes.dirichlet.bundle").described


def test_the_bundle_in_the_package_is_what_the_recipe_describes() -> None:
    shipped = cardioflow.load("af_dirichlet").description
    made = described(
        shipped.card.scores, "0 1 2 3", "35 epochs on folds 0 to 2, then 10 on folds 0 to 3, batches of 64 records."
    )
    assert replace(made, card=replace(made.card, made=shipped.card.made)) == shipped


def test_its_card_has_the_f1_of_fold_4_with_an_interval_beside_that_of_cardio() -> None:
    card = cardioflow.load("af_dirichlet").description.card
    assert "F1 of AF of 0.83" in card.intended
    first = card.scores[0]
    assert (first.metric, first.on, first.n) == ("F1 of AF", "fold 4 without noise", 1649)
    assert first.low < 0.83 < first.value < first.high
