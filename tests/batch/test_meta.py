"""Metadata are stored as columns and read as immutable rows."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from cardioflow.batch import Meta
from cardioflow.errors import UnknownNameError

ROWS = [{"fs": 300.0, "leads": ("I", "II"), "age": 61}, {"fs": 250.0, "leads": ("II", "V1"), "sex": "F"}]


def test_rows_are_mappings_and_missing_values_are_none() -> None:
    meta = Meta.from_rows(ROWS)
    assert dict(meta[0]) == {"fs": 300.0, "leads": ("I", "II"), "age": 61, "sex": None}
    assert meta[-1]["sex"] == "F"
    with pytest.raises(TypeError, match="does not support item assignment"):
        meta[0]["fs"] = 1.0  # type: ignore[index]
    with pytest.raises(KeyError, match=r"Did you mean 'leads'"):
        meta[0]["lead"]


def test_a_column_of_numbers_is_an_array_and_tuples_stay_tuples() -> None:
    meta = Meta.from_rows(ROWS)
    assert meta["fs"].dtype == np.float64
    assert meta["leads"][1] == ("II", "V1")
    with pytest.raises(UnknownNameError, match=r"meta has no column 'fsx'"):
        meta["fsx"]


def test_taking_joining_and_replacing_return_new_objects() -> None:
    meta = Meta.from_rows(ROWS)
    assert meta.take([1])[0]["fs"] == 250.0
    assert Meta.concat([meta[:1], meta[1:]]) == meta
    assert meta.with_columns(fs=[1.0, 2.0])["fs"].tolist() == [1.0, 2.0]
    assert meta["fs"].tolist() == [300.0, 250.0]
    assert pickle.loads(pickle.dumps(meta)) == meta


def test_joining_fills_missing_columns_with_none() -> None:
    joined = Meta.concat([Meta.from_rows([{"fs": 1.0}]), Meta.from_rows([{"fs": 2.0, "age": 3}])])
    assert [row["age"] for row in joined] == [None, 3]


def test_a_column_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="Column 'fs' of meta has 1 values for 2 records"):
        Meta({"fs": [1.0]}, 2)


def test_metadata_are_equal_if_all_rows_are() -> None:
    meta = Meta.from_rows(ROWS)
    assert meta == Meta.from_rows(ROWS)
    assert meta != meta[:1]
    assert meta[:1] != meta
    assert meta != meta.take([1, 0])
    assert meta != meta.with_columns(fs=[300.0, 251.0])
    assert meta != ROWS


@pytest.mark.parametrize(
    ("value", "equal", "other"),
    [
        (float("nan"), float("nan"), 0.0),
        (np.array([1.0, np.nan]), np.array([1.0, np.nan]), np.array([1.0, 2.0])),
        ({"a": float("nan"), "b": (1, 2)}, {"b": (1, 2), "a": float("nan")}, {"a": 1.0, "b": (1, 2)}),
        (300, 300.0, 301),
        (("I", "II"), ("I", "II"), ("II", "I")),
        (None, None, float("nan")),
    ],
    ids=["nan", "arrays", "nan inside", "int and float", "tuples", "none"],
)
def test_metadata_is_equal_when_its_values_are_also_arrays_and_values_that_could_not_be_measured(
    value, equal, other
) -> None:
    own = Meta.from_rows([{"fs": 1.0, "value": value}])
    assert own == Meta.from_rows([{"value": equal, "fs": 1.0}])
    assert own != Meta.from_rows([{"value": other, "fs": 1.0}])
    assert own != Meta.from_rows([{"fs": 1.0}])
    assert own != Meta.from_rows([{"fs": 1.0, "value": value}] * 2)
