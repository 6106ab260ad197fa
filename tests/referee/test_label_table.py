"""Labels and parts as tables give them, and the parts that are for the last score."""

from __future__ import annotations

import pytest

from cardioflow.errors import InputError
from cardioflow.referee.label_table import read_labels
from cardioflow.referee.label_table import test_parts as parts_for_tests


@pytest.fixture
def table(tmp_path):
    def write(text, name="split.csv", encoding="utf-8"):
        (tmp_path / name).write_text(text, encoding=encoding)
        return tmp_path / name

    return write


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        (["train", "valid", "test"], ("test",)),
        (["test_a", "train", "Test B"], ("test_a", "Test B")),
        (["TEST"], ("TEST",)),
        (["ds1", "ds2"], ("ds2",)),
        (["latest", "contest"], ()),
        (["1", "2"], ()),
        (["1", "2", "3"], ("3",)),
        (["8", "9", "10"], ("10",)),
        (["0", "1", "2", "3", "4"], ("4",)),
        # pandas writes the folds of a column with gaps as floats, and a record without a fold has an empty cell.
        (["1.0", "10.0", "9.0"], ("10.0",)),
        (["", "1", "2", "3"], ("3",)),
        (["", "test", "train"], ("test",)),
        (["1", "2", "3", "train"], ()),
        ([], ()),
        ([""], ()),
    ],
)
def test_the_parts_that_only_a_finished_model_is_scored_on(parts, found):
    assert parts_for_tests(parts) == found


@pytest.mark.parametrize("written", ["10", "10.0"])
def test_the_last_fold_stays_a_test_part_where_a_record_has_none(table, written):
    text = f"record,label,fold\na,N,1\nb,A,2\nc,N,{written}\nd,N,\n"
    assert read_labels(table(text), written).holds_test == (written,)
    assert read_labels(table(text), None).holds_test == (written,)
    assert read_labels(table(text), "1").holds_test == ()


def test_labels_are_those_of_the_part_and_the_known_ones_of_all_parts(table):
    found = read_labels(table("record,label,part\na,N,x\nb,AF,y\nc,N,x\n"), "x")
    assert dict(found.labels) == {"a": ("N",), "c": ("N",)}
    assert found.classes == ("N",)
    assert found.known == ("AF", "N")
    assert found.exclusive
    assert found.patients is None


def test_the_order_of_the_table_is_kept(table):
    found = read_labels(table("record,label\nz,N\na,N\nm,AF\n"), None)
    assert list(found.labels) == ["z", "a", "m"]


@pytest.mark.parametrize(
    ("cell", "labels"),
    [
        ("AF", ("AF",)),
        (" AF ; LBBB ", ("AF", "LBBB")),
        ("AF;;LBBB;", ("AF", "LBBB")),
        ("AF;AF", ("AF",)),
        ("", ()),
        (" ; ", ()),
        ("1st degree AV block", ("1st degree AV block",)),
        ("426783006;164889003", ("426783006", "164889003")),
    ],
)
def test_a_cell_holds_labels_between_semicolons_each_once(table, cell, labels):
    found = read_labels(table(f"record,label\na,{cell}\nb,N\n"), None)
    assert found.labels["a"] == labels
    assert found.exclusive is (len(labels) == 1)


def test_labels_may_stand_in_another_table_in_another_order(table):
    split = table("record,part\na,x\nb,x\nc,y\n")
    labels = table("name,record,rhythm\n1,c,AF\n2,b,N\n3,a,AF\n4,q,VT\n", "labels.csv")
    found = read_labels(split, "x", labels, "rhythm")
    assert dict(found.labels) == {"a": ("AF",), "b": ("N",)}
    assert found.known == ("AF", "N", "VT")


def test_patients_are_those_of_the_records_of_the_part(table):
    found = read_labels(table("record,label,part,patient\na,N,x,7\nb,N,y,8\nc,A,x,7\n"), "x")
    assert dict(found.patients) == {"a": "7", "c": "7"}


def test_a_column_part_is_taken_before_a_column_fold(table):
    found = read_labels(table("record,label,fold,part\na,N,1,x\nb,N,2,y\n"), "x")
    assert list(found.labels) == ["a"]


def test_records_keep_the_zeros_in_front_of_their_names(table):
    assert list(read_labels(table("record,label\n00001,N\n00010,N\n"), None).labels) == ["00001", "00010"]


def test_a_byte_order_mark_does_not_hide_the_first_column(table):
    found = read_labels(table("record,label\na,N\n", encoding="utf-8-sig"), None)
    assert dict(found.labels) == {"a": ("N",)}


@pytest.mark.parametrize(
    ("text", "part", "column", "said"),
    [
        ("record,label\na,N\n", "x", "label", r"split\.csv has no column part and no column fold, so part='x' cannot"),
        ("record,label,part\na,N,y\n", "x", "label", r"split\.csv has no part 'x'\. It has: y\."),
        ("record,name\na,N\n", None, "label", r"has no column 'label'\. It has: record, name\. Pass column=…"),
        ("name,label\na,N\n", None, "label", r"split\.csv is not a table with the column record"),
        ("record,label\n", None, "label", r"split\.csv is not a table with the column record"),
        ("record,label\na,N\nb,N\na,A\n", None, "label", r"split\.csv has record 'a' twice\. Keep one of its rows"),
    ],
)
def test_a_table_that_cannot_be_used_says_what_it_lacks(table, text, part, column, said):
    with pytest.raises(InputError, match=said):
        read_labels(table(text), part, column=column)


def test_a_record_without_a_label_is_named_with_both_tables(table, tmp_path):
    split, labels = table("record,part\na,x\nb,x\n"), table("record,label\na,N\n", "labels.csv")
    with pytest.raises(InputError, match=r"labels\.csv has no label for record 'b' of split\.csv"):
        read_labels(split, "x", labels)
    with pytest.raises(InputError, match=r"none\.csv' is not a file\. Pass a CSV table"):
        read_labels(tmp_path / "none.csv", None)
