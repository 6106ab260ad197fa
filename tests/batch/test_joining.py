"""Joined batches keep every row with all that belongs to it, and what does not mean the same is not joined."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow import EcgBatch
from cardioflow.batch import Annotation, Meta, Ragged
from cardioflow.errors import InputError, LabelError


def batch(*ids: str, **columns) -> EcgBatch:
    """Records whose samples are the place of their letter, of as many samples."""
    places = [ord(name) - ord("a") for name in ids]
    made = EcgBatch.from_arrays(
        [np.full((1, place + 1), float(place)) for place in places] or np.zeros((0, 1, 1)),
        fs=[100.0 + p for p in places] or 100,
        ids=ids,
        annotations=[Annotation(sample=np.array([p])) for p in places],
    )
    for name, (value, kind) in columns.items():
        made = made.with_component(name, value, kind)
    return made


def test_rows_come_one_after_another_with_their_own_lengths_rates_and_marks() -> None:
    done = EcgBatch.concat([batch("c", "a"), batch("b")])
    assert done.ids == ("c", "a", "b")
    assert [x.tolist() for x in done.signal] == [[[2, 2, 2]], [[0]], [[1, 1]]]
    assert done.fs.tolist() == [102, 100, 101]
    assert [own.sample.tolist() for own in done.annotation] == [[2], [0], [1]]
    assert done.provenance.record_id == done.ids
    assert done.provenance.key.tolist() == [int(batch(name).provenance.key[0]) for name in done.ids]


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ((np.array([1, 2]), np.array([3])), "static", [1, 2, 3]),
        ((np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0]])), "static", [[1, 2], [3, 4], [5, 6]]),
        ((("x", "y"), ("z",)), "static", ["x", "y", "z"]),
        ((["x", None], [("z",)]), "static", ["x", None, ("z",)]),
        ((np.array([1, 2]), np.array([0.5])), "static", [1, 2, 0.5]),
        ((np.array([True, False]), np.array([True])), "static", [True, False, True]),
        ((np.array(["ab", "c"]), np.array(["defgh"])), "static", ["ab", "c", "defgh"]),
    ],
    ids=["integers", "rows", "texts", "objects", "integers and fractions", "truth values", "texts of other lengths"],
)
def test_components_of_ones_own_are_joined_by_their_values(values, kind, expected) -> None:
    done = EcgBatch.concat([batch("a", "b", own=(values[0], kind)), batch("c", own=(values[1], kind))])
    assert [v.tolist() if hasattr(v, "tolist") else v for v in done.own] == expected


@pytest.mark.parametrize(
    ("one", "other", "text"),
    [
        (np.array([1]), np.array(["x"]), "holds different arrays"),
        (np.array([1]), np.array([True]), "holds different arrays"),
        (np.array([[1, 2]]), np.array([[1, 2, 3]]), "holds different arrays"),
        (np.array([1]), (1,), r"differs in type \(ndarray, tuple\)"),
        (Meta({"x": [1]}, 1), (1,), r"differs in type \(Meta, tuple\)"),
        (
            Ragged.from_arrays([np.zeros((1, 2))]),
            Ragged.from_arrays([np.zeros((1, 1, 2))]),
            "has \\[2, 3\\] axes cannot be joined",
        ),
    ],
    ids=["texts", "truth values", "longer rows", "arrays and tuples", "tables and tuples", "axes"],
)
def test_values_that_numpy_would_turn_into_something_else_are_not_joined(one, other, text) -> None:
    with pytest.raises(InputError, match=text):
        EcgBatch.concat([batch("a", own=(one, "static")), batch("b", own=(other, "static"))])


def test_a_component_that_one_batch_lacks_is_dropped_from_all() -> None:
    done = EcgBatch.concat([batch("a", own=((1,), "static"), both=((1,), "static")), batch("b", both=((2,), "static"))])
    assert set(done.columns) == {"both"}
    assert EcgBatch.concat([batch("a"), batch("b").without_component("meta")]).meta is None


def test_columns_of_metadata_that_one_batch_lacks_are_none_there() -> None:
    one, other = batch("a"), batch("b")
    one = one.replace(meta=one.meta.with_columns(age=[61]))
    done = EcgBatch.concat([one, other])
    assert list(done.meta["age"]) == [61, None]
    assert done.fs.tolist() == [100, 101]


@pytest.mark.parametrize("field", ["seed", "epoch"])
def test_rows_of_several_seeds_or_epochs_are_not_joined(field) -> None:
    with pytest.raises(InputError, match=rf"Batches of different {field}s \(0, 3\) cannot be joined"):
        EcgBatch.concat([batch("a"), batch("b").replace(**{field: 3})])


def test_labels_of_other_classes_are_not_joined_and_those_of_the_same_are() -> None:
    def labelled(name, classes):
        return batch(name).with_component("target", ["A"]).replace(classes=classes)

    assert EcgBatch.concat([labelled("a", ("A", "N")), labelled("b", ("A", "N"))]).target.tolist() == ["A", "A"]
    for classes in (("N", "A"), ("A",), None):
        with pytest.raises(LabelError, match=r"Batches of the classes \('A', 'N'\) and "):
            EcgBatch.concat([labelled("a", ("A", "N")), labelled("b", classes)])


def test_random_steps_that_one_side_did_more_often_count_for_both() -> None:
    one = batch("a").replace(history=("load", "random_gaussian_noise", "random_gaussian_noise"))
    other = batch("b").replace(history=("load", "random_gaussian_noise", "random_powerline"))
    done = EcgBatch.concat([one, other])
    for step, n in (("random_gaussian_noise", 2), ("random_powerline", 1), ("load", 1)):
        assert done.history.count(step) == n
    assert EcgBatch.concat([one, one.replace(ids=("c",))]).history == one.history


def test_batches_without_rows_add_nothing_whatever_they_hold() -> None:
    empty = batch("c", own=((1,), "static")).take([]).replace(seed=9, classes=("Z",))
    done = EcgBatch.concat([empty, batch("a"), empty, batch("b")])
    assert (done.ids, done.seed, done.classes) == (("a", "b"), 0, None)
    assert len(EcgBatch.concat([empty, empty])) == 0
    with pytest.raises(InputError, match="needs at least one batch"):
        EcgBatch.concat([])


@pytest.mark.parametrize(
    ("size", "first", "rest"), [(None, "abc", None), (3, "abc", None), (9, "abc", None), (2, "ab", "c"), (1, "a", "bc")]
)
def test_merging_gives_the_first_rows_and_what_is_left(size, first, rest) -> None:
    done, left = EcgBatch.merge([batch("a"), batch("b", "c")], size)
    assert "".join(done.ids) == first
    assert (None if left is None else "".join(left.ids)) == rest
    if left is not None:
        assert [x[0, 0] for x in left.signal] == [ord(name) - ord("a") for name in left.ids]


@pytest.mark.parametrize("size", [0, -1])
def test_a_batch_of_no_rows_is_not_merged(size) -> None:
    with pytest.raises(InputError, match=rf"merge\(batch_size={size}\): expected 1 or more"):
        EcgBatch.merge([batch("a"), batch("b")], size)


def test_time_series_and_cut_batches_are_joined_in_their_own_shapes() -> None:
    one = batch("c", own=([np.arange(3)], "time series"))
    other = batch("e", own=([np.arange(5)], "time series"))
    done = EcgBatch.concat([one, other])
    assert [x.tolist() for x in done.own] == [[0, 1, 2], [0, 1, 2, 3, 4]]
    assert done.columns["own"].kind == "time series"
    cut = EcgBatch.concat([one.split_signals(2, 1), other.split_signals(2, 1)])
    assert cut.signal.shapes.tolist() == [[2, 1, 2], [4, 1, 2]]
    assert [x.tolist() for x in cut.own] == [[[0, 1], [1, 2]], [[0, 1], [1, 2], [2, 3], [3, 4]]]
    with pytest.raises(InputError, match=r"some are cut into segments and some are not. Call unstack_signals first"):
        EcgBatch.concat([one.split_signals(2, 1), other])
