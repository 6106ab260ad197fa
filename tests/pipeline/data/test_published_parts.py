"""Parts that publishers wrote down hold the very records of their table, and none is lost on the way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cardioflow import EcgDataset
from cardioflow.errors import InputError

Named = Callable[..., EcgDataset]


@pytest.mark.parametrize("other", ["1", 1.0, np.int64(1), np.float32(1)])
def test_a_part_that_is_a_number_here_and_text_there_is_one_part(named: Named, other: object) -> None:
    parts = named(4).split(by={"r00": 1, "r01": other, "r02": 2, "r03": "2"})
    assert parts.names == ("1", "2")
    assert (parts["1"].ids, parts["2"].ids) == (("r00", "r01"), ("r02", "r03"))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([10, 9, 1], ("1", "9", "10")),
        (["10", "9", "1"], ("1", "9", "10")),
        ([10.5, 9.5, 2], ("2", "9.5", "10.5")),
        ([-1, 0, -10], ("-10", "-1", "0")),
        (["test", "2", "train"], ("2", "test", "train")),
        (["²", "3", "--3"], ("3", "--3", "²")),
        (["nan-fold", "inf", "1e3"], ("1e3", "inf", "nan-fold")),
        ([True, False, "x"], ("False", "True", "x")),
    ],
)
def test_parts_come_numbers_by_size_and_then_names(named: Named, names: list[Any], expected: tuple[str, ...]) -> None:
    by = dict(zip(["r00", "r01", "r02"], names, strict=True))
    parts = named(3).split(by=by)
    assert parts.names == expected
    for record, part in by.items():
        assert parts[str(part)].ids == (record,)


TABLE = {"record": ["r02", "r00", "r01"], "part": ["test", "train", "train"]}


@pytest.mark.parametrize(
    "by",
    [
        pd.DataFrame(TABLE),
        pd.DataFrame(TABLE).set_index("record"),
        pd.DataFrame({"part": TABLE["part"]}, index=TABLE["record"]),
        pd.DataFrame(TABLE).set_index("record")["part"],
        pa.table(TABLE),
        pa.table({**TABLE, "note": ["x", "y", "z"]}),
        dict(zip(TABLE["record"], TABLE["part"], strict=True)),
    ],
    ids=["frame", "indexed", "unnamed index", "series", "arrow", "arrow with a note", "mapping"],
)
def test_every_form_of_a_table_gives_the_same_parts(named: Named, by: Any) -> None:
    parts = named(3).split(by=by)
    assert {name: parts[name].ids for name in parts.names} == {"test": ("r02",), "train": ("r00", "r01")}


def test_a_file_with_a_byte_order_mark_blanks_and_windows_lines_is_read(named: Named, tmp_path: Path) -> None:
    path = tmp_path / "split.csv"
    path.write_bytes("\ufeffrecord, fold\r\nr00,1\r\nr01, 2\r\nr02,10\r\n".encode())
    parts = named(3).split(by=path)
    assert parts.names == ("1", "2", "10")
    assert named(3).split(by=str(path)).names == parts.names


def test_a_row_without_a_part_is_a_record_without_one(named: Named) -> None:
    by = {"r00": "train", "r01": None, "r02": float("nan")}
    with pytest.raises(InputError, match=r"the mapping has no part for 2 of 3 records, the first of them 'r01'"):
        named(3).split(by=by)
    assert [part.ids for part in named(3).split(by=by, missing="drop")] == [("r00",)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"missing": "skip"}, r"split\(missing='skip'\): expected 'raise' or 'drop'"),
        ({"extra": "drop"}, r"split\(extra='drop'\): expected 'raise' or 'ignore'"),
    ],
)
def test_a_misspelt_way_to_treat_records_is_not_taken_for_leave_them_out(
    named: Named, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        named(2).split(by={"r00": "a"}, **options)


def test_a_table_of_none_of_the_records_is_refused(named: Named) -> None:
    with pytest.raises(InputError, match=r"the mapping has a part for none of the records\. Check its record ids"):
        named(2).split(by={"x": 1}, extra="ignore", missing="drop")


def test_a_part_of_a_data_set_may_be_split_by_the_table_of_the_whole(named: Named) -> None:
    whole = named(6)
    by = {name: "ab"[i % 2] for i, name in enumerate(whole.ids)}
    part = whole.subset(["r05", "r00", "r01"])
    assert {name: part.split(by=by)[name].ids for name in "ab"} == {"a": ("r00",), "b": ("r05", "r01")}


def test_a_column_of_the_data_sets_own_table_comes_before_a_file_of_that_name(
    named: Named, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("fold").write_text("record,fold\nr00,7\nr01,7\n")
    own = named(2, table={"record": ["r00", "r01"], "fold": [1, 2]})
    assert own.split(by="fold").names == ("1", "2")
    assert named(2).split(by="fold").names == ("7",)


def test_parts_are_found_by_number_name_and_slice(named: Named) -> None:
    parts = named(3).split(by={"r00": 3, "r01": 4, "r02": 5})
    # A number is a position and a text is a name, also where the names are numbers.
    assert parts[0].ids == parts["3"].ids == ("r00",)
    assert [part.ids for part in parts[1:]] == [("r01",), ("r02",)]
    assert parts[-1].ids == ("r02",)
    with pytest.raises(IndexError):
        parts[3]
    assert repr(parts).startswith("Parts(3: EcgDataset(1 record: r00 … r00), 4: ")


def test_shares_and_folds_are_named_by_their_numbers(named: Named) -> None:
    assert named(8).split([0.5, 0.25, 0.25]).names == ("0", "1", "2")
    parts = named(8).split(folds=2)
    assert parts["1"].ids == parts[1].ids
