"""Neither batch size, order, threads nor a new pure step changes a single random sample."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cardioflow import EcgDataset, Pipeline


@pytest.fixture(scope="module")
def records(cinc: Path) -> EcgDataset:
    return EcgDataset(cinc / "A0[0-4]*.hea")


def _random() -> Pipeline:
    return (
        Pipeline()
        .load(fmt="wfdb", components=["signal", "meta"])
        .random_resample_signals("normal", loc=300, scale=10)
        .random_split_signals(1500, 3)
    )


def _by_record(records: EcgDataset, pipeline: Pipeline, batch_size: int = 16, **options: Any) -> dict[Any, np.ndarray]:
    run = (records >> pipeline).batches(batch_size, **options)
    return {(b.epoch, name): b.signal[i].copy() for b in run for i, name in enumerate(b.ids)}


def _assert_same(a: dict[Any, np.ndarray], b: dict[Any, np.ndarray]) -> None:
    assert a.keys() == b.keys()
    for key, signal in a.items():
        np.testing.assert_array_equal(signal, b[key])


@pytest.mark.parametrize(
    "options",
    [{"batch_size": 7}, {"shuffle": True}, {"threads": 0}, {"threads": 4, "prefetch": 5}],
    ids=["batch size", "order", "no threads", "four threads"],
)
def test_nothing_but_seed_epoch_record_and_step_changes_a_sample(records: EcgDataset, options: dict[str, Any]) -> None:
    _assert_same(
        _by_record(records, _random(), seed=5, n_epochs=2),
        _by_record(records, _random(), **{"seed": 5, "n_epochs": 2, **options}),
    )


def test_another_seed_and_another_epoch_give_other_samples(records: EcgDataset) -> None:
    one = _by_record(records, _random(), seed=5, n_epochs=2)
    other = _by_record(records, _random(), seed=6, n_epochs=2)
    name = records.ids[0]
    assert not np.array_equal(one[0, name], other[0, name])
    assert not np.array_equal(one[0, name], one[1, name])


def test_a_new_pure_step_of_another_name_changes_no_draw(records: EcgDataset) -> None:
    plain = Pipeline().load(fmt="wfdb").random_split_signals(1500, 2)
    flipped = Pipeline().load(fmt="wfdb").apply_transform(np.negative).random_split_signals(1500, 2)
    a, b = _by_record(records, plain), _by_record(records, flipped)
    for key in a:
        np.testing.assert_array_equal(a[key], -b[key])


def test_a_second_step_of_the_same_name_draws_anew(records: EcgDataset) -> None:
    twice = Pipeline().load(fmt="wfdb").random_split_signals(2000, 1).unstack_signals().random_split_signals(1000, 1)
    starts = {b.provenance.segment_start_s[i][0] for b in (records >> twice).batches(16) for i in range(len(b))}
    assert len(starts) > len(records) / 2


def test_actions_on_a_batch_draw_as_in_the_pipeline(records: EcgDataset) -> None:
    direct = (
        records.batch(range(4), seed=5, epoch=0)
        .load(fmt="wfdb", components=["signal", "meta"])
        .random_resample_signals("normal", loc=300, scale=10)
        .random_split_signals(1500, 3)
    )
    run = _by_record(records, _random(), seed=5)
    for i, name in enumerate(direct.ids):
        np.testing.assert_array_equal(direct.signal[i], run[0, name])


def test_the_same_seed_gives_the_same_order_and_another_another(records: EcgDataset) -> None:
    orders = [
        [i for b in (records >> Pipeline()).batches(16, shuffle=True, seed=seed) for i in b.ids] for seed in (1, 1, 2)
    ]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2]) == sorted(records.ids)


def test_the_order_of_an_epoch_depends_only_on_seed_and_epoch(records: EcgDataset) -> None:
    def orders(batch_size: int, **options: Any) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for batch in (records >> Pipeline()).batches(batch_size, shuffle=True, seed=1, **options):
            found.setdefault(batch.epoch, []).extend(batch.ids)
        return found

    first, second, third = orders(16, n_epochs=3).values()
    assert first != second != third != first
    assert sorted(first) == sorted(second) == sorted(third) == sorted(records.ids)
    assert orders(7, n_epochs=2, epoch=1, threads=2) == {1: second, 2: third}
