"""Expressions stand for values that come later, and stay what they are when they are copied or sent."""

from __future__ import annotations

import pickle
from collections import namedtuple
from copy import copy, deepcopy
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from cardioflow import B, C, EcgBatch, EcgDataset, F, Pipeline, V, action
from cardioflow.errors import ConfigError, InputError, NotRunError, StepError, UnknownNameError
from cardioflow.pipeline.expressions import NO_DEFAULT, Expression, Scope, evaluate, expressions_in
from cardioflow.pipeline.variables import Variables
from cardioflow.registry import actions

Band = namedtuple("Band", ["low", "high"])


def gain(batch: EcgBatch, factor: float = 2.0) -> float:
    return factor * len(batch)


def broken(batch: EcgBatch) -> float:
    return {"a": 1.0}[batch.ids[0]]


def worded(batch: EcgBatch) -> float:
    raise InputError("The gain is not known.", record=batch.ids[0])


class Callable_:  # noqa: N801 -- an object that is called like a function
    __hash__ = None

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __call__(self, batch: EcgBatch) -> float:
        return self.factor * len(batch)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Callable_) and self.factor == other.factor


@pytest.fixture
def scope() -> Scope:
    variables = Variables()
    variables.declare("loss", 0.5)
    batch = EcgBatch(ids=["A1", "A2"], target=np.array([1.0, 0.0]))
    return Scope({"fs": 250, "model": {"lr": 0.1}}, batch, variables)


EXPRESSIONS = [
    B(),
    B("target"),
    C("fs"),
    C("fs", default=None),
    C("fs", default=[1, 2]),
    C("fs", default=np.array([1.0, np.nan])),
    F(gain),
    F(partial(gain, factor=3.0)),
    F(Callable_(2.0)),
    F(np.shape),
    V("loss"),
    V("loss", mode="a"),
]


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=repr)
def test_an_expression_is_the_same_after_pickling_and_copying(expression: Expression) -> None:
    for again in (pickle.loads(pickle.dumps(expression)), deepcopy(expression), copy(expression)):
        assert again == expression
        assert hash(again) == hash(expression)
        assert repr(again) == repr(expression)


def test_different_expressions_differ() -> None:
    for i, a in enumerate(EXPRESSIONS):
        assert [j for j, b in enumerate(EXPRESSIONS) if a == b] == [i]
    assert len(set(EXPRESSIONS)) == len(EXPRESSIONS)


@pytest.mark.parametrize("again", [lambda c: pickle.loads(pickle.dumps(c)), deepcopy], ids=["pickle", "deepcopy"])
def test_a_missing_setting_is_an_error_after_pickling_too(again: Any) -> None:
    setting = again([C("lr")])[0]
    assert setting.default is NO_DEFAULT
    with pytest.raises(ConfigError, match=r"does not have the setting 'lr'\. Available: 'fs'\. Set it with"):
        setting.value(Scope({"fs": 250}))


def test_each_kind_has_its_value(scope: Scope) -> None:
    assert B().value(scope) is scope.batch
    assert list(B("ids").value(scope)) == ["A1", "A2"]
    assert B("target").value(scope).tolist() == [1.0, 0.0]
    assert C("model/lr").value(scope) == 0.1
    assert C("model/decay", default=0.0).value(scope) == 0.0
    assert F(gain).value(scope) == 4.0
    assert V("loss").value(scope) == 0.5


def test_values_are_found_inside_containers(scope: Scope) -> None:
    given = [C("fs"), (V("loss"), Band(1, C("fs"))), MappingProxyType({"x": {"y": F(gain)}}), frozenset({C("fs"), 3})]
    assert [repr(e) for e in expressions_in(given[:3])] == ["C('fs')", "V('loss')", "C('fs')", "F(gain)"]
    assert evaluate(given, scope) == [250, (0.5, Band(1, 250)), {"x": {"y": 4.0}}, frozenset({250, 3})]


def test_a_value_without_an_expression_is_not_copied(scope: Scope) -> None:
    for plain in ([1, {"x": 2}], {"x": [1]}, Band(1, 2), np.zeros(3), {1, 2}):
        assert evaluate(plain, scope) is plain


