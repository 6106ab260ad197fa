"""What is known about records is found by their ids, whatever types and gaps its columns have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cardioflow import EcgDataset
from cardioflow.errors import InputError, UnknownNameError
from cardioflow.pipeline.data.record_table import RecordTable, plain

Named = Callable[..., EcgDataset]

COLUMNS = {
    "record": ["r02", "r00", "r01"],
    "age": [61, 59, 60],
    "sex": ["F", "M", "F"],
    "codes": [["AF"], ["N", "PVC"], []],
}


@pytest.fixture
def known(named: Named) -> EcgDataset:
    return named(4, table=COLUMNS)


@pytest.mark.parametrize(
    "table",
    [COLUMNS, pd.DataFrame(COLUMNS), pd.DataFrame(COLUMNS).set_index("record"), pa.table(COLUMNS)],
    ids=["mapping", "frame", "indexed", "arrow"],
)
def test_rows_are_found_by_id_and_not_by_position(named: Named, table: Any) -> None:
    data = named(4, table=table)
    assert data.table.column("age", data.ids) == [59, 60, 61, None]
    assert data.table.column("sex", ("r02", "r00")) == ["F", "M"]
    assert data.table.names == ("age", "sex", "codes")
    assert set(data.table.ids) == {"r00", "r01", "r02"}
    assert len(data.table) == 3


@pytest.mark.parametrize("gap", [None, float("nan"), np.float32("nan"), pd.NA, pd.NaT, "", " ", np.datetime64("NaT")])
def test_every_kind_of_gap_is_one_value_that_is_not_known(gap: object) -> None:
    table = RecordTable(["a", "b"], {"x": [1, gap]})
    assert table.column("x", ["a", "b", "c"]) == [1, None, None]
    assert list(table.rows(["b"])) == [{"x": None}]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int64(3), 3),
        (3.0, 3),
        (np.float32(2.5), 2.5),
        (np.bool_(True), True),
        ([1, 2], (1, 2)),
        (np.array(["a"]), ("a",)),
        ("3", "3"),
        (None, None),
    ],
)
def test_values_are_compared_as_pythons_own(value: object, expected: object) -> None:
    found = plain(value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"age": 60}, ["r01"]),
        ({"age": 60.0}, ["r01"]),
        ({"age": np.int16(60)}, ["r01"]),
        ({"age": {59, 61}}, ["r00", "r02"]),
        ({"age": np.array([59.0, 61.0])}, ["r00", "r02"]),
        ({"age": [59, 61]}, ["r00", "r02"]),
        ({"age": range(60, 62)}, ["r01", "r02"]),
        ({"sex": "F", "age": lambda years: years < 61}, ["r01"]),
        ({"sex": ("M",)}, ["r00"]),
        ({"codes": [["AF"], []]}, ["r01", "r02"]),
        ({"codes": lambda codes: "PVC" in codes}, ["r00"]),
        ({"age": None}, ["r03"]),
    ],
)
def test_conditions_choose_the_records_that_meet_all(
    known: EcgDataset, condition: dict[str, Any], expected: list[str]
) -> None:
    assert list(known.filter(missing="drop", **condition).ids) == expected


def test_values_without_a_hash_can_be_chosen_from(named: Named) -> None:
    data = named(2, table={"record": ["r00", "r01"], "codes": [{"AF": 100}, {"N": 80}]})
    assert data.filter(codes={"AF": 100}).ids == ("r00",)
    assert data.filter(codes=[{"N": 80}, {"X": 1}]).ids == ("r01",)
    assert data.filter(codes=lambda codes: "N" in codes).ids == ("r01",)


def test_conditions_after_the_first_look_only_at_what_is_left(known: EcgDataset) -> None:
    """r03 has no row; once another condition left it out, its age is not asked for."""
    assert known.subset(["r00", "r01", "r02"]).filter(sex="F", age=61).ids == ("r02",)
    with pytest.raises(InputError, match=r"filter\(sex=…\): 1 of 4 records have no value in this column.*'r03'"):
        known.filter(sex="F", age=61)


def test_a_misspelt_way_to_treat_gaps_is_refused(known: EcgDataset) -> None:
    with pytest.raises(InputError, match=r"filter\(missing='skip'\): expected 'raise' or 'drop'"):
        known.filter(sex="F", missing="skip")  # type: ignore[arg-type]


def test_a_function_of_the_row_sees_every_column(known: EcgDataset) -> None:
    seen: list[dict[str, Any]] = []
    known.filter(lambda row: seen.append(dict(row)) or True)  # type: ignore[func-returns-value]
    assert seen[0] == {"age": 59, "sex": "M", "codes": ["N", "PVC"]}
    assert seen[3] == {"age": None, "sex": None, "codes": None}


def test_a_filtered_part_keeps_its_table_order_and_ids(known: EcgDataset) -> None:
    part = known.subset(["r02", "r01"]).filter(sex="F")
    assert part.ids == ("r02", "r01")
    assert part.table.column("age", part.ids) == [61, 60]
    assert part.all_ids == known.all_ids


def test_columns_are_joined_from_two_tables_by_id(known: EcgDataset) -> None:
    more = known.with_table({"id": ["r03", "r00"], "height": [180, 170], "age": [33, 34]})
    assert more.table.column("height", more.ids) == [170, None, None, 180]
    # A column that is there already is replaced as a whole.
    assert more.table.column("age", more.ids) == [34, None, None, 33]
    assert more.table.column("sex", more.ids) == ["M", "F", "F", None]
    assert known.table.column("age", known.ids) == [59, 60, 61, None]


def test_the_column_of_ids_may_be_any_and_whole_numbers(named: Named) -> None:
    data = EcgDataset({"7": "a.hea", "8": "b.hea"})
    frame = pd.DataFrame({"age": [50, 60], "ecg_id": [8.0, 7.0]})
    assert data.with_table(frame, id_column="ecg_id").table.column("age", data.ids) == [60, 50]
    with pytest.raises(UnknownNameError, match=r"The table has no column 'ecgid'\. Did you mean 'ecg_id'"):
        data.with_table(frame, id_column="ecgid")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, "The table has no columns"),
        ({"id": ["r00", "r00"], "age": [1, 2]}, "two rows for record 'r00'"),
        ({"id": ["r00", "r01"], "age": [1]}, r"Column 'age' has 1 values for 2 records\. Pass one per record"),
        ({"id": ["r00", None], "age": [1, 2]}, "None is not a record id"),
        (pd.DataFrame([["r00", 1, 2]], columns=["id", "age", "age"]), r"The table has two columns 'age'\. Rename one"),
        (pa.table([["r00"], [1], [2]], names=["id", "age", "age"]), r"The table has two columns 'age'"),
        (3, r"cannot be read from an int"),
    ],
)
def test_a_table_that_would_lose_something_is_refused(named: Named, table: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        named(2, table=table)


def test_a_table_of_another_table_is_itself(known: EcgDataset) -> None:
    assert RecordTable.of(known.table) is known.table
    assert "age" in known.table
    assert "record" not in known.table
