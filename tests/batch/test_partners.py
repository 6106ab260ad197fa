"""Partners are drawn by key: neither the size nor the order of a batch, nor a candidate that is not drawn, matters."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow import EcgBatch
from cardioflow.batch.partners import BatchPartners, Ring, Wanted


def keys(*values: int) -> np.ndarray:
    return np.array(values, np.uint64)


def batch(n: int, labels: str | None = None, *, seed: int = 0) -> EcgBatch:
    made = EcgBatch.from_arrays(
        np.arange(float(n))[:, None, None] + np.zeros((n, 1, 3)),
        fs=100,
        ids=[f"r{i}" for i in range(n)],
        targets=None if labels is None else list(labels),
    )
    return made.replace(seed=seed)


def anything(i, mates, j) -> bool:
    return True


def of_target(rows: EcgBatch) -> list[tuple[str, ...]]:
    return [(label,) for label in rows.target]


def drawn(whole: EcgBatch, rows: EcgBatch | None = None, wanted=None, accept=anything) -> dict[str, str | None]:
    """The partner of each row by their ids, drawn from ``whole``."""
    rows = whole if rows is None else rows
    found = BatchPartners(whole, "mix").draw(rows, rows.keys("mix"), accept, wanted)
    return {name: None if at < 0 else found.mates.ids[at] for name, at in zip(rows.ids, found.row, strict=True)}


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (0, [1, 3, 0, 2]),
        (10, [1, 3, 0, 2]),
        (11, [3, 0, 2, 1]),
        (31, [0, 2, 1, 3]),
        (41, [1, 3, 0, 2]),
        (2**64 - 1, [1, 3, 0, 2]),
    ],
)
def test_candidates_are_taken_from_a_place_on_and_all_round(place, expected) -> None:
    # Candidates 0 … 3 stand at 35, 10, 40 and 30.
    ring = Ring(keys(35, 10, 40, 30))
    assert list(ring.behind(np.uint64(place))) == expected


def test_only_candidates_with_a_label_are_taken_in_the_same_order() -> None:
    ring = Ring(keys(35, 10, 40, 30))
    labels = [("A",), ("B", "C"), (), ("A", "C")]
    assert list(ring.having(frozenset("A"), labels, np.uint64(32))) == [0, 3]
    assert list(ring.having(frozenset("C"), labels, np.uint64(0))) == [1, 3]
    assert list(ring.having(frozenset("BA"), labels, np.uint64(36))) == [1, 3, 0]
    assert list(ring.having(frozenset("Z"), labels, np.uint64(0))) == []
    # Asked again, as for every row of that label.
    assert list(ring.having(frozenset("A"), labels, np.uint64(0))) == [3, 0]


def test_a_ring_without_candidates_gives_none() -> None:
    assert list(Ring(keys()).behind(np.uint64(3))) == []


def test_equal_keys_keep_the_order_of_the_candidates() -> None:
    assert list(Ring(keys(5, 5, 5)).behind(np.uint64(5))) == [0, 1, 2]


@pytest.mark.parametrize("n", [2, 3, 8, 30])
def test_every_row_gets_another_record_and_none_gets_itself(n) -> None:
    for seed in range(5):
        found = drawn(batch(n, seed=seed))
        assert all(mate is not None and mate != own for own, mate in found.items())


def test_a_single_record_has_no_partner_and_no_rows_have_none() -> None:
    assert drawn(batch(1)) == {"r0": None}
    whole = batch(4)
    assert drawn(whole, whole.take([])) == {}


def test_partners_depend_on_the_seed_and_spread_over_the_records() -> None:
    counts: dict[str, int] = {}
    for seed in range(40):
        for mate in drawn(batch(10, seed=seed)).values():
            counts[mate] = counts.get(mate, 0) + 1
    assert len(counts) == 10
    assert drawn(batch(10, seed=1)) != drawn(batch(10, seed=2))


def test_part_and_order_of_the_rows_change_no_partner() -> None:
    whole = batch(12)
    every = drawn(whole)
    for rows in ([3, 7], [7, 3], list(range(11, -1, -1))):
        part = whole.take(rows)
        assert drawn(whole, part) == {name: every[name] for name in part.ids}
    turned = whole.take(np.arange(12)[::-1])
    assert drawn(turned) == every


def test_a_record_that_is_missing_changes_only_the_draws_that_would_have_taken_it() -> None:
    whole = batch(12)
    every = drawn(whole)
    gone = every["r0"]
    rest = whole.take([i for i, name in enumerate(whole.ids) if name != gone])
    for own, mate in drawn(rest).items():
        assert mate == every[own] if every[own] != gone else mate not in (gone, own)


def test_a_partner_that_is_not_accepted_is_passed_over_for_the_next_one() -> None:
    whole = batch(12)
    every = drawn(whole)
    refused = every["r5"]
    found = drawn(whole, accept=lambda i, mates, j: mates.ids[j] != refused)
    assert {own: mate for own, mate in found.items() if every[own] != refused and own != refused} == {
        own: mate for own, mate in every.items() if refused not in (mate, own)
    }
    assert refused not in found.values()
    assert set(drawn(whole, accept=lambda i, mates, j: False).values()) == {None}


def test_the_function_that_accepts_is_given_the_row_and_its_candidate() -> None:
    whole = batch(6)
    seen = []

    def accept(i, mates, j) -> bool:
        seen.append((i, mates.ids[j], float(mates.signal[j][0, 0])))
        return True

    found = drawn(whole, accept=accept)
    assert {(f"r{i}", mate) for i, mate, _ in seen} == set(found.items())
    assert all(mate == f"r{value:.0f}" for _, mate, value in seen)


def test_labels_that_a_partner_must_have_and_must_not_have_are_kept() -> None:
    whole = batch(12, "ABCABCABCABC")
    own = [frozenset(label) for label in whole.target]
    label = dict(zip(whole.ids, whole.target, strict=True))
    same = drawn(whole, wanted=Wanted(own, [frozenset()] * 12, of_target))
    assert all(label[a] == label[b] and a != b for a, b in same.items())
    other = drawn(whole, wanted=Wanted([None] * 12, own, of_target))
    assert all(label[a] != label[b] for a, b in other.items())
    none = drawn(whole, wanted=Wanted([frozenset("Z")] * 12, [frozenset()] * 12, of_target))
    assert set(none.values()) == {None}


def test_segments_of_one_record_are_not_each_others_partners() -> None:
    rows = batch(3).split_signals(1).unstack_signals()
    found = drawn(rows)
    assert all(own.split("/")[0] != mate.split("/")[0] for own, mate in found.items())


@pytest.mark.parametrize(
    ("has", "lacks", "labels", "met"),
    [
        (None, "", "A", True),
        ("A", "", "AB", True),
        ("C", "", "AB", False),
        (None, "B", "AB", False),
        ("A", "B", "A", True),
        ("", "", "A", False),
        (None, "", "", True),
    ],
)
def test_a_candidate_meets_what_is_wanted(has, lacks, labels, met) -> None:
    wanted = Wanted([None if has is None else frozenset(has)], [frozenset(lacks)], of_target)
    assert wanted.met(0, tuple(labels)) == met
