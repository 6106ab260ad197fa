"""Arguments with a value per row are found wherever they are, and former names of parameters still work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import pytest

from cardioflow import B, EcgBatch
from cardioflow.batch.current_names import current_names
from cardioflow.batch.per_record import per_record
from cardioflow.errors import InputError, UnknownNameError

BATCH = EcgBatch.from_arrays(np.zeros((3, 1, 4)), fs=[100, 250, 500], ids=["a", "b", "c"], targets=["x", "y", "x"])


class Pair(NamedTuple):
    first: object
    second: object


SHARED = object()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (B("fs"), [100, 250, 500]),
        (B("ids"), ["a", "b", "c"]),
        (B("target"), ["x", "y", "x"]),
        ((1, B("fs")), [(1, 100), (1, 250), (1, 500)]),
        ([B("ids"), B("fs")], [["a", 100], ["b", 250], ["c", 500]]),
        ({"fs": B("fs"), "n": 2}, [{"fs": 100, "n": 2}, {"fs": 250, "n": 2}, {"fs": 500, "n": 2}]),
        ({"in": [{"deep": (B("ids"),)}]}, [{"in": [{"deep": (name,)}]} for name in "abc"]),
        (Pair(B("fs"), "s"), [Pair(100, "s"), Pair(250, "s"), Pair(500, "s")]),
        ({B("ids")}, [{"a"}, {"b"}, {"c"}]),
        (3, [3, 3, 3]),
        ([], [[], [], []]),
        (None, [None] * 3),
    ],
    ids=["rates", "ids", "labels", "tuple", "list", "mapping", "deep", "named tuple", "set", "number", "empty", "none"],
)
def test_each_row_gets_its_own_value_and_the_container_stays_what_it_was(given, expected) -> None:
    found = list(per_record(given, BATCH))
    assert found == expected
    assert [type(own) for own in found] == [type(own) for own in expected] or isinstance(given, B)


def test_what_holds_no_value_per_row_is_shared_and_not_copied() -> None:
    array = np.zeros(3)
    for own in (array, SHARED, (array, SHARED), {"a": array}):
        assert all(row is own for row in per_record(own, BATCH))
    mixed = per_record((array, B("fs")), BATCH)
    assert all(row[0] is array for row in mixed)


def test_no_rows_have_no_values_and_an_unknown_name_is_refused() -> None:
    assert list(per_record((B("fs"),), BATCH.take([]))) == []
    with pytest.raises(UnknownNameError, match="rate"):
        per_record((B("rate"),), BATCH)


@dataclass(frozen=True)
class Step:
    former_parameters: ClassVar[Mapping[str, str]] = {"size": "n_rows", "siglen": "length"}


def test_a_former_name_becomes_todays_and_warns_with_both() -> None:
    with pytest.warns(DeprecationWarning, match=r"step\(size=…\) is now step\(n_rows=…\)\.") as caught:
        found = current_names(Step, "step", {"size": 3, "other": 1}, stacklevel=1)
    assert found == {"n_rows": 3, "other": 1}
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_names_of_today_do_not_warn_and_the_arguments_that_came_stay(recwarn) -> None:
    given = {"n_rows": 3, "length": 5}
    assert current_names(Step, "step", given, stacklevel=1) == given
    assert not recwarn.list


def test_a_parameter_by_both_of_its_names_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        current_names(Step, "step", {"size": 3, "n_rows": 4}, stacklevel=1)
    assert str(caught.value) == "step() was given 'size' and 'n_rows', which are the same. Pass n_rows only."
