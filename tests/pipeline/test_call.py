"""``call`` does any function of the batch in a pipeline."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from cardioflow import B, C, EcgDataset, F, Pipeline, V, action
from cardioflow.errors import InputError, NotRunError, StepError
from cardioflow.registry import actions


@pytest.fixture
def dataset():
    return EcgDataset.simulated(6, fs=100, duration_s=3)


@pytest.fixture
def template():
    return Pipeline().load(fmt="simulated", components=["signal", "meta"])


def halved(batch, by=2):
    return batch.replace(signal=batch.signal.with_data(batch.signal.data / np.float32(by)))


def test_a_function_sees_every_batch_once_in_order_and_the_batch_goes_on(dataset, template):
    seen = []
    run = (dataset >> template.call(lambda batch: seen.append((batch.ids, threading.get_ident())))).batches(
        2, threads=3, n_epochs=2
    )
    passed = [batch.ids for batch in run]
    assert [ids for ids, _ in seen] == passed
    assert len(passed) == 6
    assert {thread for _, thread in seen} == {threading.get_ident()}


@pytest.mark.parametrize("pure", [False, True])
def test_a_batch_that_the_function_returns_goes_on(dataset, template, pure):
    for batch, plain in zip(
        (dataset >> template.call(halved, 4, pure=pure)).batches(3), (dataset >> template).batches(3), strict=True
    ):
        np.testing.assert_array_equal(batch.signal.data, plain.signal.data / 4)
        assert batch.history[-1] == "call"


def test_a_pure_call_runs_ahead_in_other_threads(dataset, template):
    threads = set()
    (dataset >> template.call(lambda batch: threads.add(threading.get_ident()), pure=True)).run(1, threads=2)
    assert threads
    assert threading.get_ident() not in threads


def test_a_result_is_saved_to_a_variable_or_a_component(dataset, template):
    saved = template.init_variable("n", []).call(len, save_to=V("n", mode="a"))
    run = (dataset >> saved).run(4)
    assert run.get_variable("n") == [4, 2]
    for pure in (False, True):
        named = template.call(lambda batch: np.arange(len(batch)), save_to=B("number"), pure=pure)
        assert [batch.number.tolist() for batch in (dataset >> named).batches(4)] == [[0, 1, 2, 3], [0, 1]]


def test_arguments_are_evaluated_for_the_whole_batch(dataset, template):
    seen = []
    pipeline = template.init_variable("k", 7).call(
        lambda batch, *args, **kwargs: seen.append((args, kwargs)), B("ids"), V("k"), 1, 2, F(len), n=B("fs")
    )
    (dataset >> pipeline).run(6)
    ((args, kwargs),) = seen
    assert args == (dataset.ids, 7, 1, 2, 6)
    assert kwargs["n"].tolist() == [100.0] * 6


def test_a_call_that_fails_is_done_once_and_a_pure_one_skips_the_record(dataset, template):
    calls = []

    def fussy(batch):
        calls.append(len(batch))
        if dataset.ids[1] in batch.ids:
            raise KeyError("one")

    with pytest.raises(StepError, match=r"KeyError: 'one'.*2, call\(fussy\)"):
        (dataset >> template.call(fussy)).run(3, on_error="skip")
    assert calls == [3]
    run = (dataset >> template.call(fussy, pure=True)).run(3, on_error="skip")
    assert [skipped.record for skipped in run.skipped] == [dataset.ids[1]]


def test_what_a_call_cannot_take_is_refused_when_it_is_written(dataset):
    with pytest.raises(InputError, match=r"call\(func='f'\) is not a function"):
        Pipeline().call("f")
    with pytest.raises(InputError, match=r"expected V\('name'\) or B\('name'\)"):
        Pipeline().call(len, save_to="n")
    with pytest.raises(InputError, match="Leave out pure, or save to B"):
        Pipeline().call(len, pure=True, save_to=V("n"))
    with pytest.raises(NotRunError, match="works in a run only"):
        dataset.next_batch(1).call(len)


def test_a_call_goes_to_json_and_back(template):
    pipeline = template.call(halved, by=3, pure=True)
    assert Pipeline.from_json(pipeline.to_json(), {f"{halved.__module__}.halved": halved}) == pipeline


def test_a_stateful_action_of_ones_own_runs_once_per_batch_in_order(dataset, template, monkeypatch):
    monkeypatch.setattr(actions, "_declared", {})
    seen = []

    @action(kind="stateful")
    def note(batch, what):
        seen.append((what, batch.ids, threading.get_ident()))
        if len(seen) == 3:
            raise KeyError("third")
        return batch

    with pytest.raises(StepError, match="KeyError: 'third'"):
        (dataset >> template.note("x")).run(2, on_error="skip", threads=2)
    assert [ids for _, ids, _ in seen] == [dataset.ids[:2], dataset.ids[2:4], dataset.ids[4:]]
    assert {(what, thread) for what, _, thread in seen} == {("x", threading.get_ident())}
    assert dataset.next_batch(1).note("y").history[-1] == "note"


def test_an_argument_that_an_action_refuses_when_it_is_made_names_the_step(twelve, loading):
    template = Pipeline(config={"fs": -5}) + loading.resample_signals(C("fs"))
    with pytest.raises(InputError, match=r"fs=-5.*\[step .*resample_signals\(C\('fs'\)\)\]"):
        (twelve >> template).batches(4)
