"""Samplers draw labels as often as they are asked to, from the seed and the epoch alone, on every engine."""

from __future__ import annotations

import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from cardioflow import EcgDataset, Pipeline
from cardioflow.errors import ConfigError, InputError, LabelError, UnknownNameError
from cardioflow.samplers import Balanced, Weighted


def dataset(labels: list[object], **options: object) -> EcgDataset:
    records = EcgDataset.simulated(len(labels), fs=100, duration_s=2)
    places = dict(zip(records.ids, records.locations, strict=True))
    return EcgDataset(places, labels=dict(zip(records.ids, labels, strict=True)), **options)  # type: ignore[arg-type]


RARE = dataset(["A" if i % 10 == 0 else "O" if i % 10 < 4 else "N" for i in range(60)])


def drawn(records: EcgDataset, sampler: object, **options: object) -> list[str]:
    given = {"seed": 3, **options}
    return [name for batch in (records >> Pipeline()).batches(8, sampler=sampler, **given) for name in batch.ids]


def test_every_label_is_drawn_equally_often() -> None:
    names = drawn(RARE, Balanced("target"))
    assert RARE.labels is not None
    assert Counter(RARE.labels[name] for name in names) == {"A": 20, "N": 20, "O": 20}


def test_records_of_a_rare_label_are_drawn_in_turn_and_of_a_frequent_one_once_at_most() -> None:
    assert RARE.labels is not None
    times = Counter(drawn(RARE, Balanced("target")))
    assert {times[name] for name, label in RARE.labels.items() if label == "A"} == {3, 4}
    assert {times[name] for name, label in RARE.labels.items() if label == "N"} <= {0, 1}


def test_over_epochs_every_record_is_drawn_as_often_as_its_like() -> None:
    times = Counter(drawn(RARE, Balanced("target"), n_epochs=60))
    assert RARE.labels is not None
    for name, label in RARE.labels.items():
        # 60 epochs × 20 draws of the label ÷ its records: 6 A, 18 O and 36 N; the scatter is below a draw an epoch.
        expected = {"A": 200, "O": 66.7, "N": 33.3}[str(label)]
        assert times[name] == pytest.approx(expected, abs=25)


def test_epochs_draw_anew_and_the_seed_decides() -> None:
    first = drawn(RARE, Balanced("target"), n_epochs=2)
    assert first[:60] != first[60:]
    assert drawn(RARE, Balanced("target"), epoch=1) == first[60:]
    assert drawn(RARE, Balanced("target"), seed=4) != first[:60]


def test_an_epoch_has_as_many_records_as_one_says() -> None:
    run = (RARE >> Pipeline()).batches(8, sampler=Balanced("target", n_records=30), n_epochs=2)
    assert len(run) == 8
    assert [len(batch) for batch in run] == [8, 8, 8, 6] * 2


def test_threads_and_processes_draw_the_same_batches() -> None:
    template = Pipeline().load().random_split_signals(50, 2)

    def batches(**options: int) -> list[tuple[tuple[str, ...], bytes]]:
        given = {"sampler": Balanced("target"), "n_epochs": 2, "seed": 1, **options}
        with (RARE >> template).batches(16, **given) as run:
            return [(batch.ids, batch.signal.data.tobytes()) for batch in run]

    alone = batches(threads=0)
    assert batches(threads=3) == alone
    assert batches(processes=1) == alone


def test_a_record_that_is_drawn_twice_gets_other_random_numbers() -> None:
    template = Pipeline().load().random_split_signals(50, 1)
    given = {"sampler": Balanced("target"), "seed": 1}
    batch = next(iter((RARE >> template).batches(60, **given)))
    twice = [i for i, name in enumerate(batch.ids) if name == Counter(batch.ids).most_common(1)[0][0]]
    assert len(twice) >= 3
    starts = {float(batch.provenance.segment_start_s[i][0]) for i in twice}
    assert len(starts) > 1
    # The first time, they are those of a run without a sampler.
    plain = next(iter((RARE >> template).batches(60, seed=1)))
    first = twice[0]
    row = plain.ids.index(batch.ids[first])
    np.testing.assert_array_equal(batch.signal[first], plain.signal[row])


