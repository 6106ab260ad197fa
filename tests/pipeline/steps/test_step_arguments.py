"""What a step is given is checked when it is written, or names the step when it can be known only later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cardioflow import B, C, EcgDataset, F, Pipeline, V
from cardioflow.errors import ConfigError, InputError, ModelError, NotRunError, UnknownNameError
from cardioflow.pipeline.variables import Variables

P = Pipeline().load()


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda: P.rebatch(2.5), r"rebatch\(batch_size=2\.5\): expected a whole number of 1 or more"),
        (lambda: P.rebatch("3"), r"rebatch\(batch_size='3'\)"),
        (lambda: P.rebatch(True), r"rebatch\(batch_size=True\)"),
        (lambda: P.rebatch(-1), r"rebatch\(batch_size=-1\)"),
        (lambda: P.cache(max_mb="1"), r"cache\(max_mb='1'\) is not above 0"),
        (lambda: P.cache(max_mb=float("nan")), r"cache\(max_mb=nan\) is not above 0"),
        (lambda: P.cache(max_mb=-1), r"cache\(max_mb=-1\) is not above 0"),
        (lambda: P.cache(3), r"cache\(3\) is not a folder"),
        (
            lambda: P.apply_pipeline(Pipeline().flip_signals(), p="x"),
            r"apply_pipeline\(p='x'\): expected a probability",
        ),
        (lambda: P.apply_pipeline(Pipeline().flip_signals(), p=float("nan")), r"p=nan\): expected a probability"),
        (lambda: P.apply_pipeline(Pipeline().flip_signals(), p=True), r"p=True\): expected a probability"),
        (lambda: P.apply_pipeline(Pipeline().flip_signals(), n_times=True), r"n_times=True\): expected a whole number"),
        (lambda: P.apply_pipeline(Pipeline().flip_signals(), n_times=0), r"n_times=0\): expected a whole number"),
        (lambda: P.update("n", 1), r"update\('n', …\): expected the variable to write to, as V\('name'\)"),
        (lambda: P.call("print"), r"call\(func='print'\) is not a function"),
        (lambda: P.call(print, save_to="x"), r"call\(save_to='x'\): expected V\('name'\) or B\('name'\)"),
        (lambda: P.call(print, save_to=B()), r"call\(save_to=B\(\)\): expected V\('name'\) or B\('name'\)"),
        (lambda: P.call(print, pure=True, save_to=V("x")), r"a variable changes from batch to batch"),
        (lambda: P.train_on_batch("m", save_to="loss"), r"save_to='loss': the loss is written to a variable"),
        (lambda: P.save_model("m", 3), r"save_model\(path=3\) is not a path"),
        (lambda: P.save_model("m", "x", every="batch"), r"save_model\(every='batch'\): expected 'run' or 'epoch'"),
        (lambda: P.load(components=["target", "signal"]), r"targets come from a table and the others from files"),
        (lambda: P.load(components="signals"), r"there is no such component\. Did you mean 'signal'"),
        (lambda: P.load(components=[]), r"nothing to load"),
        (lambda: P.load(fmt="edf", components="target"), r"targets are read from 'csv' or a table"),
        (P.join, r"join\(\) got no pipeline"),
        (lambda: P.join(P, P, components="signal"), r"names what to take from one pipeline, and got 2"),
        (lambda: P.join(P, kind="events!"), r"join\(kind='events!'\): expected 'static', 'time series' or 'events'"),
        (P.merge_pipelines, r"merge\(\) got no pipeline"),
        (lambda: P.apply_pipeline(3), r"apply_pipeline\(\) takes pipelines, and 3 is a int"),
        (lambda: P.apply_pipeline(Pipeline().rebatch(2)), r"step 1 of its pipeline, rebatch\(2\), depends on the run"),
        (lambda: P.apply_pipeline(Pipeline().cache()), r"cache\(\), keeps what all steps before it make"),
        (lambda: P.before(Pipeline().load()), r"needs batches, and there is none before the run.*init_variable"),
        (lambda: P.after(Pipeline().init_variable("n")), r"needs batches, and there is none after the run.*save_model"),
    ],
)
def test_an_argument_that_cannot_be_is_refused_when_the_step_is_written(write: Any, said: str) -> None:
    with pytest.raises((InputError, ConfigError), match=said):
        write()


def test_a_numpy_integer_is_a_number_of_rows(counted: EcgDataset) -> None:
    assert [len(batch) for batch in (counted >> P.rebatch(np.int64(2))).batches(3)] == [2, 2, 1]  # type: ignore[arg-type]
    sized = Pipeline(config={"n": 4}).load().rebatch(C("n"))  # type: ignore[arg-type]
    assert [len(batch) for batch in (counted >> sized).batches(3)] == [4, 1]


@pytest.mark.parametrize(
    "step",
    [
        lambda batch: batch.rebatch(2),
        lambda batch: batch.update(V("n"), 1),
        lambda batch: batch.train_on_batch("m"),
        lambda batch: batch.predict_on_batch("m"),
        lambda batch: batch.init_variable("n"),
    ],
)
def test_a_step_of_a_run_says_so_on_a_batch_alone(counted: EcgDataset, step: Any) -> None:
    with pytest.raises(
        NotRunError, match=r"\(\) works in a run only\. Write it in a pipeline: dataset >> Pipeline\(\)"
    ):
        step(counted.next_batch(2).load())


# -- variables -----------------------------------------------------------------------------


def test_every_run_begins_with_its_own_copy_of_a_default(counted: EcgDataset) -> None:
    shared: list[int] = []
    made: list[int] = []
    template = (
        Pipeline()
        .init_variable("held", shared)
        .init_variable("made", init=lambda: made.append(1) or {"n": 0})  # type: ignore[func-returns-value]
        .load()
        .update(V("held", mode="a"), F(len))
        .update(V("made", mode="u"), F(lambda batch: {batch.ids[0]: len(batch)}))
    )
    bound = counted >> template
    one, two = (bound.run(2, progress=False) for _ in range(2))
    assert one.get_variable("held") == two.get_variable("held") == [2, 2, 1]
    assert shared == []
    assert one.get_variable("made") == {"n": 0, "r0": 2, "r2": 2, "r4": 1}
    assert made == [1, 1]


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [("w", 1, 1), ("a", 1, [1, 1]), ("e", (1, 2), [1, 2, 1, 2]), ("u", {"a": 1}, {"a": 1})],
)
def test_a_variable_that_was_not_declared_begins_as_its_mode_needs(mode: Any, value: Any, expected: Any) -> None:
    held = Variables()
    for _ in range(2):
        held.save(V("x", mode=mode), value)
    assert held.get("x") == expected
    assert list(held) == ["x"]
    assert "x" in held
    again = Variables()
    again.declare("y", 0)
    again.restore(held.state())
    assert list(again) == ["x"]
    with pytest.raises(
        UnknownNameError, match=r"The run has no variable 'xx'\. Did you mean 'x'\?.*init_variable\('xx'"
    ):
        held.get("xx")


def test_updating_a_set_adds_and_a_number_is_refused() -> None:
    held = Variables()
    held.declare("seen", {"a"})
    held.save(V("seen", mode="u"), {"b"})
    assert held.get("seen") == {"a", "b"}
    held.declare("n", 3)
    with pytest.raises(
        InputError, match=r"V\('n', mode='a'\) appends, but the variable holds a int\. Declare it as a list"
    ):
        held.save(V("n", mode="a"), 1)


# -- training steps -------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "said"), [(0.5, "float"), (None, "NoneType"), ((0.5,), "tuple")])
def test_a_model_that_returns_no_mapping_is_named_with_what_it_returned(counted, answering, value, said) -> None:
    template = P.import_model("m", answering(lambda batch: value)).train_on_batch("m")
    with pytest.raises(ModelError, match=rf"The model 'm' returned {said} from train_on_batch, where a dictionary"):
        (counted >> template).run(2, progress=False)


def test_losses_go_to_variables_by_model_stage_and_name(counted, answering) -> None:
    one = answering(lambda batch: {"loss": float(len(batch)), "f1": 0.25})
    two = answering(lambda batch: {"loss": np.float32(int(batch.ids[0][1:]))})
    template = P.import_model("a", one).import_model("b", two).train_on_batch("a", save_to=V("now")).test_on_batch("b")
    run = (counted >> template).run(2, progress=False)
    assert run.get_variable("a.train_loss") == [2.0, 2.0, 1.0]
    assert run.get_variable("a.train_f1") == [0.25] * 3
    assert run.get_variable("b.val_loss") == [0.0, 2.0, 4.0]
    assert run.get_variable("now") == 1.0
    # The figures of an epoch are means over its batches, whatever kind of number the model returns.
    (epoch,) = run.report().epochs
    assert epoch.figures == {"a.train_loss": pytest.approx(5 / 3), "a.train_f1": 0.25, "b.val_loss": 2.0}


def test_a_loss_that_is_to_be_saved_has_to_be_there(counted, answering) -> None:
    template = P.import_model("m", answering(lambda batch: {})).train_on_batch("m", save_to=V("now"))
    with pytest.raises(ConfigError, match=r"learns at the end of an epoch or run, so a batch has no loss for save_to"):
        (counted >> template).run(2, progress=False)


def test_what_is_imported_is_a_model_or_a_run(counted, answering) -> None:
    with pytest.raises(InputError, match=r"import_model\('m'\) was given a str\. Pass a run, or a model"):
        (counted >> P.import_model("m", "other")).run(2, progress=False)
    run = (counted >> P.import_model("m", answering(lambda batch: {"loss": 1.0})).train_on_batch("m")).run(5)
    again = (counted >> P.import_model("m", run).test_on_batch("m")).run(5, progress=False)
    assert again.get_model("m") is run.get_model("m")


# -- once before and after -------------------------------------------------------------------


def test_what_is_done_once_is_done_in_order_with_the_values_of_that_moment(counted: EcgDataset) -> None:
    seen: list[Any] = []
    before = Pipeline().init_variable("n", 5).update(V("n"), 7).call(seen.append, V("n"))
    after = Pipeline().call(sum, V("sizes"), save_to=V("total")).call(seen.append, V("total"))
    template = Pipeline().before(before).load().update(V("sizes", mode="a"), F(len)).after(after)
    run = (counted >> template).run(2, n_epochs=2, progress=False)
    assert seen == [7, 10]
    assert run.get_variable("total") == 10


def test_an_error_of_a_step_that_is_done_once_names_it(counted: EcgDataset) -> None:
    with pytest.raises(UnknownNameError, match=r"The run has no variable 'gone'.*before: 1, call"):
        (counted >> Pipeline().before(Pipeline().call(print, V("gone"))).load()).run(2, progress=False)
    with pytest.raises(NotRunError, match=r"there is no batch after the run\. Use V\('name'\).*after: 1, call"):
        (counted >> P.after(Pipeline().call(lambda: 1, save_to=B("x")))).run(2, progress=False)


def test_a_path_to_save_to_after_the_run_is_checked_before_it(counted, answering, tmp_path: Path) -> None:
    seen: list[int] = []
    (tmp_path / "file").touch()
    template = P.import_model("m", answering(lambda batch: {"loss": 1.0})).call(lambda batch: seen.append(1))
    with pytest.raises(InputError, match=r"save_model\(\) cannot write"):
        (counted >> template.after(Pipeline().save_model("m", tmp_path / "file" / "x"))).run(2, progress=False)
    assert seen == []
