"""Which records make which batch: sizes, epochs, shares of processes, and draws by weight."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from cardioflow import EcgDataset
from cardioflow.errors import InputError
from cardioflow.pipeline.options import RunOptions
from cardioflow.pipeline.sampler import BatchSampler
from cardioflow.pipeline.samplers.base import Draws


def sampler(n: int, batch_size: int, **options: Any) -> BatchSampler:
    signals = [np.full((1, 4), i, np.float32) for i in range(n)]
    dataset = EcgDataset.from_arrays(signals, fs=10, ids=[f"r{i}" for i in range(n)])
    return BatchSampler(dataset, RunOptions.of({"batch_size": batch_size, **options}))


def ids(made: BatchSampler) -> list[tuple[str, ...]]:
    return [made[i].ids for i in range(len(made))]


def test_the_last_batch_of_every_epoch_has_what_is_left() -> None:
    made = sampler(7, 3, n_epochs=2)
    assert ids(made) == 2 * [("r0", "r1", "r2"), ("r3", "r4", "r5"), ("r6",)]
    assert [made.size(i) for i in range(6)] == [3, 3, 1, 3, 3, 1]
    assert [made.epoch(i) for i in range(6)] == [0, 0, 0, 1, 1, 1]
    assert made.n_records == 14


def test_with_drop_last_no_epoch_has_a_short_batch_and_none_is_filled_from_the_next() -> None:
    made = sampler(7, 3, n_epochs=2, drop_last=True)
    assert ids(made) == 2 * [("r0", "r1", "r2"), ("r3", "r4", "r5")]
    assert made.n_records == 12
    assert sampler(6, 3, drop_last=True).per_epoch == sampler(6, 3).per_epoch == 2


def test_a_batch_that_is_larger_than_the_data_set_holds_all_of_it() -> None:
    assert ids(sampler(2, 5)) == [("r0", "r1")]
    with pytest.raises(InputError, match=r"holds 2 records, which do not fill one batch of 5\. Pass drop_last=False"):
        sampler(2, 5, drop_last=True)


def test_a_run_that_begins_with_a_later_epoch_draws_as_that_epoch_does() -> None:
    options = {"shuffle": True, "seed": 4}
    three = sampler(9, 4, n_epochs=3, **options)
    last = sampler(9, 4, epoch=2, **options)
    assert ids(last) == ids(three)[6:]
    assert [last.epoch(i) for i in range(3)] == [2, 2, 2]


def test_a_run_without_an_end_has_no_number_of_records_and_goes_on() -> None:
    made = sampler(4, 2, n_epochs=None, shuffle=True)
    assert made.n_records is None
    assert made.epoch(20001) == 10000
    assert sorted(made[20000].ids + made[20001].ids) == ["r0", "r1", "r2", "r3"]


def test_every_epoch_of_a_shuffled_run_holds_every_record_once_in_an_order_of_its_own() -> None:
    made = sampler(20, 6, n_epochs=3, shuffle=True, seed=1)
    epochs = [sum(ids(made)[4 * e : 4 * e + 4], ()) for e in range(3)]
    assert all(sorted(e) == sorted(epochs[0]) and len(set(e)) == 20 for e in epochs)
    assert len(set(epochs)) == 3


def test_batches_can_be_asked_for_in_any_order_and_again() -> None:
    made = sampler(10, 3, n_epochs=3, shuffle=True)
    expected = ids(made)
    for number in (11, 0, 5, 5, 10, 1):
        assert made[number].ids == expected[number]


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_the_shares_of_processes_put_together_are_the_batch(n: int) -> None:
    whole = ids(sampler(8, 3, n_epochs=2, shuffle=True))
    shares = [ids(sampler(8, 3, n_epochs=2, shuffle=True, share=(i, n))) for i in range(n)]
    assert [sum(parts, ()) for parts in zip(*shares, strict=True)] == whole
    sizes = [[len(part) for part in parts] for parts in zip(*shares, strict=True)]
    # They differ by one record at most, and the first process has no fewer than any other.
    assert all(max(s) - min(s) <= 1 and s[0] == max(s) for s in sizes)


# -- by weight --------------------------------------------------------------------


def counts(weights: Any, n: int, *, strata: Any = None, seed: int = 0) -> Counter[int]:
    draws = Draws(np.asarray(weights, float), strata or [0] * len(weights), n)
    return Counter(draws.order(seed, 0).tolist())


@pytest.mark.parametrize("seed", range(5))
def test_each_record_is_drawn_as_often_as_its_weight_says_rounded_up_or_down(seed: int) -> None:
    weights = [0.5, 1, 2.5, 4]
    found = counts(weights, 16, seed=seed)
    for row, weight in enumerate(weights):
        assert abs(found[row] - 2 * weight) < 1
    assert sum(found.values()) == 16


def test_a_record_of_weight_zero_is_never_drawn_wherever_it_stands() -> None:
    for seed in range(20):
        assert set(counts([0, 1, 0, 3, 0], 8, seed=seed)) == {1, 3}
        assert counts([0, 1, 0, 3, 0], 8, seed=seed) == {1: 2, 3: 6}


def test_weights_count_by_their_ratio() -> None:
    assert counts([1, 3], 40) == counts([1e-9, 3e-9], 40) == counts([1e9, 3e9], 40) == {0: 10, 1: 30}


def test_a_stratum_is_drawn_as_often_as_its_weights_add_up_to() -> None:
    strata = ["a"] * 90 + ["b"] * 10
    weights = [1 / 90] * 90 + [1 / 10] * 10
    for seed in range(5):
        found = counts(weights, 50, strata=strata, seed=seed)
        assert sum(n for row, n in found.items() if row >= 90) == 25
        # 25 of 90 in turn: none of them twice; 25 of 10: each two or three times.
        assert max(n for row, n in found.items() if row < 90) == 1
        assert {found[row] for row in range(90, 100)} == {2, 3}


def test_over_many_epochs_a_fraction_is_drawn_as_its_mean() -> None:
    draws = Draws(np.array([1.0, 2.0]), [0, 0], 1)
    first = sum(int(draws.order(7, epoch)[0] == 0) for epoch in range(300))
    # Binomial with p = 1/3: 100, standard deviation 8.2.
    assert 60 < first < 140
