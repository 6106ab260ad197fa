"""A run that was killed and goes on ends as one that was never stopped."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from cardioflow import EcgDataset, Pipeline, V, callbacks
from cardioflow.errors import ConfigError

BATCHES = 24


@pytest.mark.parametrize("kill", [0, 1, 2, 7, 8, 15, 22, 23])
def test_a_run_killed_after_any_batch_goes_on_to_the_same_numbers(train, assert_same, tmp_path, kill) -> None:
    train(tmp_path / "c", kill=kill)
    assert_same(train(tmp_path / "c"), train())


def test_a_run_killed_again_and_again_goes_on_with_other_numbers_of_threads(train, assert_same, tmp_path) -> None:
    for kill, threads in ((3, 0), (9, 2), (10, 1), (19, 3)):
        train(tmp_path / "c", kill=kill, threads=threads)
    assert_same(train(tmp_path / "c", threads=1), train())


@pytest.mark.parametrize("every", ["epoch", 1, 5, "0.000001s", timedelta(microseconds=1), "1h"])
def test_every_says_when_a_run_is_saved(train, assert_same, tmp_path, every) -> None:
    seen: list[int] = []

    class Begins(callbacks.Callback):
        def batch_end(self, context: Any, logs: Any) -> None:
            seen.append(logs.number)

    train(tmp_path / "c", kill=12, every=every, callbacks=(Begins(),))
    seen.clear()
    assert_same(train(tmp_path / "c", every=every, callbacks=(Begins(),)), train())
    first = {"epoch": 8, 1: 12, 5: 10, "0.000001s": 12, timedelta(microseconds=1): 12, "1h": 0}[every]
    assert seen == list(range(first, BATCHES))


@pytest.mark.parametrize("every", ["batch", 0, -1, True, 2.5, "10 apples", "0min", timedelta(0), None])
def test_an_interval_that_is_none_is_refused(train, tmp_path, every) -> None:
    with pytest.raises(ConfigError, match=r"run\(every=.*\): expected 'epoch', a number of batches, a time such as"):
        train(tmp_path / "c", every=every)


def test_what_steps_hold_back_goes_on_too(train, assert_same, prepared, momentum_model, tmp_path) -> None:
    # Batches of 4 become 7, whose rest waits; segments of a record are spread over batches, and wait for each other.
    template = prepared.random_gaussian_noise(0.1).split_signals(20, 20).unstack_signals().rebatch(7)
    template = template.import_model("other", momentum_model(20)).predict_on_batch("other", save_to=V("p"))

    def go(*args: Any, **options: Any) -> Any:
        return train(*args, template=template, model=momentum_model(20), **options)

    for kill in (2, 6, 13):
        go(tmp_path / "c", kill=kill)
    resumed, whole = go(tmp_path / "c"), go()
    assert_same(resumed, whole)
    assert len(resumed.get_variable("p")) == 90


def test_variables_of_all_kinds_go_on(train, assert_same, prepared, tmp_path) -> None:
    template = (
        prepared.init_variable("ids", [])
        .init_variable("last")
        .init_variable("seen", set())
        .init_variable("nested", {"a": [(1, 2.5), {"b": None}], 3: b"x"})
        .call(lambda batch: batch.ids, save_to=V("ids", "a"))
        .call(lambda batch: batch, save_to=V("last"))
        .call(lambda batch: {batch.ids[0]}, save_to=V("seen", "u"))
    )
    train(tmp_path / "c", kill=9, template=template)
    resumed, whole = train(tmp_path / "c", template=template), train(template=template)
    last, expected = (run.variables.state().pop("last") for run in (resumed, whole))
    for run in (resumed, whole):
        run.variables.save(V("last"), None)
    assert_same(resumed, whole)
    assert (last.ids, last.classes, last.history) == (expected.ids, expected.classes, expected.history)
    assert np.array_equal(last.signal.data, expected.signal.data)


def test_skipped_records_and_empty_batches_are_listed_once(
    train, assert_same, prepared, make_records, tmp_path
) -> None:
    def refuse(signal: Any) -> Any:
        if abs(float(signal[0, 0])) > 1.5:
            raise ValueError("too large")
        return signal

    template = prepared.apply_transform(refuse)
    data = make_records().subset([str(i) for i in range(30)])
    for kill in (5, 14):
        train(tmp_path / "c", kill=kill, template=template, data=data, on_error="skip")
    resumed = train(tmp_path / "c", template=template, data=data, on_error="skip")
    whole = train(template=template, data=data, on_error="skip")
    assert whole.skipped
    assert_same(resumed, whole)


def test_callbacks_go_on_with_what_they_knew(train, assert_same, make_records, momentum_model, tmp_path) -> None:
    valid = make_records(17, 2) >> Pipeline().load().load(components="target").binarize_labels()

    def own(folder: str) -> tuple[Any, ...]:
        (tmp_path / folder).mkdir(exist_ok=True)
        return (
            callbacks.LearningRate.one_cycle(0.3),
            callbacks.WeightAverage(0.5),
            callbacks.Evaluate(valid, "roc_auc"),
            callbacks.EarlyStopping("eval_loss", patience=20),
            callbacks.BestModel(tmp_path / folder / "best", "eval_loss"),
            callbacks.CsvLog(tmp_path / folder / "log.csv"),
        )

    for kill in (3, 8, 16, 20, 30, 41):
        train(tmp_path / "c", kill=kill, callbacks=own("parts"), every=3, n_epochs=8)
    parts, whole = own("parts"), own("whole")
    resumed = train(tmp_path / "c", callbacks=parts, every=3, n_epochs=8)
    assert_same(resumed, train(callbacks=whole, n_epochs=8))
    assert (tmp_path / "parts/log.csv").read_text() == (tmp_path / "whole/log.csv").read_text()
    assert (parts[3].best, parts[3].best_epoch) == (whole[3].best, whole[3].best_epoch)
    best = [momentum_model().load(tmp_path / folder / "best") for folder in ("parts", "whole")]
    assert np.array_equal(best[0].model["w"], best[1].model["w"])


def test_a_run_that_ended_is_not_run_again_and_has_all_that_it_had(train, assert_same, tmp_path, caplog) -> None:
    stopping = callbacks.EarlyStopping("train_loss", patience=5)
    first = train(tmp_path / "c", callbacks=(stopping,))
    seen: list[int] = []

    class Seen(callbacks.Callback):
        def batch_end(self, context: Any, logs: Any) -> None:
            seen.append(logs.number)

    again = callbacks.EarlyStopping("train_loss", patience=5)
    second = train(tmp_path / "c", callbacks=(again,))
    assert_same(first, second)
    assert again.best == stopping.best is not None
    assert "is complete. Pass another folder to run again." in caplog.text
    # The callback belongs to that run only: in another one it begins anew.
    train(callbacks=(again,), n_epochs=1)
    assert again.best_epoch == 0


def test_a_run_that_was_stopped_by_a_callback_has_ended(train, assert_same, tmp_path) -> None:
    class Stops(callbacks.Callback):
        def batch_end(self, context: Any, logs: Any) -> None:
            if logs.number == 10:
                context.stop()

    train(tmp_path / "c", kill=5, callbacks=(Stops(),))
    resumed = train(tmp_path / "c", callbacks=(Stops(),))
    assert_same(resumed, train(callbacks=(Stops(),)))
    assert len(resumed.get_model("m").hist["train_loss"]) == 11
    assert_same(train(tmp_path / "c", callbacks=(Stops(),)), resumed)


def test_loops_over_batches_go_on_where_they_were_left(make_records, prepared, tmp_path) -> None:
    def loop(n: int | None = None) -> list[tuple[str, ...]]:
        bound = make_records() >> prepared
        run = bound.batches(4, shuffle=True, threads=0, checkpoint=tmp_path / "c", every=1)
        seen: list[tuple[str, ...]] = []
        with run:
            for _ in range(2):
                for batch in run:
                    seen.append(batch.ids)
                    if len(seen) == n:
                        return seen
        return seen

    whole = []
    run = (make_records() >> prepared).batches(4, shuffle=True, threads=0)
    for _ in range(2):
        whole += [batch.ids for batch in run]
    parts = loop(5)
    # The batch that was at hand when the loop was left is given again.
    parts = parts[:-1] + loop(8)
    parts = parts[:-1] + loop()
    assert parts == whole
    assert loop() == []


def test_global_random_numbers_of_functions_go_on(train, assert_same, prepared, tmp_path) -> None:
    def draw(batch: Any) -> float:
        return float(np.random.random())  # noqa: NPY002

    template = prepared.init_variable("draws", []).call(draw, save_to=V("draws", "a"))
    np.random.seed(4)  # noqa: NPY002
    train(tmp_path / "c", kill=9, template=template)
    np.random.seed(77)  # noqa: NPY002
    resumed = train(tmp_path / "c", template=template)
    np.random.seed(4)  # noqa: NPY002
    assert_same(resumed, train(template=template))


def test_a_model_that_the_run_builds_is_built_as_at_first(make_records, prepared, momentum_model, tmp_path) -> None:
    from cardioflow import model

    sizes: list[int] = []

    @model(mode="dynamic")
    def built_from_first(batch: Any) -> Any:
        sizes.append(len(batch))
        return momentum_model(batch.signal[0].size)

    def run(kill: int | None, folder: Any = None) -> Any:
        template = prepared.train_on_batch("built_from_first")

        class Stop(callbacks.Callback):
            def batch_end(self, context: Any, logs: Any) -> None:
                if logs.number == kill:
                    raise RuntimeError("killed")

        options = {} if folder is None else {"checkpoint": folder, "every": 1}
        bound = make_records() >> template
        return bound.run(8, n_epochs=2, threads=0, progress=False, callbacks=(Stop(),), **options)

    # The last batch of the first epoch has six records.
    with pytest.raises(RuntimeError):
        run(3, tmp_path / "c")
    resumed, whole = run(None, tmp_path / "c"), run(None)
    assert sizes == [8, 8, 8]
    a, b = (r.get_model("built_from_first") for r in (resumed, whole))
    assert np.array_equal(a.model["w"], b.model["w"])
    assert a.hist == b.hist


def test_an_endless_run_goes_on(make_records, prepared, tmp_path) -> None:
    bound = make_records() >> Pipeline().load()
    expected = bound.batches(4, n_epochs=None, shuffle=True, threads=0)
    first = bound.batches(4, n_epochs=None, shuffle=True, threads=0, checkpoint=tmp_path / "c", every=1)
    seen = [first.next_batch().ids for _ in range(11)]
    first.close()
    second = bound.batches(4, n_epochs=None, shuffle=True, threads=0, checkpoint=tmp_path / "c", every=1)
    seen = seen[:-1] + [second.next_batch().ids for _ in range(10)]
    second.close()
    assert seen == [expected.next_batch().ids for _ in range(20)]
    expected.close()


def test_simulated_and_stored_records_go_on(train, assert_same, prepared, tmp_path) -> None:
    data = EcgDataset.simulated(12, rhythms=("SR", "AF"), fs=20, duration_s=4)
    stored = data.pack(tmp_path / "store", components=["signal", "meta"])
    template = prepared.random_crop_signals(40)
    for source, name in ((data, "a"), (stored, "b")):
        train(tmp_path / name, kill=4, data=source, template=template)
        assert_same(train(tmp_path / name, data=source, template=template), train(data=source, template=template))
