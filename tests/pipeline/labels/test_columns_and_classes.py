"""Columns of a table have one role each, and the classes of a target one order that does not change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cardioflow import EcgDataset, Pipeline
from cardioflow.errors import InputError, LabelError, UnknownNameError
from cardioflow.pipeline.labels.table import LabelTable, TableShape

IDS = ("A1", "A2")
WIDE = {"id": ["A1", "A2"], "N": [1, 0], "AF": [0, 1], "age": [61, 70]}


@pytest.fixture(params=["csv", "frame", "arrow"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Return a function that makes the same table in three forms."""

    def make(columns: dict[str, list[Any]]) -> Any:
        if request.param == "arrow":
            return pa.table(columns)
        if request.param == "frame":
            return pd.DataFrame(columns)
        pd.DataFrame(columns).to_csv(tmp_path / "t.csv", index=False)
        return tmp_path / "t.csv"

    return make


def read(source: Any, **shape: Any) -> Any:
    return LabelTable.read(source, TableShape(**shape), IDS)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ({"label_column": "age"}, {"A1": "61", "A2": "70"}),
        ({"label_column": "age", "numeric": True}, {"A1": 61.0, "A2": 70.0}),
        ({"label_columns": ["N", "AF"]}, {"A1": "N", "A2": "AF"}),
        ({"label_columns": ["AF", "N"], "several": True}, {"A1": ("N",), "A2": ("AF",)}),
        ({"label_columns": ["age", "N"], "numeric": True}, {"A1": (61.0, 1.0), "A2": (70.0, 0.0)}),
        ({"id_column": "id", "label_column": 3, "header": True}, {"A1": "61", "A2": "70"}),
    ],
)
def test_every_form_of_a_table_gives_the_same_labels(table: Any, shape: dict[str, Any], expected: Any) -> None:
    assert read(table(WIDE), **shape).labels == expected


