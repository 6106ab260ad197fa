"""Rows by group: each row once, in the order of the groups and, within one, of the table."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.core.row_groups import rows_by_group
from cardioflow.errors import InputError


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (["b", "a", "b", "c", "a"], [[1, 4], [0, 2], [3]]),
        ([3, 1, 3], [[1], [0, 2]]),
        (["x"] * 4, [[0, 1, 2, 3]]),
        (("10", "9", "10"), [[0, 2], [1]]),
        (np.array([2.5, -1.0, 2.5]), [[1], [0, 2]]),
    ],
)
def test_the_rows_of_a_group_are_together_and_in_order(groups, expected):
    assert [own.tolist() for own in rows_by_group(len(groups), groups)] == expected


def test_without_groups_every_row_is_its_own():
    assert [own.tolist() for own in rows_by_group(3, None)] == [[0], [1], [2]]
    assert rows_by_group(0, None) == []


def test_every_row_is_in_one_group_of_many():
    groups = np.random.default_rng(0).integers(0, 50, 1000)
    found = rows_by_group(1000, groups)
    assert np.sort(np.concatenate(found)).tolist() == list(range(1000))
    assert all(np.unique(groups[own]).size == 1 for own in found)


@pytest.mark.parametrize("groups", [[], ["a"], ["a"] * 4])
def test_another_number_of_groups_than_rows_is_refused(groups):
    with pytest.raises(InputError, match=rf"records has {len(groups)} entries for 3 rows"):
        rows_by_group(3, groups)
