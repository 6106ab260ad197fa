"""What nested pipelines, joins and steps before a run do at their edges."""

from __future__ import annotations

import pickle
import warnings
from importlib.metadata import version

import numpy as np
import pyarrow as pa
import pytest

from cardioflow import C, EcgBatch, EcgDataset, F, Pipeline, model
from cardioflow.batch import Annotation
from cardioflow.batch.ecg_batch import Skipped
from cardioflow.errors import InputError, StepError
from cardioflow.pipeline.caching import key
from cardioflow.pipeline.data.packing import listed, pack
from cardioflow.pipeline.data.published_parts import _order
from cardioflow.pipeline.steps._nested import bare
from cardioflow.pipeline.steps.write_predictions import _column

SIGNALS = [np.arange(8, dtype=np.float32)[None] + 10 * i for i in range(6)]


@pytest.fixture
def six() -> EcgDataset:
    return EcgDataset.from_arrays(SIGNALS, fs=4, leads=["I"], ids=list("abcdef"), targets=list("NANANA"))


def fail(signal):
    raise KeyError("broken")


def test_an_error_two_pipelines_deep_names_the_step_once(six) -> None:
    inner = Pipeline().apply_transform(fail)
    template = Pipeline().load().apply_pipeline(Pipeline().apply_pipeline(inner))
    with pytest.raises(StepError) as caught:
        (six >> template).run(batch_size=3)
    text = str(caught.value)
    assert text.count("(in the step apply_transform(fail))") == 1
    assert text.count("(in the step") == 1
    assert "KeyError: 'broken'" in text


def test_rows_that_a_nested_pipeline_drops_may_lack_what_it_adds(six) -> None:
    dropping = Pipeline().apply_transform(np.mean, dst="mean").drop_short_signals(100)
    template = Pipeline().load().apply_pipeline(dropping, p=0.5)
    batch = (six >> template).next_batch(6, seed=3)
    assert 0 < len(batch) < 6
    assert "mean" not in batch.columns
    for i, name in enumerate(batch.ids):
        assert batch.signal[i].tolist() == SIGNALS["abcdef".index(name)].tolist()


def test_a_part_that_loads_begins_with_nothing_loaded() -> None:
    full = EcgBatch.from_arrays(
        [x[None, 0] for x in SIGNALS[:2]],
        fs=4,
        targets=["A", "N"],
        annotations=[Annotation(), Annotation()],
        ids=["a", "b"],
    )
    full = full.with_component("mask", (1, 2)).standardize().replace(seed=5, epoch=3)
    full = full.replace(skipped=(Skipped("c", "1, load()", InputError("gone")),))
    left = bare(full, "join")
    assert [left.signal, left.annotation, left.meta, left.target, left.classes] == [None] * 5
    assert dict(left.columns) == {}
    assert (left.history, left.skipped) == ((), ())
    assert (left.ids, left.seed, left.epoch) == (full.ids, 5, 3)
    assert left.provenance.key.tolist() == full.provenance.key.tolist()


def test_segments_cannot_be_read_again_as_whole_records() -> None:
    rows = EcgBatch.from_arrays(list(SIGNALS[:2]), fs=4, ids=["a", "b"]).split_signals(4).unstack_signals()
    with pytest.raises(InputError, match=r"join\(\): its pipeline begins with load.*the rows are segments"):
        bare(rows, "join")


def scaled(signal, gain, fs):
    return signal * gain * fs


def first_rate(batch):
    return float(batch.fs[0])


def test_a_step_travels_with_the_settings_that_it_reads_and_no_others(six) -> None:
    template = Pipeline(config={"high": 1.5, "gain": 2}).load().low_pass_signals(C("high"))
    plan = (six >> template.apply_transform(scaled, C("gain"), F(first_rate))).batches(3)._plan
    low, scale = (pickle.loads(pickle.dumps(step)) for step in (plan.pure.steps[1], plan.ordered[0]))
    assert (dict(low.config), dict(scale.config)) == ({}, {"gain": 2})
    batch = six.next_batch(6).load()
    assert low.applied(batch).signal == batch.low_pass_signals(1.5).signal
    assert scale.applied(batch).signal.data.tolist() == (8 * batch.signal.data).tolist()


