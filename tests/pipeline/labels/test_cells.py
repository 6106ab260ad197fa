"""A cell of a table is read as the labels that it names, each once, or as the number that it is."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardioflow.errors import InputError, LabelError
from cardioflow.pipeline.labels.cells import TableShape, is_missing, labels_of, numbers_of
from cardioflow.pipeline.labels.table import LabelTable

SEVERAL = TableShape(several=True)


@pytest.mark.parametrize(
    ("cell", "shape", "expected"),
    [
        ("N", SEVERAL, ("N",)),
        (" N ", SEVERAL, ("N",)),
        ("N,A", SEVERAL, ("N,A",)),
        ("N, A,,", TableShape(several=True, separator=","), ("N", "A")),
        ("N,N , A,N", TableShape(several=True, separator=","), ("N", "A")),
        ("N AF", TableShape(several=True, separator=" "), ("N", "AF")),
        (";", TableShape(several=True, separator=";"), ()),
        (["N", "A", "N"], SEVERAL, ("N", "A")),
        ([1, 1.0, "1", np.int8(1)], SEVERAL, ("1",)),
        ({"b", "a"}, SEVERAL, ("a", "b")),
        (frozenset({2, 10}), SEVERAL, ("10", "2")),
        (np.array([3, 1]), SEVERAL, ("3", "1")),
        (np.array(["x"]), SEVERAL, ("x",)),
        ([None, "A", float("nan")], SEVERAL, ("A",)),
        ({"N": 0, "A": 80}, SEVERAL, ("N", "A")),
        ({"N": 49.9, "A": 50}, TableShape(several=True, threshold=50), ("A",)),
        ({"N": float("nan"), "A": 50}, TableShape(several=True, threshold=50), ("A",)),
        ({"N": True, "A": False}, TableShape(several=True, threshold=50), ("N",)),
        ("{'N': 100.0, 'A': 0.0}", TableShape(several=True, threshold=50), ("N",)),
        ("('N', 'A')", SEVERAL, ("('N', 'A')",)),
        ("[1, 2]", SEVERAL, ("1", "2")),
        (b"AF", SEVERAL, ("AF",)),
        (np.bytes_(b"N"), SEVERAL, ("N",)),
        (True, SEVERAL, ("True",)),
        (np.float32(3), SEVERAL, ("3",)),
        (2.5, SEVERAL, ("2.5",)),
        (Decimal("2"), SEVERAL, ("2",)),
        (pd.Timestamp("2020-01-02"), SEVERAL, ("2020-01-02 00:00:00",)),
    ],
)
def test_a_cell_names_each_of_its_labels_once(cell: Any, shape: TableShape, expected: tuple[str, ...]) -> None:
    assert labels_of(cell, shape) == expected


@pytest.mark.parametrize("cell", [[["N"], ["A"]], [{"N": 1}], [("N",)], [np.array(["N"])], [{"N"}]])
def test_a_list_of_lists_is_not_a_list_of_labels(cell: Any) -> None:
    """Its parts would become classes that are called "['N']"."""
    with pytest.raises(LabelError, match=r"is not a label\. Expected a text or a number.*record 'r1'"):
        LabelTable.read({"r1": cell}, SEVERAL)


@pytest.mark.parametrize(
    "cell", [None, float("nan"), np.float16("nan"), "", " \t", "nan", "NaN", "<NA>", pd.NA, pd.NaT, Decimal("nan")]
)
def test_nothing_is_nothing_in_every_form(cell: Any) -> None:
    assert is_missing(cell)
    assert labels_of(cell, SEVERAL) is None
    assert numbers_of(cell) is None
    assert numbers_of([1.0, cell]) is None


@pytest.mark.parametrize("cell", ["None", "NA", "null", "0", 0, False, "-", [], {}])
def test_what_may_be_the_name_of_a_class_is_something(cell: Any) -> None:
    assert not is_missing(cell)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("61.5", 61.5),
        (" 61 ", 61.0),
        ("-1e-3", -0.001),
        (np.int8(-3), -3.0),
        (True, 1.0),
        (Fraction(1, 4), 0.25),
        (Decimal("0.1"), 0.1),
        ((12, "1"), (12.0, 1.0)),
        (np.array([1.5, 0], np.float32), (1.5, 0.0)),
        ([], ()),
    ],
)
def test_a_number_is_read_from_every_type(cell: Any, expected: Any) -> None:
    assert numbers_of(cell) == expected


@pytest.mark.parametrize("cell", ["inf", -np.inf, np.float32("inf"), "1e999", (1.0, np.inf)])
def test_a_number_without_end_names_its_record(cell: Any) -> None:
    with pytest.raises(LabelError, match=r"is not a finite number, and no loss is.*record 'r1'"):
        LabelTable.read(
            {"r0": 1.0 if not isinstance(cell, tuple) else (1.0, 2.0), "r1": cell}, TableShape(numeric=True)
        )


@pytest.mark.parametrize("cell", ["old", "61,5", "1 2", {"age": 3}, 3j, np.ones((2, 2)), object()])
def test_what_is_not_a_number_names_its_record(cell: Any) -> None:
    with pytest.raises(LabelError, match=r"is not a number\. Leave out numeric=True.*record 'r1'"):
        LabelTable.read({"r0": 1.0, "r1": cell}, TableShape(numeric=True))


def test_records_with_another_number_of_numbers_are_both_named() -> None:
    with pytest.raises(LabelError, match=r"has 2 numbers for record 'r0' and 1 for 'r1'\. Give each as many"):
        LabelTable.read({"r0": (1.0, 2.0), "r1": 3.0}, TableShape(numeric=True))
    both = LabelTable.read({"r0": (1.0, 2.0), "r1": (3, 4)}, TableShape(numeric=True))
    target, missing = both.targets(["r1", "r0"])
    assert (target.tolist(), target.dtype, missing) == ([[3.0, 4.0], [1.0, 2.0]], np.float64, {})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"threshold": "50"}, r"threshold='50' is not a number"),
        ({"threshold": True}, r"threshold=True is not a number"),
        ({"header": "yes"}, r"header='yes': expected True, False or None"),
        ({"header": 3}, r"header=3: expected True, False or None"),
        ({"label_columns": ["A", "B", "A"]}, r"label_columns=\['A', 'B', 'A'\] has a column twice"),
        ({"label_columns": "AB"}, r"label_columns='AB' is text"),
        ({"numeric": True, "separator": ","}, r"Leave out several and separator"),
    ],
)
def test_options_that_would_be_read_as_something_else_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        TableShape(**given)
