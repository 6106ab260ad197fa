"""Conformal sets against crepes, selective prediction, and thresholds: known answers and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import binom
from sklearn.metrics import f1_score, roc_curve

from cardioflow.calibration import (
    ConformalSets,
    DecisionThresholds,
    SelectivePrediction,
    conformal_p_values,
    coverage,
    from_json,
    risk_coverage,
    to_json,
)
from cardioflow.errors import ConfigError, InputError


def draw(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return labels of three classes, of which the last is rare, and right probabilities of them."""
    rng = np.random.default_rng(seed)
    p = softmax(4 * rng.normal(size=(n, 3)) + [0, 0, -3], axis=1)
    return (p.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1), p


@pytest.mark.parametrize("class_conditional", [False, True])
def test_sets_and_p_values_are_those_of_crepes(class_conditional: bool) -> None:
    crepes = pytest.importorskip("crepes")
    (y, p), (_, new) = draw(173), draw(400, seed=1)
    bins = y if class_conditional else None
    reference = crepes.ConformalClassifier().fit(1 - p[np.arange(len(y)), y], bins=bins)
    columns = []
    for k in range(3):
        own = np.full(len(new), k) if class_conditional else None
        columns.append(reference.predict_p((1 - new)[:, [k]], bins=own, smoothing=False)[:, 0])
    expected = np.stack(columns, axis=1)
    found = conformal_p_values(y, p, new, class_conditional=class_conditional)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    for alpha in (0.01, 0.05, 0.1, 0.137, 0.5):
        sets = ConformalSets.fit(y, p, alpha=alpha, class_conditional=class_conditional)
        # crepes also takes a class whose p-value is exactly alpha.
        assert np.array_equal(sets.apply(new), expected > alpha + 1e-12)


def test_the_limit_of_nine_records_at_a_tenth_is_the_worst_of_them_and_fewer_exclude_nothing() -> None:
    p = np.stack([np.arange(1, 10) / 10, 1 - np.arange(1, 10) / 10], axis=1)
    assert ConformalSets.fit(np.zeros(9, int), p).lowest == pytest.approx((0.1, 0.1))  # rank ⌈10 × 0.9⌉ = 9 of 9
    few = ConformalSets.fit(np.zeros(8, int), p[:8])
    assert few.lowest == (0.0, 0.0)
    assert few.apply(p).all()
    per_class = ConformalSets.fit(np.zeros(9, int), p, class_conditional=True)
    assert per_class.lowest == pytest.approx((0.1, 0.0))
    assert per_class.counts == (9, 0)


def test_sets_hold_the_true_class_as_often_as_promised_and_class_by_class_if_asked() -> None:
    """The classes' shares are Beta-distributed; three standard deviations are 0.04 of the rarest class."""
    (y, p), (y_new, new) = draw(6000), draw(20_000, seed=1)
    every = coverage(y_new, ConformalSets.fit(y, p, alpha=0.1).apply(new))
    assert every.share == pytest.approx(0.9, abs=0.015)
    assert every.interval[0] < every.share < every.interval[1]
    assert every.per_class[2] < 0.85  # the rare class pays for the others
    fair = coverage(y_new, ConformalSets.fit(y, p, alpha=0.1, class_conditional=True).apply(new))
    assert fair.per_class == pytest.approx((0.9, 0.9, 0.9), abs=0.04)
    assert fair.mean_size > every.mean_size


def test_coverage_counts_held_empty_and_single_sets() -> None:
    found = coverage([0, 0, 1, 1], [[1, 0], [0, 0], [1, 1], [0, 1]])
    assert (found.share, found.per_class, found.mean_size, found.empty, found.single) == (0.75, (0.5, 1), 1, 0.25, 0.5)
    assert found.interval == pytest.approx((0.1941, 0.9937), abs=1e-4)  # Clopper and Pearson, 3 of 4
    assert found.intervals[1] == pytest.approx((0.1581, 1), abs=1e-4)


def test_risk_and_coverage_of_five_records_by_hand() -> None:
    found = risk_coverage([1, 1, 0, 1, 1], [0.9, 0.8, 0.8, 0.6, 0.3])
    # Sorted: 0.9 right; 0.8 right and 0.8 wrong, a tie; 0.7 (that 0.3 is of class 0) wrong; 0.6 right.
    np.testing.assert_allclose(found.threshold, [0.9, 0.8, 0.7, 0.6])
    np.testing.assert_allclose(found.coverage, [0.2, 0.6, 0.8, 1])
    np.testing.assert_allclose(found.risk, [0, 1 / 3, 0.5, 0.4])
    assert found.area == pytest.approx((0 + 0.5 / 2 + 1 / 3 + 2 / 4 + 2 / 5) / 5)


