"""How often a sampler draws each record is a number that can be worked out by hand."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardioflow import EcgDataset
from cardioflow.errors import ConfigError, InputError, LabelError, UnknownNameError
from cardioflow.pipeline.intervals import Interval
from cardioflow.pipeline.samplers.base import Draws
from cardioflow.samplers import Balanced, Weighted

IDS = [f"r{i}" for i in range(10)]
LABELS = {name: "A" if i < 2 else "N" for i, name in enumerate(IDS)}


@pytest.fixture
def ten() -> EcgDataset:
    table = {"id": IDS, "sex": ["F", "M"] * 5, "site": ["x"] * 9 + [None]}
    return EcgDataset({name: f"{name}.hea" for name in IDS}, labels=LABELS, table=table)


def drawn(sampler: Any, data: EcgDataset, epoch: int = 0, seed: int = 0) -> Counter[str]:
    return Counter(data.ids[i] for i in sampler.bound(data).order(seed, epoch))


# -- by weights alone ------------------------------------------------------------------------


@pytest.mark.parametrize("n_records", [1, 7, 20, 1000])
@pytest.mark.parametrize("epoch", range(3))
def test_each_is_drawn_as_often_as_its_weight_rounded_up_or_down(n_records: int, epoch: int) -> None:
    weights = np.array([0.5, 0, 3, 1, 0, 2.5])
    rows = Draws(weights, tuple("aabbcc"), n_records).order(4, epoch)
    assert len(rows) == n_records
    expected = n_records * weights / weights.sum()
    counts = np.bincount(rows, minlength=6)
    assert (np.abs(counts - expected) < 1).all()
    assert counts[1] == counts[4] == 0


def test_strata_are_drawn_as_often_as_all_their_weights_together() -> None:
    rng = np.random.default_rng(0)
    weights, strata = rng.random(200), rng.integers(0, 5, 200)
    for epoch in range(5):
        rows = Draws(weights, tuple(strata.tolist()), 150).order(0, epoch)
        for stratum in range(5):
            expected = 150 * weights[strata == stratum].sum() / weights.sum()
            assert abs((strata[rows] == stratum).sum() - expected) < 1


def test_the_scale_of_the_weights_does_not_matter() -> None:
    weights = np.array([1.0, 2.0, 5.0])
    for factor in (1e-9, 1e9):
        one, other = (Draws(own, tuple("abc"), 40).order(1, 2).tolist() for own in (weights, weights * factor))
        assert one == other


def test_one_record_is_drawn_again_and_again() -> None:
    assert Draws(np.array([0.1]), ("a",), 5).order(0, 0).tolist() == [0] * 5


def test_the_order_is_mixed_and_not_that_of_the_strata() -> None:
    rows = Draws(np.ones(100), tuple("a" * 50 + "b" * 50), 100).order(0, 0)
    assert sorted(rows.tolist()) == list(range(100))
    changes = np.count_nonzero(np.diff(rows < 50))
    assert 30 < changes < 70


# -- by labels ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "by",
    ["target", "label", LABELS, pd.Series(LABELS), pd.Series(LABELS).sample(frac=1, random_state=1)],
    ids=["target", "label", "mapping", "series", "mixed series"],
)
def test_a_rare_label_is_drawn_as_often_as_a_frequent_one(ten: EcgDataset, by: Any) -> None:
    for epoch in range(3):
        found = drawn(Balanced(by), ten, epoch)
        assert Counter(LABELS[name] for name in found.elements()) == {"A": 5, "N": 5}
        # 5 of 2 records of A are 3 and 2; 5 of 8 of N are five of them once.
        assert sorted(found[name] for name in IDS[:2]) == [2, 3]
        assert max(found[name] for name in IDS[2:]) == 1


def test_a_column_is_balanced_as_labels_are(ten: EcgDataset) -> None:
    found = drawn(Balanced("sex", n_records=8), ten)
    assert sum(found[name] for name in IDS[::2]) == 4
    with pytest.raises(UnknownNameError, match=r"no column 'sexx'\. Did you mean 'sex'"):
        drawn(Balanced("sexx"), ten)
    with pytest.raises(LabelError, match="no label for 1 record: 'r9'"):
        drawn(Balanced("site"), ten)


def test_numbers_are_labels_by_their_value_and_not_measurements(ten: EcgDataset) -> None:
    found = drawn(Balanced({name: 0.5 if i else 1 for i, name in enumerate(IDS)}), ten)
    assert found["r0"] == 5
    assert sum(found.values()) == 10


@pytest.mark.parametrize(
    "by", [list(LABELS.values()), np.array(list(LABELS.values())), None, 3, pd.DataFrame({"l": LABELS}), set("AN")]
)
def test_labels_without_ids_are_refused(ten: EcgDataset, by: Any) -> None:
    if isinstance(by, pd.DataFrame):
        # A table has several columns; one of them is a Series.
        with pytest.raises(InputError, match="got a DataFrame"):
            drawn(Balanced(by), ten)
        assert sum(drawn(Balanced(by["l"]), ten).values()) == 10
        return
    with pytest.raises(
        InputError, match=r"Balanced\(\) got a \w+, which does not say which record each label belongs to"
    ):
        drawn(Balanced(by), ten)


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({"A": 4, "N": 1}, {"A": 5, "N": 5}),
        ({"A": 1, "N": 0}, {"A": 10}),
        ({"A": 0.25, "N": 0.25}, {"A": 2, "N": 8}),
        ({"A": np.float32(16), "N": np.int64(1), "unused": 7}, {"A": 8, "N": 2}),
    ],
)
def test_weights_count_per_record_and_not_per_label(ten: EcgDataset, weights: Any, expected: dict[str, int]) -> None:
    # Two records of A and eight of N: A has 2 a of 2 a + 8 n.
    found = drawn(Weighted(weights), ten)
    assert Counter(LABELS[name] for name in found.elements()) == expected


def test_a_record_of_several_labels_has_the_largest_weight() -> None:
    data = EcgDataset({"a": "a", "b": "b", "c": "c"}, labels={"a": ("N", "AF"), "b": ("N",), "c": ("N", "PVC")})
    found = drawn(Weighted({"N": 1, "AF": 5, "PVC": 0}, n_records=70), data)
    assert found == {"a": 50, "b": 10, "c": 10}
    bare = EcgDataset({"a": "a", "b": "b"}, labels={"a": ("N",), "b": ()})
    with pytest.raises(LabelError, match="no weight for records without a label"):
        drawn(Weighted({"N": 1}), bare)


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"A": "3"}, r"the weight of 'A' is '3'; expected 0 or more"),
        ({"A": True}, r"the weight of 'A' is True; expected 0 or more"),
        ({"A": float("nan")}, r"the weight of 'A' is nan"),
        ({"A": float("inf")}, r"the weight of 'A' is inf"),
        ({"A": -1}, r"the weight of 'A' is -1"),
        ({"A": 0}, r"all weights are 0"),
        ({}, r"all weights are 0"),
        ([1, 2], r"Weighted\(\[1, 2\]\): expected the weight of each label"),
    ],
)
def test_weights_are_numbers_by_label(weights: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Weighted(weights)


def test_labels_that_are_all_of_weight_zero_are_refused(ten: EcgDataset) -> None:
    with pytest.raises(LabelError, match="all records of the data set have labels of weight 0"):
        drawn(Weighted({"A": 0, "N": 0, "PVC": 1}), ten)
    with pytest.raises(LabelError, match=r"has no weight of 'A'"):
        drawn(Weighted({"N": 1}), ten)


@pytest.mark.parametrize("n_records", [0, -1, 2.5, "3", True])
def test_an_epoch_draws_a_whole_number(n_records: Any) -> None:
    with pytest.raises(ConfigError, match=r"Balanced\(n_records=.*\): expected a whole number of at least 1"):
        Balanced(n_records=n_records)


# -- how often something is done --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        ("epoch", Interval()),
        (5, Interval(n_batches=5)),
        (np.int64(5), Interval(n_batches=5)),
        ("30s", Interval(seconds=30.0)),
        (" 1.5 min ", Interval(seconds=90.0)),
        ("2h", Interval(seconds=7200.0)),
        (timedelta(milliseconds=1500), Interval(seconds=1.5)),
    ],
)
def test_an_interval_is_an_epoch_batches_or_a_time(every: Any, expected: Interval) -> None:
    assert Interval.of(every) == expected


@pytest.mark.parametrize("every", ["run", "0s", "-1s", "1e3s", "5", "5 d", 0, -1, True, 2.5, None, timedelta(0)])
def test_other_intervals_are_refused_with_what_is_taken(every: Any) -> None:
    with pytest.raises(
        ConfigError, match=r"run\(every=.*\): expected 'epoch', a number of batches, a time such as '30s'"
    ):
        Interval.of(every)


def test_an_interval_is_due_when_what_it_counts_is_there() -> None:
    assert [Interval.of(3).is_due(n, is_epoch_end=True, seconds=99) for n in range(1, 7)] == [False, False, True] * 2
    assert [Interval.of("10s").is_due(3, is_epoch_end=True, seconds=s) for s in (9.9, 10, 11)] == [False, True, True]
    assert [Interval.of("epoch").is_due(3, is_epoch_end=end, seconds=99) for end in (True, False)] == [True, False]
