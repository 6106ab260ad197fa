"""Tables and headers as data sets are published with, and as spreadsheets leave them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cardioflow.datasets.base import by_stem
from cardioflow.datasets.tables import csv_rows, header_notes, number, read_table, require_once
from cardioflow.errors import FormatError, InputError


@pytest.fixture
def table(tmp_path):
    def write(content):
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        ("a,b\n1,2\n3,4\n", {"a": ["1", "3"], "b": ["2", "4"]}),
        ("a,b\r\n1,2\r\n", {"a": ["1"], "b": ["2"]}),
        (b"\xef\xbb\xbfa,b\n1,2\n", {"a": ["1"], "b": ["2"]}),
        (" a , b\n1, 2\n", {"a": ["1"], "b": [" 2"]}),
        ('a,b\n"1,5","2\n3"\n', {"a": ["1,5"], "b": ["2\n3"]}),
        ('a,b\n"say ""A""",\n', {"a": ['say "A"'], "b": [""]}),
        ("a,b\n1,2\n\n3,4", {"a": ["1", "3"], "b": ["2", "4"]}),
        ("a,b\n", {"a": [], "b": []}),
        ("a,b\nβ,Größe\n", {"a": ["β"], "b": ["Größe"]}),
        (",a,b\n7,1,2\n", {"": ["7"], "a": ["1"], "b": ["2"]}),
    ],
    ids=["plain", "CRLF", "BOM", "spaces", "quotes", "quotes twice", "empty line", "no rows", "letters", "an index"],
)
def test_columns_are_read_by_name_with_their_cells_as_text(table, content, columns):
    assert read_table(table(content), ("a", "b")) == columns


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", r"table\.csv has no column 'a'; its columns are \."),
        ("b,c\n1,2\n", r"has no column 'a'; its columns are b, c\."),
        ("A,b\n1,2\n", r"has no column 'a'; its columns are A, b\."),
        ("a,b\n1,2\n3\n", r"table\.csv, line 3: 1 cells under 2 names"),
        ('a,b\n"1\n",2\n3,4,5\n', r"line 4: 3 cells under 2 names"),
        ("a,b,a\n1,2,3\n", r"table\.csv has two columns 'a'"),
        ("a,b\nGröße,2\n".encode("latin-1"), r"table\.csv is not a CSV file in UTF-8: .*can't decode byte 0xf6"),
        (b"PK\x03\x04\x14\x00\xff\xfe", r"table\.csv is not a CSV file in UTF-8"),
        ("a,b\n" + "1" * 200_000 + ",2\n", r"is not a CSV file in UTF-8: field larger than field limit"),
    ],
    ids=["empty", "no column", "case", "short row", "long row", "twice", "latin-1", "a spreadsheet", "a huge cell"],
)
def test_a_table_that_is_not_as_published_is_named_with_its_line(table, content, said):
    with pytest.raises(FormatError, match=said):
        read_table(table(content), ("a", "b"))


def test_rows_come_with_the_number_of_their_last_line(table):
    assert csv_rows(table('a\n"1\n2"\n\n3\n')) == [(1, ["a"]), (3, ["1\n2"]), (5, ["3"])]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("56", 56.0),
        (" 56.5 ", 56.5),
        ("-1", -1.0),
        ("1e3", 1000.0),
        ("", None),
        ("NaN", None),
        ("nan", None),
        ("Unknown", None),
        ("56 years", None),
        ("5,6", None),
    ],
)
def test_a_cell_is_a_number_or_nothing(cell, value):
    assert number(cell) == value


def test_notes_of_a_header_are_its_comments_with_a_colon_the_first_of_a_name_counting(tmp_path):
    path = tmp_path / "r.hea"
    path.write_bytes(
        b"r 2 500 5000 12:30:00\nr.dat 16 1000 16 0 0 0 0 I\n#Age: 85\n# Sex:Male \n#Dx: 1,2\n# dx: 3\n# no colon\n"
        b"#Note: at 10:30, \xe9\n#: nameless\n"
    )
    assert header_notes(path) == {"age": "85", "sex": "Male", "dx": "1,2", "note": "at 10:30, \ufffd", "": "nameless"}


def test_a_record_that_is_listed_twice_is_named():
    require_once(["a", "b"], Path("t.csv"))
    require_once([], Path("t.csv"))
    with pytest.raises(FormatError, match=r"t\.csv lists the record 'b' twice\. Keep one of its rows"):
        require_once(["a", "b", "c", "b", "a"][1:], Path("t.csv"))


def test_two_files_of_one_record_are_both_named():
    assert by_stem([Path("x/a.hea"), Path("y/b.hea")]) == {"a": Path("x/a.hea"), "b": Path("y/b.hea")}
    with pytest.raises(InputError, match=r"Two files are the record 'a': x/a\.hea and y/a\.hea\. Keep one"):
        by_stem([Path("x/a.hea"), Path("y/a.hea")])
    with pytest.raises(InputError, match=r"The record 'a' is listed twice\. Keep one of its rows"):
        by_stem([Path("x/a.hea"), Path("x/a.hea")])
