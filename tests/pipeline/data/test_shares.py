"""Shares of a data set hold as many records as was asked for, whatever the labels and the patients are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardioflow import EcgDataset
from cardioflow.errors import InputError

Named = Callable[..., EcgDataset]


@pytest.mark.parametrize("share", [0.8, np.float32(0.8), np.array(0.8), [0.8, 0.2], (0.8, 0.2), np.array([0.8, 0.2])])
def test_a_share_may_be_a_number_of_any_kind_or_one_per_part(named: Named, share: Any) -> None:
    assert [len(part) for part in named(20).split(share)] == [16, 4]


def test_ten_tenths_add_up_to_one_in_spite_of_rounding(named: Named) -> None:
    # In binary, 0.1 ten times is 0.9999999999999999 and 0.7 + 0.2 + 0.1 is 0.9999999999999999 too.
    assert [len(part) for part in named(50).split([0.1] * 10)] == [5] * 10
    assert [len(part) for part in named(50).split([0.7, 0.2, 0.1])] == [35, 10, 5]
    assert [len(part) for part in named(30).split([1 / 3] * 3)] == [10, 10, 10]


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        (float("nan"), r"split\(nan\): shares must be positive and add up to at most 1"),
        ([0.5, float("nan")], "shares must be positive"),
        ([0.5, -0.1], "shares must be positive"),
        ([0.9, 0.2], "add up to at most 1"),
        (1.0, "shares must be positive"),
        (2, "shares must be positive"),
        (True, "shares must be positive"),
        ("0.8", r"split\('0\.8'\) is a str; expected one share, such as 0\.8, or a list.*pass by=…"),
        ({"train": 0.8, "test": 0.2}, r"is a dict; expected one share"),
        ({0.8, 0.2}, r"is a set; expected one share"),
        (["train", "test"], r"split\(\['train', 'test'\]\): expected one share"),
        ([[0.5, 0.5]], r"expected one share, such as 0\.8, or a list of them"),
    ],
)
def test_what_is_not_a_share_is_refused_with_what_is(named: Named, shares: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        named(20).split(shares)


def test_records_that_no_share_covers_are_in_no_part(named: Named) -> None:
    parts = named(40).split([0.25, 0.5])
    assert [len(part) for part in parts] == [10, 20]
    assert len({name for part in parts for name in part.ids}) == 30


def test_a_part_that_would_be_empty_is_refused_and_not_returned(named: Named) -> None:
    with pytest.raises(InputError, match=r"A part of a data set of 4 records would be empty\. Pass a larger share"):
        named(4).split(0.95)


@pytest.mark.parametrize("n_of_each", [1, 2])
def test_many_rare_labels_do_not_all_go_to_the_training_part(named: Named, n_of_each: int) -> None:
    """Each label alone would round to the larger share; together they have to be 48 and 12."""
    labels = {f"r{i:02d}": f"c{i // n_of_each}" for i in range(60)}
    train, test = named(60).split(0.8, stratify=labels)
    assert (len(train), len(test)) == (48, 12)


def test_rare_labels_beside_a_common_one_keep_its_proportion_too(named: Named) -> None:
    labels = {f"r{i:02d}": "N" if i < 40 else f"rare{i}" for i in range(60)}
    train, test = named(60).split(0.8, stratify=labels)
    assert Counter(labels[name] == "N" for name in train.ids) == {True: 32, False: 16}
    assert Counter(labels[name] == "N" for name in test.ids) == {True: 8, False: 4}


def test_a_label_with_half_a_record_for_a_part_is_still_dealt_out_alone(named: Named) -> None:
    # 5 of A at 0.9 and 0.1 are 4.5 and 0.5: largest lack first gives 5 or 4 to the first part, and 15 B split 14 : 1 or
    # 13 : 2.
    labels = {f"r{i:02d}": "A" if i < 5 else "B" for i in range(20)}
    train, test = named(20).split(0.9, stratify=labels)
    assert Counter(labels[name] for name in train.ids)["A"] in (4, 5)
    assert len(train) + len(test) == 20
    assert 1 <= len(test) <= 3


def test_sets_of_labels_are_stratified_as_lists_of_them_are(named: Named) -> None:
    kinds = [{"MI", "AF"}, {"AF"}, set(), {"MI"}]
    sets = {f"r{i:02d}": kinds[i % 4] for i in range(40)}
    lists = {name: sorted(own) for name, own in sets.items()}
    by_set = named(40).split(folds=4, stratify=sets, seed=2)
    assert [part.ids for part in by_set] == [part.ids for part in named(40).split(folds=4, stratify=lists, seed=2)]
    for part in by_set:
        assert Counter(label for name in part.ids for label in sets[name]) == {"MI": 5, "AF": 5}
    shares = named(40).split(0.5, stratify=sets, seed=2)
    assert [part.ids for part in shares] == [part.ids for part in named(40).split(0.5, stratify=lists, seed=2)]


def test_a_value_that_cannot_be_compared_names_its_record(named: Named) -> None:
    with pytest.raises(InputError, match=r"split\(groups=…\) has a dict for record 'r00'\. Pass a text or a number"):
        named(2).split(0.5, groups={"r00": {"id": 1}, "r01": 2})


def test_one_patient_as_number_in_one_table_and_text_in_another_is_one_patient() -> None:
    first = EcgDataset({"a0": "a0.hea", "a1": "a1.hea"}, table={"id": ["a0", "a1"], "patient": [7.0, 8.0]})
    second = EcgDataset({"b0": "b0.hea", "b1": "b1.hea"}, table={"id": ["b0", "b1"], "patient": ["7", "8"]})
    for seed in range(6):
        for part in (first + second).split(folds=2, seed=seed):
            assert len({name[1] for name in part.ids}) == 1


@pytest.mark.parametrize("number", [np.int64(7), np.int16(7), np.float32(7), np.float64(7), 7.0])
def test_a_number_of_numpy_and_its_text_are_one_patient(named: Named, number: Any) -> None:
    for seed in range(6):
        for part in named(6).split(
            0.5, groups={f"r{i:02d}": (number, "7", 7, "8", "9", 8)[i] for i in range(6)}, seed=seed
        ):
            held = {{0: "7", 1: "7", 2: "7", 3: "8", 4: "9", 5: "8"}[int(name[1:])] for name in part.ids}
            sizes = {"7": 3, "8": 2, "9": 1}
            assert len(part) == sum(sizes[own] for own in held)


def test_patients_of_many_records_are_dealt_out_first(named: Named) -> None:
    """One patient of 30 records and ten of one each: 0.75 and 0.25 of 40 are 30 and 10."""
    patients = {f"r{i:02d}": "big" if i < 30 else f"p{i}" for i in range(40)}
    for seed in range(5):
        train, test = named(40).split(0.75, groups=patients, seed=seed)
        assert (len(train), len(test)) == (30, 10)
        assert {patients[name] for name in train.ids} == {"big"}


def test_the_stratum_of_a_patient_is_the_label_that_most_of_its_records_have(named: Named) -> None:
    # Every patient has three records; half of the patients are mostly AF.
    patients = {f"r{i:02d}": f"p{i // 3}" for i in range(60)}
    labels = {f"r{i:02d}": "AF" if (i // 3) % 2 and i % 3 < 2 else "N" for i in range(60)}
    train, test = named(60).split(0.5, groups=patients, stratify=labels)
    for part in (train, test):
        mostly = Counter(
            Counter(labels[n] for n in part.ids if patients[n] == p).most_common(1)[0][0]
            for p in {patients[n] for n in part.ids}
        )
        assert mostly == {"AF": 5, "N": 5}


def test_a_split_does_not_depend_on_the_order_of_the_tables_rows(named: Named) -> None:
    rng = np.random.default_rng(1)
    labels = pd.Series({f"r{i:02d}": "ABC"[i % 3] for i in range(60)})
    mixed = labels.sample(frac=1, random_state=rng)
    assert list(mixed.index) != list(labels.index)
    one, other = (named(60).split(0.7, stratify=own, seed=4) for own in (labels, mixed))
    assert [part.ids for part in one] == [part.ids for part in other]


@pytest.mark.parametrize("missing", [None, float("nan"), "", pd.NA, np.nan])
def test_a_stratum_that_is_not_known_is_an_error_and_not_a_class(named: Named, missing: object) -> None:
    with pytest.raises(InputError, match=r"split\(stratify=…\) has no value for record 'r01'"):
        named(3).split(0.5, stratify={"r00": "A", "r01": missing, "r02": "B"})


def test_a_record_named_twice_with_one_value_is_allowed_and_with_two_is_not(named: Named) -> None:
    twice = pd.Series(["A", "A", "B", "B"], index=["r00", "r00", "r01", "r02"])
    assert sum(map(len, named(3).split([0.5, 0.5], groups=twice))) == 3
    with pytest.raises(InputError, match=r"has two values for record 'r00': 'A' and 'B'"):
        named(3).split(0.5, stratify=pd.Series(["A", "B", "B", "B"], index=["r00", "r00", "r01", "r02"]))


@pytest.mark.parametrize("kind", [list, tuple, np.array, str, bytes])
def test_values_without_ids_are_refused_because_they_may_be_in_any_order(named: Named, kind: Any) -> None:
    values = kind("ABAB") if kind is str else b"ABAB" if kind is bytes else kind(["A", "B", "A", "B"])
    expected = "no column 'ABAB'" if kind is str else r"does not say which record each value belongs to"
    with pytest.raises((InputError, LookupError), match=expected):
        named(4).split(0.5, stratify=values)


def test_what_is_taken_out_may_not_be_everything(named: Named) -> None:
    whole = named(3)
    with pytest.raises(InputError, match=r"All 3 records of the data set are in the one that is taken out"):
        whole - whole
    assert (whole - whole.subset(["r01"])).ids == ("r00", "r02")
    with pytest.raises(TypeError, match="unsupported operand"):
        whole - ["r01"]  # type: ignore[operator]
