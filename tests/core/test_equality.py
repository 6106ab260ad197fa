"""Values are the same if they are equal and of one type, whatever they contain."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from cardioflow.core.equality import same

NAN = float("nan")


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (None, None),
        (1, 1),
        (NAN, float("nan")),
        (np.float32("nan"), np.float32("nan")),
        ([1, (NAN, {"x": [2]})], [1, (NAN, {"x": [2]})]),
        (np.array([1.0, NAN]), np.array([1.0, NAN])),
        (np.array(["a", "b"]), np.array(["a", "b"])),
        (np.array([[1, NAN], None], object), np.array([[1, NAN], None], object)),
        (np.zeros((0, 3)), np.zeros((0, 3))),
        (slice(1, None), slice(1, None)),
        (partial(max, 3, key=abs), partial(max, 3, key=abs)),
        ({1, 2}, {2, 1}),
    ],
)
def test_equal_values_of_one_type_are_the_same(a: Any, b: Any) -> None:
    assert same(a, b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1, 1.0),
        (1, True),
        (1, 2),
        ([1], (1,)),
        ([1], [1, 2]),
        ({"x": 1}, {"y": 1}),
        ({"x": 1}, {"x": 1, "y": 2}),
        (np.zeros(2), np.zeros(3)),
        (np.zeros(2), np.zeros(2, np.float32)),
        (np.zeros((0, 3)), np.zeros((0, 4))),
        (slice(1, 2), slice(1, 3)),
        (partial(max, 3), partial(max, 4)),
        (np.float32(1), 1.0),
    ],
)
def test_different_values_are_not_the_same(a: Any, b: Any) -> None:
    assert not same(a, b)


def test_an_object_that_cannot_be_compared_equals_only_itself() -> None:
    class Odd:
        __hash__ = None

        def __eq__(self, other: object) -> bool:
            raise TypeError("compare me by value")

    one = Odd()
    assert same([one], [one])
    assert not same(one, Odd())