def test_a_function_that_raises_is_named(scope: Scope) -> None:
    with pytest.raises(StepError, match=r"^F\(broken\) raised KeyError: 'A1'$") as caught:
        evaluate({"factor": [F(broken)]}, scope)
    assert isinstance(caught.value.__cause__, KeyError)


def test_an_error_of_ours_inside_a_function_is_raised_as_it_is(scope: Scope) -> None:
    with pytest.raises(InputError, match="The gain is not known") as caught:
        evaluate(F(worded), scope)
    assert caught.value.record == "A1"


@pytest.mark.parametrize("expression", [B("signal"), F(gain), V("loss")], ids=repr)
def test_a_value_that_is_not_there_yet_is_refused_by_name(expression: Expression) -> None:
    with pytest.raises(NotRunError) as caught:
        expression.value(Scope({}))
    assert str(caught.value).startswith(f"{expression!r} has a value only")


def test_what_is_not_a_function_or_a_mode_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"F\(3\): expected a function of the batch"):
        F(3)
    with pytest.raises(ConfigError, match=r"expected the mode 'w', 'a', 'e' or 'u'"):
        V("loss", mode="x")


@pytest.fixture
def six() -> EcgDataset:
    return EcgDataset.from_arrays(np.ones((6, 1, 100), np.float32), fs=100.0, ids=[f"A{i}" for i in range(1, 7)])


def same_length(batch: EcgBatch, values: Any) -> EcgBatch:
    if "A2" in batch.ids:
        raise InputError("It is flat.", record="A2")
    assert list(values) == list(batch.ids)
    return batch


@pytest.mark.parametrize("on_error", ["raise", "skip"])
@pytest.mark.parametrize("step", ["resample_signals", "update"])
def test_a_function_that_raises_in_a_run_is_named_with_its_step(six: EcgDataset, step: str, on_error: str) -> None:
    template = Pipeline().load()
    template = (
        template.resample_signals(F(broken)) if step == "resample_signals" else template.update(V("n"), F(broken))
    )
    with pytest.raises(StepError, match=r"^F\(broken\) raised KeyError: 'A1' \[step 2, " + step) as caught:
        (six >> template).run(3, on_error=on_error, threads=0)
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_component_that_does_not_exist_is_named_with_its_step(six: EcgDataset) -> None:
    with pytest.raises(UnknownNameError, match=r"no component 'beats'.*\[step 2, resample_signals\(B\('beats'\)\)\]"):
        (six >> Pipeline().load().resample_signals(B("beats"))).run(3, threads=0)


@pytest.mark.parametrize("first", [False, True], ids=["ahead", "in order"])
def test_after_a_record_is_left_out_arguments_are_those_of_the_others(
    six: EcgDataset, first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "_declared", {})
    action(same_length)
    before = Pipeline().load().update(V("n"), 1) if first else Pipeline().load()
    run = (six >> before.same_length(B("ids"))).run(3, on_error="skip", threads=0)
    assert [skipped.record for skipped in run.skipped] == ["A2"]


@pytest.mark.parametrize(
    ("mode", "held", "expected"),
    [
        ("a", 3, "V('v', mode='a') appends, but the variable holds a int. Declare it as a list, or use mode='w'."),
        ("e", {}, "V('v', mode='e') extends, but the variable holds a dict. Declare it as a list"),
        ("u", [], "V('v', mode='u') updates, but the variable holds a list. Declare it as a dict or a set"),
    ],
)
def test_a_variable_whose_type_does_not_go_with_the_mode_is_named(mode, held, expected):
    variables = Variables()
    variables.declare("v", held)
    with pytest.raises(InputError) as caught:
        variables.save(V("v", mode=mode), {})
    assert expected in str(caught.value)


def test_each_mode_changes_the_variable_in_its_way():
    variables = Variables()
    for place, value in ((V("l", mode="a"), 1), (V("l", mode="e"), [2, 3]), (V("d", mode="u"), {"k": 1}), (V("w"), 9)):
        variables.save(place, value)
    assert variables.state() == {"l": [1, 2, 3], "d": {"k": 1}, "w": 9}
