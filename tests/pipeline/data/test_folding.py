"""Iterative stratification deals labels out as the paper says, in whole groups and to folds of any share."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from cardioflow.pipeline.data.folding import assign_folds


def counts(fold: Any, labels: list[Any], n: int) -> list[Counter[Any]]:
    return [Counter(label for i in np.flatnonzero(fold == k) for label in labels[i]) for k in range(n)]


def test_the_example_of_the_rarest_label_first_by_hand() -> None:
    """Two folds of four records: b is rarer than a, so b's two records part first, and a's fill up."""
    labels = [("a", "b"), ("a",), ("b",), ("a",)]
    for seed in range(10):
        fold = assign_folds(labels, list("wxyz"), [0.5, 0.5], seed=seed)
        assert fold[0] != fold[2]
        assert sorted(Counter(fold.tolist()).values()) == [2, 2]
        # a is in three records: two folds get 2 and 1.
        assert sorted(own["a"] for own in counts(fold, labels, 2)) == [1, 2]


@pytest.mark.parametrize("seed", range(4))
def test_every_fold_has_the_labels_within_one_of_its_share(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = [tuple(np.array(list("ABCD"))[rng.random(4) < [0.6, 0.3, 0.15, 0.05]]) for _ in range(400)]
    fold = assign_folds(labels, range(400), [0.25] * 4, seed=seed)
    assert np.bincount(fold).tolist() == [100] * 4
    total = Counter(label for own in labels for label in own)
    for own in counts(fold, labels, 4):
        for label, n in total.items():
            assert abs(own[label] - n / 4) <= 2


def test_a_random_deal_is_worse_which_is_what_stratification_is_for() -> None:
    rng = np.random.default_rng(3)
    labels = [("rare",) if i < 20 else () for i in range(1000)]
    ours = counts(assign_folds(labels, range(1000), [0.1] * 10, seed=0), labels, 10)
    assert {own["rare"] for own in ours} == {2}
    drawn = counts(rng.permutation(np.arange(1000) % 10), labels, 10)
    assert {own["rare"] for own in drawn} != {2}


def test_unequal_shares_get_unequal_numbers_of_each_label() -> None:
    labels = [("x", "y") if i % 4 == 0 else ("y",) for i in range(100)]
    fold = assign_folds(labels, range(100), [0.6, 0.2, 0.2], seed=5)
    assert np.bincount(fold).tolist() == [60, 20, 20]
    assert [own["x"] for own in counts(fold, labels, 3)] == [15, 5, 5]


def test_records_of_a_group_stay_together_and_bring_all_their_labels() -> None:
    groups = [i // 5 for i in range(200)]
    labels = [("AF",) if (i // 5) % 4 == 0 else ("N",) for i in range(200)]
    fold = assign_folds(labels, groups, [0.5, 0.5], seed=1)
    assert all(len(set(fold[np.array(groups) == g])) == 1 for g in range(40))
    assert [own["AF"] for own in counts(fold, labels, 2)] == [25, 25]


def test_records_without_any_label_fill_the_folds_up() -> None:
    labels: list[tuple[str, ...]] = [("A",)] * 10 + [()] * 30
    fold = assign_folds(labels, range(40), [0.25] * 4, seed=0)
    assert np.bincount(fold).tolist() == [10] * 4


def test_a_label_that_a_record_names_twice_counts_once() -> None:
    once = assign_folds([("A",)] * 6 + [("B",)] * 6, range(12), [0.5, 0.5], seed=2)
    twice = assign_folds([("A", "A")] * 6 + [("B",)] * 6, range(12), [0.5, 0.5], seed=2)
    assert once.tolist() == twice.tolist()


def test_the_labels_may_be_of_types_that_cannot_be_sorted() -> None:
    labels: list[Any] = [(1,), ("1",), (None,), (2.5,)] * 4
    fold = assign_folds(labels, range(16), [0.5, 0.5], seed=0)
    assert np.bincount(fold).tolist() == [8, 8]
    for own in counts(fold, labels, 2):
        assert own == {1: 2, "1": 2, None: 2, 2.5: 2}


def test_another_seed_is_another_deal_of_the_same_numbers() -> None:
    labels = [("A",) if i % 3 else ("B",) for i in range(90)]
    one, other = (assign_folds(labels, range(90), [1 / 3] * 3, seed=seed) for seed in (1, 2))
    assert one.tolist() != other.tolist()
    assert counts(one, labels, 3) == counts(other, labels, 3) == [Counter({"A": 20, "B": 10})] * 3
