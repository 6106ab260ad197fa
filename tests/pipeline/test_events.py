"""A run tells callbacks when it, an epoch or a batch begins or ends."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cardioflow import F, V
from cardioflow.errors import ConfigError, InputError, StepError
from cardioflow.pipeline.callbacks.base import Callback


class Recorder(Callback):
    def __init__(self, stops_after=None):
        self.heard = []
        self.stops_after = stops_after
        self.logs = []

    def run_start(self, context):
        self.heard.append("run_start")

    def epoch_start(self, context, epoch):
        self.heard.append(f"epoch_start {epoch}")

    def batch_end(self, context, logs):
        self.heard.append(f"batch_end {logs.number} of epoch {logs.epoch}, {logs.n_drawn} drawn")
        self.logs.append(logs)
        if logs.number == self.stops_after:
            context.stop()

    def epoch_end(self, context, epoch):
        self.heard.append(f"epoch_end {epoch}")

    def run_end(self, context):
        self.heard.append("run_end")

    def close(self):
        self.heard.append("close")


def test_events_come_in_order(twelve, loading):
    heard = Recorder()
    (twelve >> loading).run(batch_size=8, n_epochs=2, callbacks=[heard])
    assert heard.heard == [
        "run_start",
        "epoch_start 0",
        "batch_end 0 of epoch 0, 8 drawn",
        "batch_end 1 of epoch 0, 4 drawn",
        "epoch_end 0",
        "epoch_start 1",
        "batch_end 2 of epoch 1, 8 drawn",
        "batch_end 3 of epoch 1, 4 drawn",
        "epoch_end 1",
        "run_end",
        "close",
    ]


def test_logs_hold_what_the_batch_did(twelve, loading, counting):
    heard = Recorder()
    template = loading.import_model("m", counting).train_on_batch("m").test_on_batch("m")
    (twelve >> template).run(batch_size=6, callbacks=[heard])
    assert [[(m.model, m.stage, dict(m.values)) for m in logs.measurements] for logs in heard.logs] == [
        [("m", "train", {"loss": 1.0}), ("m", "val", {"loss": 0.0})],
        [("m", "train", {"loss": 2.0}), ("m", "val", {"loss": 0.0})],
    ]


def test_logs_list_the_records_that_their_batch_skipped(twelve, loading):
    heard = Recorder()

    def fails(signal, name):
        if name in ("sim00001", "sim00007"):
            raise ValueError(name)
        return signal

    from cardioflow import B

    (twelve >> loading.apply_transform(fails, B("ids"))).run(batch_size=6, on_error="skip", callbacks=[heard])
    assert [[s.record for s in logs.skipped] for logs in heard.logs] == [["sim00001"], ["sim00007"]]


def test_what_rebatch_held_back_is_trained_before_the_epoch_ends(twelve, loading, counting):
    heard = Recorder()
    template = loading.import_model("m", counting).rebatch(5).train_on_batch("m")
    (twelve >> template).run(batch_size=4, n_epochs=2, callbacks=[heard])
    assert [len(u) for u in counting.updates] == [5, 5, 2, 5, 5, 2]
    assert [[m.values["loss"] for m in logs.measurements] for logs in heard.logs] == [[], [1], [2, 3], [], [4], [5, 6]]


def test_a_callback_can_stop_the_run(twelve, loading, counting):
    heard = Recorder(stops_after=1)
    template = loading.import_model("m", counting).train_on_batch("m")
    run = (twelve >> template).run(batch_size=4, n_epochs=None, callbacks=[heard])
    assert len(counting.updates) == 2
    assert heard.heard[-3:] == ["batch_end 1 of epoch 0, 4 drawn", "run_end", "close"]
    assert run.get_variable("m.train_loss") == [1.0, 2.0]


def test_close_follows_an_error_and_run_end_does_not(twelve, loading):
    heard = Recorder()

    def fails(signal):
        raise ValueError("no")

    with pytest.raises(StepError):
        (twelve >> loading.apply_transform(fails)).run(batch_size=4, callbacks=[heard])
    assert heard.heard == ["run_start", "close"]


def test_close_follows_a_loop_that_is_left_early(twelve, loading):
    heard = Recorder()
    with (twelve >> loading).batches(4, callbacks=[heard]) as run:
        for _ in run:
            break
    assert heard.heard[-1] == "close"
    assert "run_end" not in heard.heard


def test_each_callback_keeps_its_own_state(twelve, loading):
    class Counts(Callback):
        def batch_end(self, context, logs):
            context.state["n"] = context.state.get("n", 0) + 1
            context.variables.append("seen", context.state["n"])

    run = (twelve >> loading).run(batch_size=6, callbacks=[Counts(), Counts()])
    assert run.get_variable("seen") == [1, 1, 2, 2]


def test_something_else_than_a_callback_is_refused(twelve, loading):
    with pytest.raises(ConfigError, match=r"run\(callbacks=…\) holds a str\. Expected objects of a subclass"):
        (twelve >> loading).run(batch_size=4, callbacks=["progress"])


def test_save_model_every_epoch_saves_after_the_last_update_of_each(twelve, loading, counting, tmp_path):
    template = loading.import_model("m", counting).train_on_batch("m").save_model("m", tmp_path / "m", every="epoch")
    (twelve >> template).run(batch_size=6, n_epochs=3)
    assert [n for _, n in counting.saved] == [2, 4, 6]
    assert counting.epochs == [0, 1, 2]


def test_save_model_saves_once_at_the_end_of_a_run(twelve, loading, counting, tmp_path):
    template = loading.import_model("m", counting).train_on_batch("m").save_model("m", tmp_path / "m")
    (twelve >> template).run(batch_size=6, n_epochs=3)
    assert [n for _, n in counting.saved] == [6]


def test_save_model_before_the_training_step_saves_what_it_trained(twelve, loading, counting, tmp_path):
    template = loading.import_model("m", counting).save_model("m", tmp_path / "m", every="epoch").train_on_batch("m")
    (twelve >> template).run(batch_size=6, n_epochs=2)
    assert [n for _, n in counting.saved] == [2, 4]


def test_save_model_takes_the_variables_value_when_it_saves(twelve, loading, counting, tmp_path):
    template = (
        loading.import_model("m", counting)
        .init_variable("path", None)
        .update(V("path"), F(lambda batch: str(tmp_path / f"epoch{batch.epoch}")))
        .train_on_batch("m")
        .save_model("m", V("path"), every="epoch")
    )
    (twelve >> template).run(batch_size=6, n_epochs=2)
    assert counting.saved == [(str(tmp_path / "epoch0"), 2), (str(tmp_path / "epoch1"), 4)]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("missing/m", "there is no folder"), ("folder", "it is a folder"), ("file/m", "there is no folder")],
)
def test_a_path_that_is_not_writable_is_reported_before_the_first_record(twelve, training, tmp_path, name, reason):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match=reason) as caught:
        (twelve >> training.save_model("m", tmp_path / name)).run(batch_size=6)
    assert caught.value.run.get_model("m").updates == []


def test_save_model_refuses_a_function_by_name_when_it_is_written(loading):
    with pytest.raises(InputError, match=r"save_model\(path=F\(.*changes during a run.*Pass a value, or C\(…\) or V\("):
        loading.save_model("m", F(len))


def test_a_file_or_folder_without_permission_is_refused_before_the_first_record(
    twelve, training, tmp_path, monkeypatch
):
    # The user that tests run as may be allowed to write anywhere.
    for locked in (tmp_path / "m", tmp_path):
        (tmp_path / "m").write_text("earlier")
        monkeypatch.setattr(os, "access", lambda path, mode, locked=locked: Path(path) != locked)
        with pytest.raises(InputError, match="you may not write there") as caught:
            (twelve >> training.save_model("m", tmp_path / "m")).run(batch_size=6)
        assert caught.value.run.get_model("m").updates == []
    (tmp_path / "m").unlink()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path / "m")
    assert (twelve >> training.save_model("m", tmp_path / "m")).run(batch_size=6).get_model("m").saved
