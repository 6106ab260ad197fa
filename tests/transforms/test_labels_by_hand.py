"""Labels of one and of several texts through every action on labels, row by row."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow import EcgBatch
from cardioflow.errors import LabelError

ONE = ["A", "N", "O", "N", "~"]
SEVERAL = [("A", "B"), ("N",), (), ("B", "N", "A"), ("O",)]


def batch(targets, classes=None) -> EcgBatch:
    """Records whose samples are their number."""
    n = len(targets)
    made = EcgBatch.from_arrays(np.arange(float(n))[:, None, None] + np.zeros((n, 1, 2)), fs=10, targets=targets)
    return made if classes is None else made.replace(classes=classes)


def rows(done: EcgBatch) -> list[tuple[int, object]]:
    """The number of each row and its label."""
    return [
        (int(x[0, 0]), y.tolist() if hasattr(y, "tolist") else y) for x, y in zip(done.signal, done.target, strict=True)
    ]


CASES = {
    "one dropped": (ONE, lambda b: b.drop_labels(["~"]), [(0, "A"), (1, "N"), (2, "O"), (3, "N")], ("A", "N", "O")),
    "dropped by a text": (ONE, lambda b: b.drop_labels("N"), [(0, "A"), (2, "O"), (4, "~")], ("A", "O", "~")),
    "several dropped": (
        SEVERAL,
        lambda b: b.drop_labels(["A", "N"]),
        [(0, ("B",)), (2, ()), (3, ("B",)), (4, ("O",))],
        ("B", "O"),
    ),
    "one kept": (ONE, lambda b: b.keep_labels(["N", "A"]), [(0, "A"), (1, "N"), (3, "N")], ("A", "N")),
    "several kept": (SEVERAL, lambda b: b.keep_labels(["B", "O"]), [(0, ("B",)), (3, ("B",)), (4, ("O",))], ("B", "O")),
    "all kept": (ONE, lambda b: b.keep_labels(ONE), list(enumerate(ONE)), ("A", "N", "O", "~")),
    "renamed": (
        ONE,
        lambda b: b.rename_labels({"N": "NO", "O": "NO"}),
        [(0, "A"), (1, "NO"), (2, "NO"), (3, "NO"), (4, "~")],
        ("A", "NO", "~"),
    ),
    "exchanged": (
        ONE,
        lambda b: b.rename_labels({"A": "N", "N": "A"}),
        [(0, "N"), (1, "A"), (2, "O"), (3, "A"), (4, "~")],
        ("A", "N", "O", "~"),
    ),
    "several renamed to one": (
        SEVERAL,
        lambda b: b.rename_labels({"A": "X", "B": "X"}),
        [(0, ("X",)), (1, ("N",)), (2, ()), (3, ("X", "N")), (4, ("O",))],
        ("N", "O", "X"),
    ),
    "renamed in a chain, each once": (
        ONE,
        lambda b: b.rename_labels({"A": "N", "N": "O"}),
        [(0, "N"), (1, "O"), (2, "O"), (3, "O"), (4, "~")],
        ("N", "O", "~"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_rows_keep_their_signal_beside_their_label(name) -> None:
    targets, change, expected, classes = CASES[name]
    before = batch(targets)
    done = change(before)
    assert rows(done) == expected
    assert done.classes == classes
    assert before.target.tolist() == batch(targets).target.tolist()


@pytest.mark.parametrize("name", CASES)
def test_the_columns_of_binarized_labels_are_those_of_the_classes(name) -> None:
    targets, change, expected, classes = CASES[name]
    done = change(batch(targets)).binarize_labels()
    table = [[float(c == own or (isinstance(own, tuple) and c in own)) for c in classes] for _, own in expected]
    assert (done.target.tolist(), done.target.dtype) == (table, np.float32)
    assert done.classes == classes


def test_columns_are_in_the_order_of_the_classes_whatever_that_is() -> None:
    done = batch(["A", "N", "A"], classes=("N", "Z", "A")).binarize_labels()
    assert done.target.tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 1]]


def test_binarized_labels_follow_their_rows() -> None:
    done = batch(ONE).binarize_labels()
    back = done.take([4, 0])
    assert back.target.tolist() == [[0, 0, 0, 1], [1, 0, 0, 0]]
    cut = done.split_signals(1).unstack_signals()
    assert cut.target.argmax(axis=1).tolist() == [0, 0, 1, 1, 2, 2, 1, 1, 3, 3]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda b: b.drop_labels(["a"]), r"drop_labels\(drop_list=…\) names the unknown label 'a'"),
        (lambda b: b.keep_labels(["a"]), r"keep_labels\(keep_list=…\) names the unknown label 'a'"),
        (lambda b: b.rename_labels({"a": "b"}), r"rename_labels\(rename_dict=…\) names the unknown label 'a'"),
        (
            lambda b: b.random_split_signals(1, {"A": 1, "a": 2}),
            r"random_split_signals\(n_segments=…\) names the unknown label 'a'",
        ),
        (lambda b: b.replace(classes=("A", "N")).binarize_labels(), "Record '2' has the label 'O', which is not in"),
        (lambda b: b.replace(classes=None).binarize_labels(), "needs all labels in batch.classes"),
        (lambda b: b.binarize_labels().binarize_labels(), "they are binarized already"),
        (lambda b: b.binarize_labels().keep_labels(["A"]), "they are binarized already"),
        (lambda b: b.without_component("target").binarize_labels(), "needs labels, and the batch has none"),
    ],
)
def test_a_label_that_cannot_be_is_refused(change, text) -> None:
    with pytest.raises(LabelError, match=text):
        change(batch(ONE))


def test_labels_without_known_classes_are_taken_as_they_are() -> None:
    unknown = batch(ONE).replace(classes=None)
    assert rows(unknown.keep_labels(["N", "Q"])) == [(1, "N"), (3, "N")]
    assert unknown.keep_labels(["N"]).classes is None
    assert unknown.rename_labels({"Q": "R"}).target.tolist() == ONE


@pytest.mark.parametrize("binarized", [False, True])
def test_numbers_by_label_are_the_largest_of_a_records_labels(binarized) -> None:
    several = batch([("A", "B"), ("B",), ("A",)])
    several = several.binarize_labels() if binarized else several
    assert several.random_split_signals(1, {"A": 5, "B": 2}).signal.shapes[:, 0].tolist() == [5, 2, 5]
    assert several.split_signals(1, {"A": 2, "B": 1}).signal.shapes[:, 0].tolist() == [1, 2, 1]


def test_a_batch_without_rows_stays_one_with_its_classes() -> None:
    none = batch(ONE).take([])
    for done in (
        none.drop_labels("A"),
        none.keep_labels(["N", "O", "~"]),
        none.rename_labels({"A": "Z"}).drop_labels("Z"),
    ):
        assert (len(done), done.classes) == (0, ("N", "O", "~"))
    assert none.binarize_labels().target.shape == (0, 4)