def test_steps_behind_an_emptied_batch_are_not_timed_because_they_are_not_done(six) -> None:
    template = Pipeline().load().drop_short_signals(100).standardize()
    prefix = (six >> template).batches(3)._plan.pure
    timed = prefix.timed(six.next_batch(3))
    assert [time.step for time in timed.times] == [step.where for step in prefix.steps[:2]]
    assert len(timed.batch) == 0
    assert [time.n_records for time in timed.times] == [3, 3]


def test_a_function_of_the_batch_leaves_comparing_to_others_that_know_it() -> None:
    class EqualsAll:
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None

    assert F(len) == F(len)
    assert F(len) != F(sum)
    assert (F(len) == 3) is False
    assert (F(len) == EqualsAll()) is True


def test_a_run_tells_how_many_records_it_left_out(six) -> None:
    def odd(signal):
        if signal[0, 0] in (10, 30):
            raise ValueError("odd")
        return signal

    template = Pipeline().load().apply_transform(odd)
    some = (six >> template).run(batch_size=3, on_error="skip")
    none = (six >> Pipeline().load()).run(batch_size=3, on_error="skip")
    assert ", 2 records skipped" in repr(some)
    assert "skipped" not in repr(none)


def test_packing_returns_what_it_left_out_and_says_so(six, tmp_path) -> None:
    good, bad = tmp_path / "good.npy", tmp_path / "bad.npy"
    np.save(good, SIGNALS[0])
    bad.write_bytes(b"not an array")
    dataset = EcgDataset([bad, good])
    read = Pipeline().load(fmt="npy", fs=4, components=["signal", "meta"]).steps[0]
    batches = iter([dataset.next_batch(2)])
    from cardioflow.pipeline.expressions import Scope

    skipped = pack(batches, read.make(Scope({})), tmp_path / "store", labels={}, on_error="skip", shard_mb=1)
    assert [own.record for own in skipped] == ["bad"]
    assert listed(skipped).startswith("1 record: ")
    assert EcgDataset(tmp_path / "store").ids == ("good",)


def test_published_parts_are_in_the_order_of_their_numbers_and_then_of_their_names() -> None:
    assert sorted(["b", "10", "9", "-1", "a", "2"], key=_order) == ["-1", "2", "9", "10", "a", "b"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("one", "two"), ["one", "two"]),
        (np.array(["N", ("A", "B")], object), None),
        (np.array([0.5, 1.5], np.float32), [0.5, 1.5]),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.array([[[1, 2]], [[3, 4]]]), [[1, 2], [3, 4]]),
        ([(1, 2), (3,)], [[1, 2], [3]]),
        (np.array([True, False]), [True, False]),
    ],
    ids=["texts", "mixed", "numbers", "rows", "arrays", "ragged", "truth values"],
)
def test_predictions_are_written_as_columns_of_their_values(values, expected) -> None:
    if expected is None:
        with pytest.raises(InputError, match=r"the component 'p' has no form as a column"):
            _column("p", values)
        return
    made = _column("p", values)
    assert isinstance(made, pa.Array)
    assert made.to_pylist() == expected


def test_a_model_that_was_built_and_never_trained_warns_once_when_it_is_asked(twelve, loading, counting) -> None:
    @model(mode="dynamic")
    def first_weights(batch, config=None):
        return counting

    def told(template) -> list[str]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            (twelve >> template).run(batch_size=4)
        return [str(w.message) for w in caught if "neither trained nor loaded" in str(w.message)]

    asked = loading.init_model("first_weights").predict_on_batch("first_weights")
    (text,) = told(asked)
    assert text.startswith("The model 'first_weights' was built in this run")
    assert (
        told(loading.init_model("first_weights").train_on_batch("first_weights").predict_on_batch("first_weights"))
        == []
    )
    assert told(loading.import_model("m", counting).predict_on_batch("m")) == []


def test_a_step_after_a_run_that_saves_no_model_is_not_taken_for_one(six) -> None:
    seen: list[str] = []
    (six >> Pipeline().load().after(Pipeline().call(seen.append, "done"))).run(batch_size=3)
    assert seen == ["done"]


def test_the_key_of_a_cache_names_the_release_and_the_code_of_the_package() -> None:
    text = key._package()
    release, digest = text.split(" ")
    assert release == version("cardioflow")
    assert len(digest) == 32
    assert int(digest, 16) > 0
