"""Variables of a run: what each mode of saving does to them, and that runs do not share them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cardioflow import B, C, EcgDataset, F, Pipeline, V
from cardioflow.errors import ConfigError, InputError, NotRunError, StepError, UnknownNameError
from cardioflow.pipeline.expressions import Scope, evaluate, expressions_in
from cardioflow.pipeline.record_ids import record_id
from cardioflow.pipeline.variables import Variables


def saved(mode: Any, *values: Any, default: Any = None) -> Any:
    held = Variables()
    if default is not None:
        held.declare("v", default)
    for value in values:
        held.save(V("v", mode=mode), value)
    return held.get("v")


def test_each_mode_changes_a_variable_in_its_own_way() -> None:
    assert saved("w", 1, [2]) == [2]
    assert saved("a", 1, [2], default=[0]) == [0, 1, [2]]
    assert saved("e", [1], (2, 3), default=[0]) == [0, 1, 2, 3]
    assert saved("u", {"a": 1}, {"a": 2, "b": 3}) == {"a": 2, "b": 3}
    assert saved("u", [1, 2], [2], default={0}) == {0, 1, 2}


def test_a_variable_that_was_not_declared_begins_empty() -> None:
    assert saved("a", 1) == [1]
    assert saved("e", [1, 2]) == [1, 2]
    assert saved("u", {}) == {}


@pytest.mark.parametrize(
    ("mode", "default", "said"),
    [
        ("a", 3, r"V\('v', mode='a'\) appends, but the variable holds a int\. Declare it as a list"),
        ("e", {"a": 1}, r"extends, but the variable holds a dict\. Declare it as a list"),
        ("u", [1], r"updates, but the variable holds a list\. Declare it as a dict or a set"),
        ("a", (1,), r"appends, but the variable holds a tuple"),
        ("a", np.zeros(2), r"appends, but the variable holds a ndarray"),
    ],
)
def test_a_variable_of_another_type_is_not_replaced_in_silence(mode: Any, default: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        saved(mode, 1, default=default)


def test_a_mode_that_does_not_exist_is_refused_when_the_variable_is_named() -> None:
    with pytest.raises(ConfigError, match=r"V\('v', mode='append'\): expected the mode 'w', 'a', 'e' or 'u'"):
        V("v", mode="append")  # type: ignore[arg-type]


def test_an_unknown_variable_answers_with_the_nearest_one() -> None:
    held = Variables()
    held.declare("losses", [])
    with pytest.raises(UnknownNameError, match=r"no variable 'loses'.*'losses'.*init_variable\('loses', …\)"):
        held.get("loses")


def test_two_runs_of_one_pipeline_do_not_share_a_list() -> None:
    given: list[str] = []
    template = Pipeline().init_variable("seen", given).load().update(V("seen", mode="a"), B("ids"))
    first, second = ((EcgDataset.simulated(3) >> template).run(batch_size=2) for _ in range(2))
    assert [len(run.get_variable("seen")) for run in (first, second)] == [2, 2]
    assert given == []


def test_a_restored_state_replaces_all_variables() -> None:
    held = Variables()
    held.declare("old", 1)
    held.restore({"new": 2})
    assert list(held) == ["new"]
    assert "old" not in held
    assert repr(held) == "Variables(new)"
    assert repr(Variables()) == "Variables(none)"


# -- expressions ------------------------------------------------------------------


def test_expressions_are_found_and_replaced_at_any_depth() -> None:
    scope = Scope({"a": 1, "deep": {"b": [2]}})
    given = {"x": [C("a"), (C("deep/b"), "text")], "y": {"z": {"w": C("none", default=None)}}, "k": {3}}
    assert evaluate(given, scope) == {"x": [1, ([2], "text")], "y": {"z": {"w": None}}, "k": {3}}
    assert [e.name for e in expressions_in(given)] == ["a", "deep/b", "none"]


def test_a_container_without_expressions_is_the_same_object_afterwards() -> None:
    array = np.arange(3)
    for given in ([1, [2]], {"a": (1,)}, {1, 2}, "C('a')", array, None):
        assert evaluate(given, Scope({})) is given


def test_a_default_is_taken_where_the_setting_is_missing_and_not_where_it_is_none() -> None:
    assert C("a", default=5).value(Scope({})) == 5
    assert C("a", default=5).value(Scope({"a": None})) is None
    assert C("a/b", default=5).value(Scope({"a": None})) == 5
    assert C("a", default=None).value(Scope({})) is None


@pytest.mark.parametrize(
    ("name", "config", "said"),
    [
        ("lr", {"lrs": 1}, r"does not have the setting 'lr'.*'lrs'"),
        ("model/lr", {"model": {"rate": 1}}, r"does not have the setting 'model/lr'"),
        ("model/lr", {"model": 3}, r"does not have the setting 'model/lr'"),
    ],
)
def test_a_missing_setting_is_named_with_its_path(name: str, config: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        C(name).value(Scope(config))


def test_expressions_say_where_they_have_no_value() -> None:
    for expression in (B("signal"), B(), F(len)):
        with pytest.raises(NotRunError, match=r"has a value only where there is a batch"):
            expression.value(Scope({}))
    with pytest.raises(NotRunError, match=r"V\('x'\) has a value only in a run"):
        V("x").value(Scope({}))


def test_a_function_that_fails_is_named_and_its_error_is_the_cause() -> None:
    (batch,) = (EcgDataset.simulated(1) >> Pipeline().load()).batches(1)

    def broken(_: Any) -> Any:
        raise ZeroDivisionError("no beats")

    with pytest.raises(StepError, match="ZeroDivisionError: no beats") as caught:
        F(broken).value(Scope({}, batch))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with pytest.raises(ConfigError, match=r"F\(3\): expected a function of the batch"):
        F(3)  # type: ignore[arg-type]


def test_equal_expressions_are_those_that_give_the_same_value() -> None:
    assert C("a", default=1) != C("a")
    assert C("a", default=[1]) == C("a", default=[1])
    assert C("a", default=np.zeros(2)) == C("a", default=np.zeros(2))
    assert C("a", default=True) != C("a", default=2)
    assert V("a") != V("a", mode="a")
    assert len({B("x"), B("x"), B(), F(len), F(len)}) == 3


# -- ids --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [(" A00001\n", "A00001"), (7, "7"), (7.0, "7"), (np.int32(7), "7"), (np.float32(7), "7"), (-3, "-3"),
     ("007", "007"), (2.0**60, str(2**60))],
)  # fmt: skip
def test_an_id_is_text_or_a_whole_number(given: Any, expected: str) -> None:
    assert record_id(given) == expected


@pytest.mark.parametrize(
    "given", [7.5, float("nan"), float("inf"), True, None, b"A1", ["a"], np.True_, np.float64(0.1)]
)
def test_what_is_not_an_id_is_refused(given: Any) -> None:
    # NaN is what a table has where an id is missing, and would be the id 'nan' of every such row.
    with pytest.raises(InputError, match=r"is not a record id\. Expected text, or a whole number"):
        record_id(given)
