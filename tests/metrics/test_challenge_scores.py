"""The scores of the challenges 2017, 2020 and 2021: tables counted by hand, and the challenges' own rules."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cardioflow.datasets.snomed import CLASSES, challenge_weights, scored
from cardioflow.errors import ConfigError, InputError
from cardioflow.metrics.cinc2017_score import Cinc2017Score
from cardioflow.metrics.cinc2020_score import Cinc2020Score
from cardioflow.metrics.cinc2021_score import Cinc2021Score

CASES = [(2020, Cinc2020Score), (2021, Cinc2021Score)]


def test_the_score_of_2017_is_the_mean_f1_of_three_classes_of_the_four() -> None:
    # A N O ~: true and predicted; F1 = 2 Xx / (ΣX + Σx).
    truth = [0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3]
    answer = [0, 0, 3, 1, 1, 1, 2, 2, 1, 3, 1]
    f_a, f_n, f_o = 2 * 2 / (3 + 2), 2 * 3 / (4 + 5), 2 * 1 / (2 + 2)
    assert Cinc2017Score()(truth, answer) == pytest.approx((f_a + f_n + f_o) / 3)
    other_order = np.array([1, 0, 3, 2])  # A is 1, N 0, O 3, ~ 2
    swapped = Cinc2017Score(("N", "A", "~", "O"))
    assert swapped(other_order[truth], other_order[answer]) == pytest.approx((f_a + f_n + f_o) / 3)
    with pytest.raises(ConfigError, match="lacks one of N, A and O"):
        Cinc2017Score(("N", "A"))
    with pytest.raises(InputError, match="one class index per record, from 0 to 3"):
        Cinc2017Score()([0, 4], [0, 1])


def loop(weights: np.ndarray, truth: np.ndarray, answer: np.ndarray, normal: int) -> float:
    """Return the score as section 3.3 of Perez Alday et al. (2020) defines it, record by record."""

    def total(given: np.ndarray) -> float:
        found = 0.0
        for labels, own in zip(truth, given, strict=True):
            union = max(sum(bool(a or b) for a, b in zip(labels, own, strict=True)), 1)
            found += sum(weights[j, k] / union for j in np.flatnonzero(labels) for k in np.flatnonzero(own))
        return found

    inactive = np.zeros_like(truth)
    inactive[:, normal] = 1
    return (total(answer) - total(inactive)) / (total(truth) - total(inactive))


@pytest.mark.parametrize(("year", "kind"), CASES)
def test_the_challenge_score_is_that_of_its_definition(year: int, kind: type) -> None:
    rng = np.random.default_rng(0)
    n = len(CLASSES[year])
    truth, answer = (rng.random((2, 50, n)) < 0.1).astype(int)
    normal = CLASSES[year].index("426783006")
    assert kind()(truth, answer) == pytest.approx(loop(challenge_weights(year), truth, answer, normal))
    assert kind()(truth, truth) == 1
    inactive = np.zeros_like(truth)
    inactive[:, normal] = 1
    assert kind()(truth, inactive) == 0
    assert math.isnan(kind()(inactive, inactive))


def test_one_record_of_flutter_called_fibrillation_by_hand() -> None:
    """AF and AFL stand at one place, so that the off-diagonal entry is 0.5; normal rhythm is 0.25 away from both."""
    names = [own.abbreviation for own in scored(2020)]
    truth, answer = np.zeros((2, 1, 24), int)
    truth[0, names.index("AFL")] = answer[0, names.index("AF")] = 1
    # The union has two labels: 0.5/2; always normal: 0.25/2; right: 1.
    assert Cinc2020Score()(truth, answer) == pytest.approx((0.25 - 0.125) / (1 - 0.125))


@pytest.mark.parametrize(("year", "kind"), CASES)
def test_labels_may_come_in_another_order_under_either_name_and_others_are_left_out(year: int, kind: type) -> None:
    rng = np.random.default_rng(1)
    names = [own.abbreviation for own in scored(year)]
    truth, answer = (rng.random((2, 30, len(names))) < 0.1).astype(int)
    order = rng.permutation(len(names))
    extra = (rng.random((2, 30, 1)) < 0.5).astype(int)
    moved = kind((*(names[k] for k in order), "other"))
    found = moved(np.hstack([truth[:, order], extra[0]]), np.hstack([answer[:, order], extra[1]]))
    assert found == pytest.approx(kind()(truth, answer))
    with pytest.raises(ConfigError, match="lacks AFL, B"):
        kind(("AF",))
    with pytest.raises(InputError, match=rf"of shape \(record, {len(names)}\) for both"):
        kind()([[0, 1]], [[0, 1]])
