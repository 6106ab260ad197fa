"""Harrell's C: pairs counted by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from cardioflow.errors import InputError
from cardioflow.metrics.c_index import CIndex


def test_pairs_of_four_persons_by_hand() -> None:
    # Events at 1 and 3, censored at 2 and 4: pairs (1,2) (1,3) (1,4) (3,4), for the second is not known past 2.
    y = [[1, 1], [2, 0], [3, 1], [4, 0]]
    assert CIndex()(y, [4, 3, 2, 1]) == 1
    assert CIndex()(y, [1, 2, 3, 4]) == 0
    assert CIndex()(y, [2, 9, 2, 1]) == (0 + 0.5 + 1 + 1) / 4


def test_an_event_comes_before_a_censored_time_of_the_same_day_and_two_events_are_not_compared() -> None:
    assert CIndex()([[5, 1], [5, 0]], [1, 0]) == 1
    assert math.isnan(CIndex()([[5, 1], [5, 1]], [1, 0]))
    assert math.isnan(CIndex()([[5, 0], [6, 0]], [1, 0]))


def test_without_censoring_it_is_the_share_of_concordant_pairs() -> None:
    rng = np.random.default_rng(0)
    time, risk = rng.random(40), rng.integers(5, size=40)
    scores = [
        0.5 if risk[i] == risk[j] else float((risk[i] > risk[j]) == (time[i] < time[j]))
        for i, j in itertools.combinations(range(40), 2)
    ]
    assert CIndex()(np.stack([time, np.ones(40)], axis=1), risk[:, None]) == pytest.approx(np.mean(scores))


def test_targets_without_events_are_refused() -> None:
    with pytest.raises(InputError, match=r"Pass \(record, 2\)"):
        CIndex()([1, 2], [1, 2])
    with pytest.raises(InputError, match="an event is not 0 or 1"):
        CIndex()([[1, 2], [2, 0]], [1, 2])
