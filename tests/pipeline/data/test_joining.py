"""Data sets that are joined keep every record's own place, label and values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import cardioflow
from cardioflow import EcgBatch, EcgDataset, Pipeline
from cardioflow.errors import InputError

Named = Callable[..., EcgDataset]


def some(*names: str, **options: object) -> EcgDataset:
    return EcgDataset({name: f"{name}.hea" for name in names}, **options)  # type: ignore[arg-type]


def test_records_come_one_data_set_after_another() -> None:
    joined = EcgDataset.concat([some("b", "a"), some("z"), some("c")])
    assert joined.ids == ("b", "a", "z", "c")
    assert [str(path) for path in joined.paths] == ["b.hea", "a.hea", "z.hea", "c.hea"]
    assert joined.all_ids == {"a", "b", "c", "z"}
    assert joined.labels is None


def test_the_names_of_three_data_sets_are_before_their_ids_and_in_a_column() -> None:
    whole = EcgDataset.concat({"x": some("1", "2"), "y": some("1"), "z": some("2")})
    assert whole.ids == ("x-1", "x-2", "y-1", "z-2")
    assert whole.table.column("source", whole.ids) == ["x", "x", "y", "z"]
    assert [part.ids for part in whole.split(by="source")] == [("x-1", "x-2"), ("y-1",), ("z-2",)]


def test_names_that_make_one_id_of_two_are_refused() -> None:
    with pytest.raises(InputError, match=r"have 1 record id in common, first 'a-b-c'"):
        EcgDataset.concat({"a": some("b-c"), "a-b": some("c")})


def test_labels_and_values_follow_their_records_under_new_names() -> None:
    one = some("1", "2", labels={"1": "N", "2": "AF"}, table={"id": ["2", "1"], "age": [62, 61]})
    two = some("1", labels={"1": "PVC"}, table={"id": ["1"], "sex": ["F"]})
    whole = EcgDataset.concat({"a": one, "b": two})
    assert whole.labels == {"a-1": "N", "a-2": "AF", "b-1": "PVC"}
    assert whole.table.column("age", whole.ids) == [61, 62, None]
    assert whole.table.column("sex", whole.ids) == [None, None, "F"]


def test_a_part_brings_only_its_own_records_and_knows_of_the_whole() -> None:
    whole = some("1", "2", "3", labels=dict.fromkeys("123", "N"))
    joined = EcgDataset.concat({"a": whole.subset(["3"]), "b": some("1")})
    assert joined.ids == ("a-3", "b-1")
    assert joined.all_ids == {"a-1", "a-2", "a-3", "b-1"}


def test_joining_parts_again_gives_the_whole_with_its_keys() -> None:
    whole = EcgDataset.simulated(6, fs=100, duration_s=2)
    first, second = whole.split(0.5, seed=3)
    again = first + second
    key = dict(zip(whole.ids, whole.batch(range(6)).provenance.key.tolist(), strict=True))
    assert again.batch(range(6)).provenance.key.tolist() == [key[name] for name in again.ids]
    assert again.fingerprint() != whole.fingerprint()
    assert again.subset(whole.ids).fingerprint() == whole.fingerprint()


def test_random_steps_draw_for_a_record_what_they_drew_before_it_was_joined() -> None:
    a = EcgDataset.simulated(3, fs=100, duration_s=2)
    b = EcgDataset.from_arrays(np.zeros((2, 1, 200), np.float32), fs=100, ids=["x", "y"], leads=["I"])
    noisy = Pipeline().load(components="signal").random_gaussian_noise(0.1)
    alone = {n: s for one in (a, b) for batch in (one >> noisy).batches(3) for n, s in zip(batch.ids, batch.signal)}  # noqa: B905
    joined = next(iter((b + a >> noisy).batches(5)))
    for name, signal in zip(joined.ids, joined.signal, strict=True):
        np.testing.assert_array_equal(signal, alone[name])


def test_classes_stay_where_all_parts_have_the_same_and_go_where_they_differ() -> None:
    one, two, three = some("1"), some("2"), some("3")
    one.classes = two.classes = ("N", "AF")
    assert (one + two).classes == ("N", "AF")
    assert (one + two + three).classes is None


def test_cards_are_those_of_every_part_once() -> None:
    cards = [
        cardioflow.pipeline.data.dataset_card.DatasetCard(name, name, 1, "ODC-BY", "https://x", "1 MB", "x")
        for name in "ab"
    ]
    one, two, three = some("1"), some("2"), some("3")
    one.cards, two.cards, three.cards = (cards[0],), (cards[1], cards[0]), (cards[1],)
    assert (one + two + three).cards == (cards[0], cards[1])


def test_two_classes_of_batches_and_no_data_set_are_refused() -> None:
    class Mine(EcgBatch):
        pass

    with pytest.raises(InputError, match=r"make batches of different classes\. Pass one batch_class to all"):
        some("1") + some("2", batch_class=Mine)
    with pytest.raises(InputError, match=r"concat\(\) got no data set\. Pass at least one"):
        EcgDataset.concat([])
    with pytest.raises(TypeError, match="unsupported operand"):
        some("1") + {"2": "2.hea"}  # type: ignore[operator]


def test_what_is_joined_is_not_changed(named: Named) -> None:
    table = {"record": ["r00"], "age": [50]}
    one, two = (
        named(2, labels={"r00": "N"}, table=table),
        some("x", labels={"x": "AF"}, table={"id": ["x"], "age": [6]}),
    )
    joined = one + two
    joined.labels["x"] = "changed"  # type: ignore[index]
    assert (one.labels, two.labels) == ({"r00": "N"}, {"x": "AF"})
    assert one.table.column("age", ["r00", "x"]) == [50, None]
    assert joined.table.column("age", joined.ids) == [50, None, 6]
    one.next_batch(1)
    assert joined.next_batch(1).ids == ("r00",)
