"""A step whose arguments change from batch to batch keeps what it holds, or refuses them when it is written."""

from __future__ import annotations

import pytest

from cardioflow import B, C, F, Pipeline, V
from cardioflow.errors import InputError


def test_a_model_named_by_a_variable_keeps_its_pending_records(twelve, loading, counting):
    template = (
        loading.import_model("m", counting)
        .init_variable("name", "m")
        .split_signals(100, 100)
        .unstack_signals()
        .rebatch(5)
        .predict_on_batch(V("name"))
    )
    run = (twelve >> template).run(batch_size=4)
    assert sorted(p.id for p in run.get_variable("prediction")) == list(twelve.ids)


def test_an_aggregate_from_a_variable_loses_no_record(twelve, loading, counting):
    template = (
        loading.import_model("m", counting)
        .init_variable("how", "max")
        .split_signals(100, 100)
        .unstack_signals()
        .rebatch(7)
        .predict_on_batch("m", aggregate=V("how"))
    )
    run = (twelve >> template).run(batch_size=5)
    fixed = (
        twelve
        >> Pipeline.from_json(loading.to_json())
        .import_model("m", counting)
        .split_signals(100, 100)
        .unstack_signals()
        .rebatch(7)
        .predict_on_batch("m", aggregate="max")
    ).run(batch_size=5)
    assert {p.id: p.value.tolist() for p in run.get_variable("prediction")} == {
        p.id: p.value.tolist() for p in fixed.get_variable("prediction")
    }


def test_two_steps_of_the_same_arguments_keep_apart_what_they_hold(twelve, loading, counting):
    template = (
        loading.import_model("m", counting)
        .split_signals(100, 100)
        .unstack_signals()
        .rebatch(3)
        .predict_on_batch("m", save_to=V("one"))
        .predict_on_batch("m", save_to=V("two"))
    )
    run = (twelve >> template).run(batch_size=4)
    assert [p.id for p in run.get_variable("one")] == [p.id for p in run.get_variable("two")] == list(twelve.ids)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda p: p.rebatch(V("n")), r"rebatch\(batch_size=V\(.*'n'.*Pass a value, or C\(…\)\."),
        (lambda p: p.rebatch(F(len)), r"rebatch\(batch_size=F\("),
        (lambda p: p.rebatch(B("ids")), r"rebatch\(batch_size=B\("),
        (lambda p: p.load(src=V("folder")), r"load\(src=V\("),
        (lambda p: p.init_model("m", {"path": F(str)}), r"init_model\(config=F\("),
        (lambda p: p.init_variable("v", B("ids")), r"init_variable\(default=B\("),
        (lambda p: p.load_model("m", F(str)), r"load_model\(path=F\("),
        (lambda p: p.save_model("m", B("ids")), r"save_model\(path=B\("),
    ],
)
def test_what_cannot_take_an_expression_refuses_it_when_it_is_written(write, message):
    with pytest.raises(InputError, match=message):
        write(Pipeline())


def test_a_setting_may_stand_where_a_variable_may_not(twelve):
    template = Pipeline(config={"n": 5}).load(fmt="simulated").rebatch(C("n"))
    assert [len(b) for b in (twelve >> template).batches(4)] == [5, 5, 2]