def test_weights_say_how_often_a_label_is_drawn() -> None:
    names = drawn(RARE, Weighted({"A": 4, "O": 1, "N": 0}))
    assert RARE.labels is not None
    # 6 records of weight 4 and 18 of weight 1: 24 to 18 of 42.
    counts = Counter(RARE.labels[name] for name in names)
    assert counts["N"] == 0
    assert counts["A"] == pytest.approx(60 * 24 / 42, abs=1)


def test_records_of_several_labels_are_balanced_as_far_as_they_can_be() -> None:
    records = dataset([("MI", "STTC"), ("MI",), ("NORM",), ("NORM",), ("NORM",), ("NORM",), ()])
    assert records.labels is not None
    times = Counter(
        label
        for name in drawn(records, Balanced("target", n_records=400))
        for label in records.labels[name] or ("none",)
    )
    # By their weights: 1½ (MI and STTC), ½ (MI), 4 × ¼ (NORM) and 1 (none) of 4.
    assert times == pytest.approx({"MI": 200, "STTC": 150, "NORM": 100, "none": 100}, abs=1)


def test_columns_and_mappings_are_balanced_too() -> None:
    table = {"id": RARE.ids, "sex": ["F" if i < 12 else "M" for i in range(60)]}
    names = drawn(RARE.with_table(table), Balanced("sex"))
    assert sum(name in RARE.ids[:12] for name in names) == 30
    own = {name: i % 2 for i, name in enumerate(RARE.ids)}
    assert sum(own[name] for name in drawn(RARE, Balanced(own))) == 30


def test_a_part_is_balanced_by_its_own_records() -> None:
    part = RARE.subset(RARE.ids[:20])
    assert part.labels is not None
    assert Counter(part.labels[name] for name in drawn(part, Balanced("target", n_records=30))) == {
        "A": 10, "N": 10, "O": 10,
    }  # fmt: skip


def test_labels_that_are_not_known_are_refused() -> None:
    bare = EcgDataset({"a": "a.hea", "b": "b.hea"})
    with pytest.raises(
        InputError, match=r"Balanced\('target'\): the data set knows no labels\. Pass labels by record id"
    ):
        drawn(bare, Balanced("target"))
    with pytest.raises(UnknownNameError, match="no column 'sex'"):
        drawn(bare, Balanced("sex"))
    with pytest.raises(LabelError, match="has no label for record 'b'"):
        drawn(bare, Balanced({"a": "N"}))
    with pytest.raises(LabelError, match=r"Weighted\(\) has no weight of 'N'"):
        drawn(RARE, Weighted({"A": 1, "O": 1}))
    with pytest.raises(ConfigError, match=r"all weights are 0"):
        Weighted({"A": 0})
    with pytest.raises(ConfigError, match=r"the weight of 'A' is -1; expected 0 or more"):
        Weighted({"A": -1})
    with pytest.raises(ConfigError, match=r"Balanced\(n_records=0\): expected a whole number of at least 1"):
        Balanced("target", n_records=0)
    with pytest.raises(ConfigError, match=r"run\(sampler='balanced'\): expected a sampler such as"):
        drawn(RARE, "balanced")


def test_samplers_survive_a_pickle() -> None:
    again = pickle.loads(pickle.dumps(Balanced("target", n_records=30)))
    assert drawn(RARE, again) == drawn(RARE, Balanced("target", n_records=30))


def test_a_run_that_goes_on_draws_what_is_left(tmp_path: Path) -> None:
    given = {"sampler": Balanced("target"), "seed": 1, "n_epochs": 2}
    whole = [batch.ids for batch in (RARE >> Pipeline()).batches(8, **given)]
    place, every = tmp_path / "state", 3
    with (RARE >> Pipeline()).batches(8, checkpoint=place, every=every, **given) as run:
        begun = [next(run).ids for _ in range(7)]
    with (RARE >> Pipeline()).batches(8, checkpoint=place, every=every, **given) as run:
        rest = [batch.ids for batch in run]
    assert begun == whole[:7]
    assert rest == whole[len(whole) - len(rest) :]
    assert len(rest) < len(whole)