def test_the_risk_of_judged_records_is_kept_as_often_as_promised() -> None:
    n_above, shares = 0, []
    y_all, p_all = draw(20_000, seed=99)
    for seed in range(50):
        y, p = draw(400, seed)
        found = SelectivePrediction.fit(y, p, risk=0.15, delta=0.1)
        judged = found.apply(p_all)
        shares.append(judged.mean())
        n_above += (p_all.argmax(axis=1) != y_all)[judged].mean() > 0.15
        assert found.bound <= 0.15
    assert n_above <= 6
    assert np.mean(shares) > 0.3  # and not by judging nothing


def test_the_bound_is_the_rate_at_which_so_few_errors_have_the_probability_of_one_step() -> None:
    y, p = draw(400)
    found = SelectivePrediction.fit(y, p, risk=0.2, delta=0.05)
    judged = found.apply(p)
    n, k = int(judged.sum()), int((p.argmax(axis=1) != y)[judged].sum())
    assert found.coverage == n / 400
    assert binom.cdf(k, n, found.bound) == pytest.approx(0.05 / 9)  # 400 thresholds: at most 9 steps


def test_a_threshold_by_f1_is_the_best_of_all() -> None:
    y, p = draw(300)
    found = DecisionThresholds.fit(y, p)
    for k in range(3):
        best = max(f1_score(y == k, p[:, k] >= t) for t in p[::3, k])
        assert f1_score(y == k, found.apply(p)[:, k]) >= best
    assert found.chosen_by == "F1"
    assert found.by_label(["N", "A", "O"]) == dict(zip("NAO", found.values, strict=True))


def test_a_threshold_at_a_specificity_has_the_greatest_sensitivity_that_the_roc_curve_allows() -> None:
    y, p = draw(500)
    found = DecisionThresholds.fit(y, p, by="specificity", at_least=0.9)
    assert found.chosen_by == "sensitivity at specificity 0.9"
    for k in range(3):
        fpr, tpr, _ = roc_curve(y == k, p[:, k], drop_intermediate=False)
        given = found.apply(p)[:, k]
        assert 1 - given[y != k].mean() >= 0.9
        assert given[y == k].mean() == tpr[1 - fpr >= 0.9].max()
    reverse = DecisionThresholds.fit(y, p, by="sensitivity", at_least=0.95).apply(p)
    youden = DecisionThresholds.fit(y, p, by="youden").apply(p)
    for k in range(3):
        fpr, tpr, _ = roc_curve(y == k, p[:, k], drop_intermediate=False)
        assert reverse[y == k, k].mean() >= 0.95
        assert 1 - reverse[y != k, k].mean() == pytest.approx((1 - fpr)[tpr >= 0.95].max())
        assert youden[y == k, k].mean() - youden[y != k, k].mean() == pytest.approx((tpr - fpr).max())


def test_a_threshold_lies_between_two_probabilities_that_occurred() -> None:
    found = DecisionThresholds.fit([[0], [0], [1], [1]], [[0.1], [0.4], [0.6], [0.9]])
    assert found.values == pytest.approx((0.5,))


def test_fitted_objects_survive_json_together() -> None:
    y, p = draw(300)
    both = {
        "sets": ConformalSets.fit(y, p, class_conditional=True),
        "abstain": SelectivePrediction.fit(y, p, risk=0.3),
        "thresholds": DecisionThresholds.fit(y, p),
    }
    assert from_json(to_json(both)) == both


def test_what_cannot_be_promised_is_refused_with_the_remedy() -> None:
    y, p = draw(60)
    with pytest.raises(InputError, match=r"alpha=1 is not between 0 and 1"):
        ConformalSets.fit(y, p, alpha=1)
    with pytest.raises(InputError, match="Fit one for each label"):
        ConformalSets.fit(np.eye(3, dtype=int)[y], p)
    with pytest.raises(InputError, match="fitted for 3 classes, and the predictions have 2"):
        ConformalSets.fit(y, p).apply([[0.5, 0.5]])
    with pytest.raises(InputError, match=r"No threshold keeps the errors below risk=0\.001"):
        SelectivePrediction.fit(y, p, risk=0.001)
    with pytest.raises(InputError, match=r"No threshold of class 0 has a specificity of at least 1\.0"):
        DecisionThresholds.fit([[0], [1], [1]], [[0.9], [0.5], [0.4]], by="specificity", at_least=1.0)
    with pytest.raises(InputError, match="Class 1 does not occur among the 2 records"):
        DecisionThresholds.fit([0, 0], [0.9, 0.5])
    with pytest.raises(ConfigError, match="by='specificity' needs at_least="):
        DecisionThresholds.fit(y, p, by="specificity")
    with pytest.raises(ConfigError, match=r"at_least=0\.9 has no effect"):
        DecisionThresholds.fit(y, p, at_least=0.9)
    with pytest.raises(ConfigError, match="by='accuracy' is not"):
        DecisionThresholds.fit(y, p, by="accuracy")
    with pytest.raises(InputError, match="Pass 3 different names"):
        DecisionThresholds.fit(y, p).by_label(["N", "N", "A"])
    with pytest.raises(InputError, match=r"what ConformalSets\.apply returns"):
        coverage(y, p)
