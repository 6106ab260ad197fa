"""A step that changes something is never repeated to find out which record it could not take."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow import EcgBatch, F, V
from cardioflow.errors import BadRecordsError, InputError, StepError
from cardioflow.pipeline import error_policy


def test_a_metric_that_raises_makes_one_update_and_ends_the_run(twelve, loading, counting):
    def metric(batch):
        raise ZeroDivisionError("no positives")

    template = loading.import_model("m", counting).train_on_batch("m", metrics=metric)
    with pytest.raises(StepError, match=r"ZeroDivisionError: no positives \(in a batch of 4 records: sim00000, "):
        (twelve >> template).run(batch_size=4, on_error="skip")
    assert counting.updates == [("sim00000", "sim00001", "sim00002", "sim00003")]


def test_a_stateful_step_that_fails_names_ten_of_its_records_at_most(twelve, loading, counting):
    def metric(batch):
        raise OSError("gone")

    template = loading.import_model("m", counting).train_on_batch("m", metrics=metric)
    with pytest.raises(StepError, match=r"in a batch of 12 records: .*sim00009 and 2 more\) \[step 3, train_on_batch"):
        (twelve >> template).run(batch_size=12)


def test_a_record_that_the_model_refuses_is_left_out_of_the_only_update(twelve, loading, counting):
    refused = InputError("too loud", record="sim00002")

    def train(batch, metrics=None, **kwargs):
        if "sim00002" in batch.ids:
            raise refused
        counting.updates.append(batch.ids)
        return {"loss": 1.0}

    counting.train_on_batch = train
    template = loading.import_model("m", counting).train_on_batch("m")
    run = (twelve >> template).run(batch_size=4, on_error="skip")
    assert counting.updates[0] == ("sim00000", "sim00001", "sim00003")
    assert run.get_variable("m.train_loss") == [1.0, 1.0, 1.0]
    assert [(s.record, s.step, s.reason) for s in run.skipped] == [("sim00002", "3, train_on_batch('m')", refused)]


def test_an_error_that_names_a_record_of_another_batch_ends_the_run(twelve, loading, counting):
    def train(batch, metrics=None, **kwargs):
        raise BadRecordsError({"elsewhere": InputError("not here")})

    counting.train_on_batch = train
    with pytest.raises(InputError, match="not here"):
        (twelve >> loading.import_model("m", counting).train_on_batch("m")).run(batch_size=4, on_error="skip")


def test_a_pure_step_is_tried_on_each_record_alone(twelve, loading):
    tried = []

    def fails(batch: EcgBatch) -> EcgBatch:
        tried.append(batch.ids)
        if "sim00001" in batch.ids:
            raise ZeroDivisionError("odd one")
        return batch

    batch = (twelve >> loading).next_batch(3)
    done = error_policy.apply(fails, batch, step="2, fails()", on_error="skip", probes=True)
    assert done.ids == ("sim00000", "sim00002")
    assert tried == [batch.ids, ("sim00000",), ("sim00001",), ("sim00002",), ("sim00000", "sim00002")]
    assert [(s.record, s.step) for s in done.skipped] == [("sim00001", "2, fails()")]
    assert str(done.skipped[0].reason).startswith("ZeroDivisionError: odd one")


@pytest.mark.parametrize("pure", [False, True], ids=["in a stateful step", "in a pure step"])
def test_a_function_of_the_batch_that_raises_is_not_called_again(twelve, loading, pure):
    calls = []

    def fails(batch: EcgBatch) -> int:
        calls.append(batch.ids)
        raise ValueError("no")

    given = F(fails)
    template = loading.apply_transform(np.add, given) if pure else loading.init_variable("n").update(V("n"), given)
    with pytest.raises(StepError, match="ValueError: no"):
        (twelve >> template).run(batch_size=4, on_error="skip")
    assert len(calls) == 1


def test_an_error_keeps_the_run_with_what_was_trained(twelve, loading, counting):
    def fails(batch):
        if batch.ids[0] == "sim00008":
            raise ValueError("late")
        return len(batch)

    template = (
        loading.import_model("m", counting).train_on_batch("m").init_variable("n", []).update(V("n", "a"), F(fails))
    )
    with pytest.raises(StepError, match="late") as caught:
        (twelve >> template).run(batch_size=4)
    run = caught.value.run
    assert run.get_model("m") is counting
    assert len(counting.updates) == 3
    assert run.get_variable("n") == [4, 4]
    assert run.get_variable("m.train_loss") == [1.0, 2.0]


def test_after_an_error_the_run_says_so_and_does_not_look_ended(twelve, loading):
    def fails(signal):
        raise ValueError("broken")

    run = (twelve >> loading.apply_transform(fails)).batches(4)
    with pytest.raises(StepError, match="broken"):
        next(run)
    for ask in (lambda: next(run), run.next_batch, lambda: list(run)):
        with pytest.raises(RuntimeError, match=r"This run ended with an error: .*broken .*start another"):
            ask()


def test_skipped_rows_are_left_out_by_row_where_a_row_is_named(twelve, loading):
    def fails_on_the_second(batch: EcgBatch) -> EcgBatch:
        bad = [i for i in batch.ids if i.endswith("/1")]
        if bad:
            raise BadRecordsError({name: InputError("odd", record=name) for name in bad})
        return batch

    batch = (twelve >> loading.split_signals(100, 100).unstack_signals()).next_batch(2)
    done = error_policy.apply(fails_on_the_second, batch, step="s", on_error="skip", probes=True)
    assert done.ids == ("sim00000/0", "sim00000/2", "sim00000/3", "sim00001/0", "sim00001/2", "sim00001/3")
    assert [s.record for s in done.skipped] == ["sim00000", "sim00001"]
    assert np.array_equal(done.signal[1], batch.signal[2])


def test_a_record_that_goes_with_all_its_segments_is_listed_once(twelve, loading):
    batch = (twelve >> loading.split_signals(100, 100).unstack_signals()).next_batch(2)
    done = error_policy.leave_out(batch, {"sim00001": InputError("gone")}, "2, step")
    assert set(done.provenance.record_id) == {"sim00000"}
    assert [s.record for s in done.skipped] == ["sim00001"]
