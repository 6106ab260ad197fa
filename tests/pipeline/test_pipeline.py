"""A pipeline is a lazy, immutable list of steps, a template until it meets a data set."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from cardioflow import B, C, EcgBatch, EcgDataset, F, Pipeline, V
from cardioflow.errors import (
    ConfigError,
    EndOfDataError,
    InputError,
    NotRunError,
    StepError,
    UnknownActionError,
    UnknownNameError,
)


@pytest.fixture(scope="module")
def records(cinc: Path) -> EcgDataset:
    return EcgDataset(cinc / "A00*.hea")


def _load() -> Pipeline:
    return Pipeline().load(fmt="wfdb", components=["signal", "meta"])


def _number_of_records(batch: EcgBatch) -> int:
    return len(batch)


def _boom(signal: np.ndarray) -> np.ndarray:
    if signal.shape[1] < 5000:
        raise ZeroDivisionError("too short for me")
    return signal * 2


def test_a_step_makes_a_new_pipeline_and_leaves_the_old_one_alone() -> None:
    first = _load()
    second = first.standardize()
    assert (len(first), len(second)) == (1, 2)


def test_it_prints_its_steps_and_that_it_was_not_run() -> None:
    template = _load().resample_signals(250).run(batch_size=8, shuffle=True)
    assert str(template) == (
        "Pipeline (not run: no dataset)\n"
        "  1. load(fmt='wfdb', components=['signal', 'meta'])\n"
        "  2. resample_signals(250)\n"
        "  run(batch_size=8, shuffle=True)"
    )


def test_pipelines_of_the_same_steps_are_equal() -> None:
    assert _load().standardize() == _load().standardize()
    assert _load().standardize() != _load()
    assert _load().drop_labels(["~"]) != _load().drop_labels(["A"])


def test_plus_joins_steps_settings_and_run_arguments() -> None:
    joined = Pipeline(config={"fs": 250}).resample_signals(C("fs")) + Pipeline().standardize().run(batch_size=2)
    assert [s.name for s in joined.steps] == ["resample_signals", "standardize"]
    assert joined.run_arguments == {"batch_size": 2}


def test_joining_pipelines_that_disagree_on_a_setting_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"Both pipelines set 'fs', to 250 and to 300\. Drop one of them\."):
        Pipeline(config={"fs": 250}) + Pipeline(config={"fs": 300})


def test_it_is_picklable(records: EcgDataset) -> None:
    bound = records >> _load()
    assert pickle.loads(pickle.dumps(bound)).steps == bound.steps


def test_an_unknown_action_answers_with_the_nearest() -> None:
    with pytest.raises(
        UnknownActionError, match=r"There is no action 'resample_signal'\. Did you mean 'resample_signals'"
    ):
        Pipeline().resample_signal(250)
    assert not hasattr(Pipeline(), "do_some_preprocess")


def test_a_wrong_argument_fails_when_it_is_written() -> None:
    with pytest.raises(InputError, match=r"drop_short_signals\(\) takes no 'min_len'\. Did you mean 'min_length'\?"):
        Pipeline().drop_short_signals(min_len=3)
    with pytest.raises(InputError, match=r"missing a required argument: 'fs'\. It takes fs\."):
        Pipeline().resample_signals()
    with pytest.raises(InputError, match=r"\[step 1, rebatch\(0\)\]"):
        Pipeline().rebatch(0)


@pytest.mark.parametrize("method", ["batches", "next_batch"])
def test_a_template_asked_for_batches_says_that_it_has_no_dataset(method: str) -> None:
    with pytest.raises(NotRunError, match=r"This pipeline is a template: it has no dataset, so there are no batches\."):
        getattr(_load(), method)(2)


def test_a_second_run_on_a_template_is_an_error() -> None:
    with pytest.raises(NotRunError, match=r"Bind it: \(dataset >> template\)\.run\(\)"):
        _load().run(batch_size=2).run(batch_size=3)


def test_run_arguments_of_the_template_are_used_and_others_taken(records: EcgDataset) -> None:
    template = _load().run(batch_size=4, shuffle=True, seed=3)
    run = (records >> template).run(seed=4)
    assert (run.options.batch_size, run.options.shuffle, run.options.seed) == (4, True, 4)


def test_an_unknown_run_argument_answers_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"run\(\) takes no 'n_epoch'\. Did you mean 'n_epochs'"):
        _load().run(batch_size=2, n_epoch=3)


def test_a_setting_that_no_step_reads_is_an_error(records: EcgDataset) -> None:
    bound = records >> (Pipeline(config={"fft_inceptoin": {}}) + _load()).train_on_batch("fft_inception")
    with pytest.raises(ConfigError, match=r"No step reads the setting 'fft_inceptoin'.*Did you mean 'fft_inception'"):
        bound.batches(2)


def test_an_unknown_model_fails_before_any_record_is_read(records: EcgDataset) -> None:
    with pytest.raises(UnknownNameError, match=r"fft_incepton.*fft_inception"):
        (records >> _load().train_on_batch("fft_incepton")).batches(2)


def test_a_missing_setting_names_what_there_is(records: EcgDataset) -> None:
    with pytest.raises(ConfigError, match=r"does not have the setting 'fs'\..*or pass C\('fs', default=…\)"):
        (records >> _load().resample_signals(C("fs"))).batches(2)


def test_expressions_are_replaced_by_their_values(records: EcgDataset) -> None:
    pipeline = (
        Pipeline(config={"pre": {"fs": 200}})
        .load(fmt="wfdb", components=["signal", "meta"])
        .resample_signals(C("pre/fs"))
        .init_variable("seen", [])
        .update(V("seen", mode="e"), B("ids"))
        .update(V("sizes", mode="a"), F(_number_of_records))
    )
    run = (records >> pipeline).run(batch_size=5)
    assert run.get_variable("seen") == list(records.ids)
    assert sum(run.get_variable("sizes")) == len(records)


def test_a_mutable_default_is_copied_for_every_run(records: EcgDataset) -> None:
    bound = records >> _load().init_variable("seen", []).update(V("seen", mode="e"), B("ids"))
    first, second = bound.run(batch_size=5), bound.run(batch_size=5)
    assert first.get_variable("seen") == second.get_variable("seen") == list(records.ids)


def test_an_unknown_variable_answers_with_the_nearest(records: EcgDataset) -> None:
    run = (records >> _load().init_variable("prediction", [])).batches(2)
    with pytest.raises(UnknownNameError, match=r"The run has no variable 'predictions'\. Did you mean 'prediction'"):
        run.get_variable("predictions")


def test_next_batch_goes_on_and_ends_with_a_clear_error(records: EcgDataset) -> None:
    bound = records.subset(records.ids[:3]) >> _load()
    assert [bound.next_batch(2).ids, bound.next_batch(2).ids] == [records.ids[:2], records.ids[2:3]]
    with pytest.raises(EndOfDataError, match=r"The run has given its last batch, after 1 epoch\."):
        bound.next_batch(2)
    bound.reset()
    assert bound.next_batch(2).ids == records.ids[:2]


def test_drop_last_and_batch_size_count_records_drawn(records: EcgDataset) -> None:
    five = records.subset(records.ids[:5])
    sizes = [len(b) for b in (five >> _load()).batches(2, drop_last=True, n_epochs=2)]
    assert sizes == [2, 2, 2, 2]
    assert [len(b) for b in (five >> _load()).batches(2)] == [2, 2, 1]


def test_rebatch_refills_and_never_mixes_epochs(records: EcgDataset) -> None:
    five = records.subset(records.ids[:5])
    batches = list((five >> _load().rebatch(4)).batches(2, n_epochs=2))
    assert [len(b) for b in batches] == [4, 1, 4, 1]
    assert [b.epoch for b in batches] == [0, 0, 1, 1]


def test_an_emptied_batch_is_passed_over_and_counted(records: EcgDataset, cinc: Path) -> None:
    pipeline = _load().load(src=cinc / "REFERENCE.csv", components="target", extra_labels="ignore").keep_labels(["A"])
    run = (records >> pipeline).batches(1)
    kept = [b.ids[0] for b in run]
    assert run.n_empty == len(records) - len(kept) > 0
    assert kept


def test_somebody_elses_exception_names_the_step(records: EcgDataset) -> None:
    with pytest.raises(
        StepError, match=r"_boom failed on record 'A\d+': ZeroDivisionError.*\[step 2, apply_transform\(_boom\)\]"
    ):
        (records >> _load().apply_transform(_boom)).run(batch_size=4)


def test_with_skip_the_run_goes_on_and_lists_what_it_left_out(records: EcgDataset) -> None:
    run = (records >> _load().apply_transform(_boom)).batches(4, on_error="skip")
    kept = [i for batch in run for i in batch.ids]
    left_out = [s.record for s in run.skipped]
    assert sorted(kept + left_out) == sorted(records.ids)
    assert left_out
    assert "too short for me" in str(run.skipped[0].reason)
    assert run.skipped[0].step == "2, apply_transform(_boom)"


def test_steps_that_need_a_run_say_so_on_a_batch(records: EcgDataset) -> None:
    batch = records.next_batch(2)
    with pytest.raises(NotRunError, match=r"train_on_batch\(\) works in a run only\."):
        batch.train_on_batch("fft_inception")


def test_the_batches_come_as_torch_tensors_too(records: EcgDataset, cinc: Path) -> None:
    torch = pytest.importorskip("torch")
    pipeline = (
        _load()
        .load(src=cinc / "REFERENCE.csv", components="target", extra_labels="ignore")
        .split_signals(2000, 2000)
        .binarize_labels()
    )
    batches = list((records >> pipeline).batches(3, shuffle=True, seed=7).to_torch())
    signal, target = batches[0]
    assert signal.dtype == target.dtype == torch.float32
    assert signal.shape[1:] == (1, 2000)
    assert target.shape == (len(signal), 4)


@pytest.mark.parametrize("wrong", ["data/*.hea", ["a.hea"], 3])
def test_only_a_data_set_is_bound_to_a_pipeline(wrong) -> None:
    with pytest.raises(
        InputError, match=rf"A pipeline is bound to an EcgDataset, and a {type(wrong).__name__} was given"
    ):
        wrong >> Pipeline()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "m", "every": "batch"}, r"save_model\(every='batch'\): expected 'run' or 'epoch'"),
        ({"path": 3}, r"save_model\(path=3\) is not a path"),
        ({"path": ["m"]}, r"save_model\(path=\['m'\]\) is not a path"),
    ],
)
def test_what_save_model_cannot_take_is_refused_when_the_pipeline_is_written(options, message) -> None:
    with pytest.raises(InputError, match=message):
        Pipeline().save_model("m", **options)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda: Pipeline().update(3, 4), r"update\(3, …\): expected the variable to write to, as V\('name'\)"),
        (
            lambda: Pipeline().predict_on_batch("m", save_to="p"),
            r"predict_on_batch\(save_to='p'\): expected V\('name'\) or B\('name'\)",
        ),
        (lambda: Pipeline().predict_on_batch("m", save_to=C("p")), r"predict_on_batch\(save_to=.*\): expected V"),
    ],
)
def test_a_place_that_is_neither_a_variable_nor_a_component_is_refused(write, message) -> None:
    with pytest.raises(InputError, match=message):
        write()


def test_a_pipeline_without_steps_is_true_and_of_length_0() -> None:
    """``if pipeline:`` asks whether there is one, and not whether it has steps."""
    assert len(Pipeline()) == 0
    assert bool(Pipeline())