def test_classes_of_columns_are_in_the_order_in_which_they_are_named(table: Any) -> None:
    assert read(table(WIDE), label_columns=["N", "AF"]).classes == ("N", "AF")
    assert read(table(WIDE), label_columns=["AF", "N"]).classes == ("AF", "N")


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ({"id_column": "age", "label_column": "age"}, r"the column 'age' holds the ids, and cannot hold labels too"),
        ({"label_column": "id"}, r"the column 'id' holds the ids"),
        ({"label_columns": ["id", "N"]}, r"the column 'id' holds the ids"),
        ({"label_column": 4, "header": True}, r"label_column=4: .* has 4 columns, numbered from 0"),
        ({"label_column": -1, "header": True}, r"label_column=-1: "),
        ({"id_column": 1.0}, r"id_column=1\.0 is not the name or the number of a column"),
    ],
)
def test_a_column_has_one_role(table: Any, shape: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(table(WIDE), **shape)


def test_a_name_of_two_columns_is_refused_and_their_numbers_are_not(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,l,l\nA1,N,A\nA2,A,N\n")
    with pytest.raises(InputError, match=r"t\.csv has two columns 'l'\. Rename one, or pass the number of a column"):
        read(path, label_column="l")
    assert read(path, label_column=2, header=True).labels == {"A1": "A", "A2": "N"}
    with pytest.raises(UnknownNameError, match=r"t\.csv has no column 'L'"):
        read(path, label_column="L")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A1,N\nA2,A\n,\n,\n", {"A1": "N", "A2": "A"}),
        ("\ufeffA1,N\nA2,A\n", {"A1": "N", "A2": "A"}),
        (" A1 , N \r\nA2,A\r\n", {"A1": "N", "A2": "A"}),
        ('A1,"N, or A"\nA2,A\n', {"A1": "N, or A", "A2": "A"}),
        ("\n\nA1,N\n\nA2,A", {"A1": "N", "A2": "A"}),
        ("id,label\nA1,N\nA2,A\n", {"A1": "N", "A2": "A"}),
        ("A1,label\nA2,A\n", {"A1": "label", "A2": "A"}),
    ],
    ids=["spreadsheet", "mark", "windows", "quotes", "blank lines", "header", "no header"],
)
def test_files_of_spreadsheets_and_editors_are_read(text: str, expected: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode())
    assert LabelTable.read(path, TableShape(), IDS, IDS).labels == expected


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfeA\x001\x00", r"is not UTF-8 text"),
        ("A1,N\u00e4\n".encode("latin-1"), r"is not UTF-8 text"),
        (b"", r"is empty"),
        (b"\n\n", r"is empty"),
        (b"A1,N\nA2\n", r"row 2 has 1 cell; expected at least 2"),
        (b"A1\tN\nA2\tA\n", r"has one column.*Expected cells separated by commas"),
    ],
)
def test_files_of_something_else_are_refused_by_name(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        read(path)
    with pytest.raises(InputError, match=r"cannot be read|There is no label table"):
        read(tmp_path)


# -- classes ---------------------------------------------------------------------------------


@pytest.fixture
def two() -> EcgDataset:
    return EcgDataset({"A1": "a.hea", "A2": "b.hea"}, labels={"A1": "N", "A2": "A"})


def target_of(data: EcgDataset, **options: Any) -> tuple[Any, Any]:
    batch = (data >> Pipeline().load(components="target", **options).binarize_labels()).next_batch(2)
    return batch.classes, batch.target.tolist()


@pytest.mark.parametrize(
    ("classes", "expected", "target"),
    [
        (None, ("A", "N"), [[0.0, 1.0], [1.0, 0.0]]),
        (["N", "A"], ("N", "A"), [[1.0, 0.0], [0.0, 1.0]]),
        (("A", "N", "Z"), ("A", "N", "Z"), [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]),
        ({"Z", "N", "A"}, ("A", "N", "Z"), [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]),
        (np.array(["N", "A"]), ("N", "A"), [[1.0, 0.0], [0.0, 1.0]]),
        (pd.Index(["N", "A"]), ("N", "A"), [[1.0, 0.0], [0.0, 1.0]]),
    ],
    ids=["the tables", "list", "tuple", "set", "array", "index"],
)
def test_columns_of_the_target_are_in_the_order_of_the_classes(two, classes, expected, target) -> None:
    """That of a set would be another one in the next process, and a saved model's columns with it."""
    assert target_of(two, classes=classes) == (expected, target)


@pytest.mark.parametrize(
    ("classes", "error", "said"),
    [
        ("NA", InputError, r"load\(classes='NA'\) is text\. Pass a list of the classes"),
        (["N", "A", "N"], InputError, r"load\(classes=\['N', 'A', 'N'\]\) has a class twice"),
        ([], LabelError, r"has labels that classes=\[\] lacks: \['A', 'N'\]"),
        (["N"], LabelError, r"lacks: \['A'\]"),
        ([0, 1], LabelError, r"classes=\[0, 1\] lacks: \['A', 'N'\]"),
    ],
)
def test_classes_that_would_make_another_target_are_refused(two, classes, error, said) -> None:
    with pytest.raises(error, match=said):
        target_of(two, classes=classes)


def test_a_part_without_a_class_keeps_its_column(two) -> None:
    classes, target = target_of(two.subset(["A1"]))
    assert (classes, target) == (("A", "N"), [[0.0, 1.0]])


def test_labels_that_a_data_set_of_several_knows_are_several(two) -> None:
    data = EcgDataset({"A1": "a", "A2": "b"}, labels={"A1": ("N", "A"), "A2": ()})
    assert target_of(data) == (("A", "N"), [[1.0, 1.0], [0.0, 0.0]])
    with pytest.raises(
        LabelError, match=r"several numbers per record\. Pass load\(components='target', numeric=True\)"
    ):
        target_of(EcgDataset({"A1": "a"}, labels={"A1": (1.0, 2.0)}))


def test_a_data_set_without_labels_says_what_to_pass() -> None:
    with pytest.raises(InputError, match=r"has no table, and the data set has no labels\. Pass load\(src=…\)"):
        (EcgDataset({"A1": "a"}) >> Pipeline().load(components="target")).next_batch(1)
