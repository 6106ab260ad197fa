"""Pipelines made of pipelines: joined, merged, nested, done before and after a run; and as text."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow import B, C, EcgDataset, F, Pipeline, V
from cardioflow.errors import CheckpointError, ConfigError, FormatError, InputError, StepError
from cardioflow.pipeline.predictions import Prediction

ARRAYS = [np.arange(8, dtype=np.float32)[None] + 10 * i for i in range(4)]


@pytest.fixture
def four() -> EcgDataset:
    """Four ramps of 8 samples at 4 Hz, which begin at 0, 10, 20 and 30 mV."""
    return EcgDataset.from_arrays(ARRAYS, fs=4, leads=["I"], ids=list("abcd"), targets=["N", "A", "N", "A"])


@pytest.fixture
def reading() -> Pipeline:
    template: Pipeline = Pipeline().load()
    return template


def double(signal):
    return 2 * signal


def fail(signal):
    raise KeyError("broken")


def of_label(batch, label):
    return batch.take(batch.target == label)


def whole(dataset, template, **options):
    """Return the rows of one epoch by their ids."""
    found = {}
    for batch in (dataset >> template).batches(**{"batch_size": 3, **options}):
        found |= {name: batch[i] for i, name in enumerate(batch.ids)}
    return found


# -- join ---------------------------------------------------------------------


def test_join_adds_what_another_pipeline_makes_of_the_same_record(four, reading):
    other = Pipeline().load().apply_transform(double)
    rows = whole(four, reading.join(other, components={"signal": "doubled"}))
    for i, name in enumerate("abcd"):
        assert rows[name].signal[0].tolist() == ARRAYS[i].tolist()
        assert rows[name].doubled[0].tolist() == (2 * ARRAYS[i]).tolist()


def test_join_goes_on_from_the_batch_where_the_pipeline_does_not_load(four, reading):
    template = reading.apply_transform(double).join(Pipeline().apply_transform(double), components={"signal": "x"})
    assert whole(four, template)["b"].x[0].tolist() == (4 * ARRAYS[1]).tolist()


def test_what_join_adds_follows_the_signal_from_then_on(four, reading):
    template = reading.join(Pipeline().apply_transform(double), components={"signal": "x"}).slice_signals(2, 5)
    row = whole(four, template)["a"]
    assert (row.signal[0].tolist(), row.x[0].tolist()) == ([[2, 3, 4]], [[4, 6, 8]])


def test_join_takes_all_new_components_of_several_pipelines(four):
    labels = Pipeline().load(components="target").binarize_labels()
    row = whole(four, Pipeline().join(Pipeline().load(), labels))["b"]
    assert row.classes == ("A", "N")
    assert row.target.tolist() == [[1, 0]]
    assert row.signal[0].tolist() == ARRAYS[1].tolist()


def test_a_record_that_one_pipeline_drops_is_in_no_batch(four, reading):
    labels = Pipeline().load(components="target").drop_labels(["A"])
    rows = whole(four, reading.join(labels))
    assert list(rows) == ["a", "c"]
    assert rows["c"].signal[0][0, 0] == 20


def test_parts_at_another_rate_are_refused_unless_they_are_static(four, reading):
    slow = Pipeline().resample_signals(2)
    message = r"join\(\): the component 'signal' does not run along the signal: its sampling rate \(2 Hz"
    with pytest.raises(InputError, match=message):
        whole(four, reading.join(slow, components={"signal": "slow"}))
    row = whole(four, reading.join(slow, components={"signal": "slow"}, kind="static"))["a"]
    assert row.slow[0].shape == (1, 4)
    assert row.column("slow").kind == "static"


def test_parts_that_start_elsewhere_are_refused_though_their_length_is_the_same(four, reading):
    late = Pipeline().load().slice_signals(1, 5)
    with pytest.raises(InputError, match="its start or its length differs"):
        whole(four, reading.slice_signals(0, 4).join(late, components={"signal": "late"}))


def test_a_component_that_is_there_is_not_replaced(four, reading):
    with pytest.raises(InputError, match=r"the batch has a component 'signal' already.*\{'signal': 'another name'\}"):
        whole(four, reading.join(Pipeline().apply_transform(double), components="signal"))
    with pytest.raises(InputError, match="makes no component that the batch does not have"):
        whole(four, reading.join(Pipeline().apply_transform(double)))
    with pytest.raises(InputError, match="makes no component 'signl'"):
        whole(four, reading.join(Pipeline().apply_transform(double), components={"signl": "x"}))


def test_equal_targets_of_classes_in_another_order_are_refused(four, reading):
    here = reading.load(src={n: "NA"[i % 2] for i, n in enumerate("abcd")}, components="target", classes=["A", "N"])
    there = Pipeline().load(src={n: "NA"[i % 2] for i, n in enumerate("abcd")}, components="target", classes=["N", "A"])
    with pytest.raises(InputError, match=r"of the classes \('A', 'N'\), and its pipeline has the classes \('N', 'A'\)"):
        whole(four, here.join(there, components="target"))


def test_parts_with_leads_in_another_order_or_unit_are_refused():
    two = EcgDataset.from_arrays([np.ones((2, 8), np.float32)], fs=4, leads=["I", "II"], ids=["a"])
    turned = Pipeline().reorder_channels(["II", "I"])
    with pytest.raises(InputError, match=r"'signal' are in the order II, I, and the batch's in the order I, II"):
        whole(two, Pipeline().load().join(turned, components={"signal": "x"}))
    micro = Pipeline().convert_units("uV")
    with pytest.raises(InputError, match=r"lead I of the component 'signal' is in uV, and the batch's in mV"):
        whole(two, Pipeline().load().join(micro, components={"signal": "x"}))
    one = whole(two, Pipeline().load().join(Pipeline().keep_channels("II"), components={"signal": "x"}))
    assert one["a"].x[0].shape == (1, 8)


def test_rows_that_only_one_side_cut_are_refused(four, reading):
    cut = Pipeline().load().split_signals(4).unstack_signals()
    with pytest.raises(InputError, match=r"other rows of a record \('a/0', 'a/1', …\) than the batch has \('a', 'b'"):
        whole(four, reading.join(cut, components={"signal": "x"}))
    with pytest.raises(InputError, match="reads whole records, and the rows are segments"):
        whole(four, reading.split_signals(4).unstack_signals().join(cut, components={"signal": "x"}))


def test_joined_parts_are_what_each_pipeline_gives_alone_random_steps_included(twelve, loading):
    noisy = loading.random_crop_signals(50)
    alone = whole(twelve, noisy, seed=3)
    joined = whole(twelve, loading.join(noisy, components={"signal": "crop"}, kind="static"), seed=3, shuffle=True)
    for name, row in alone.items():
        assert np.array_equal(row.signal[0], joined[name].crop[0])


def test_batch_size_order_and_threads_change_nothing_of_random_parts(twelve, loading):
    crop = Pipeline().random_crop_signals(50)
    template = loading.merge(crop, crop).apply_pipeline(Pipeline().random_gaussian_noise(), p=0.3)
    template = template.random_crop_signals(20)
    one = whole(twelve, template, seed=5, batch_size=12, threads=0)
    other = whole(twelve, template, seed=5, batch_size=1, shuffle=True, threads=2)
    assert one.keys() == other.keys()
    assert all(np.array_equal(row.signal[0], other[name].signal[0]) for name, row in one.items())


# -- merge --------------------------------------------------------------------


def test_merge_puts_the_rows_of_several_pipelines_beside_each_other_record_by_record(four, reading):
    rows = whole(four, reading.merge(Pipeline().apply_transform(double)))
    assert list(rows) == ["a/0", "a/1", "b/0", "b/1", "c/0", "c/1", "d/0", "d/1"]
    assert rows["b/0"].signal[0].tolist() == ARRAYS[1].tolist()
    assert rows["b/1"].signal[0].tolist() == (2 * ARRAYS[1]).tolist()


def test_a_record_that_one_pipeline_alone_keeps_has_its_own_id(four):
    common = Pipeline().load().load(components="target")
    template = Pipeline().merge(
        common.call(of_label, "A", pure=True), common.call(of_label, "N", pure=True).apply_transform(double)
    )
    rows = whole(four, template)
    assert list(rows) == ["a", "b", "c", "d"]
    assert rows["b"].signal[0].tolist() == ARRAYS[1].tolist()
    assert rows["c"].signal[0].tolist() == (2 * ARRAYS[2]).tolist()


def test_every_merged_pipeline_draws_numbers_of_its_own(twelve, loading):
    crop = Pipeline().random_crop_signals(50)
    rows = whole(twelve, loading.merge(crop, crop), seed=1)
    different = [not np.array_equal(rows[f"{i}/1"].signal[0], rows[f"{i}/2"].signal[0]) for i in twelve.ids]
    assert all(different)
    # The rows that came first draw what they would draw alone.
    later = whole(twelve, loading.merge(Pipeline().standardize()).random_crop_signals(50), seed=1)
    alone = whole(twelve, loading.random_crop_signals(50), seed=1)
    assert np.array_equal(later[f"{twelve.ids[3]}/0"].signal[0], alone[twelve.ids[3]].signal[0])


def test_predictions_of_merged_rows_are_averaged_per_record(four, reading, counting):
    template = (
        reading.merge(Pipeline().apply_transform(double))
        .import_model("m", counting)
        .predict_on_batch("m", save_to=V("p"))
    )
    # The model answers with the number of the row in its batch: 0 and 1, then 2 and 3, …
    found = (four >> template).run(4, threads=0).get_variable("p")
    assert [p.id for p in found] == list("abcd")
    assert [float(p.value[0]) for p in found] == [0.5, 2.5, 4.5, 6.5]
    assert isinstance(found[0], Prediction)


def test_merged_rows_must_have_the_same_components(four, reading):
    labels = Pipeline().load().load(components="target")
    with pytest.raises(InputError, match=r"merge\(\): only some of its rows have the component 'target'"):
        whole(four, reading.merge(labels))


# -- nested -------------------------------------------------------------------


def test_a_nested_pipeline_is_its_steps(four, reading):
    inner = Pipeline().apply_transform(double).slice_signals(0, 2)
    nested = whole(four, reading.apply_pipeline(inner, n_times=2))
    plain = whole(four, reading + inner + inner)
    assert nested["d"].signal[0].tolist() == plain["d"].signal[0].tolist() == [[120, 124]]


def test_a_nested_pipeline_with_a_probability_takes_that_share_of_the_rows_and_keeps_their_order(loading):
    many = EcgDataset.simulated(400, fs=50, duration_s=1)
    template = loading.apply_pipeline(Pipeline().apply_transform(np.zeros_like), p=0.25)
    ids, zero = [], []
    for batch in (many >> template).batches(100, seed=4):
        ids += batch.ids
        zero += [not signal.any() for signal in batch.signal]
    assert tuple(ids) == many.ids
    # 400 draws of probability 0.25 have the mean 100 and the standard deviation 8.66: four of them on each side.
    assert 65 < sum(zero) < 135


def test_segments_that_go_through_a_nested_pipeline_keep_their_places():
    # 40 segments of one record, each of which holds its own number.
    steps = np.repeat(np.arange(40, dtype=np.float32), 5)[None]
    one = EcgDataset.from_arrays([steps], fs=5, leads=["I"], ids=["a/b"])
    cut = Pipeline().load().split_signals(5).unstack_signals()
    batch = next(iter((one >> cut.apply_pipeline(Pipeline().apply_transform(np.negative), p=0.5)).batches(1, seed=3)))
    assert batch.ids == tuple(f"a/b/{i}" for i in range(40))
    values = batch.signal.dense()[:, 0, 0]
    assert np.abs(values).tolist() == list(range(40))
    assert 10 < (values < 0).sum() < 30
    # Rows that are cut inside lie where the row was.
    inner = Pipeline().split_signals(2).unstack_signals()
    again = next(iter((one >> cut.apply_pipeline(inner, p=0.5)).batches(1, seed=3)))
    assert np.array([x[0, 0] for x in again.signal]).tolist() == sorted(x[0, 0] for x in again.signal)


def test_rows_that_do_not_go_through_a_nested_pipeline_may_not_lack_its_components(twelve, loading):
    template = loading.apply_pipeline(Pipeline().apply_transform(double, dst="extra"), p=0.5)
    with pytest.raises(InputError, match=r"apply_pipeline\(\): only some of its rows have the component 'extra'"):
        whole(twelve, template, batch_size=12)


def test_nested_pipelines_read_the_settings_of_the_outer_one(four):
    inner = Pipeline(config={"stop": 3}).slice_signals(C("start"), C("stop"))
    template = Pipeline(config={"start": 1}).load().apply_pipeline(Pipeline().apply_pipeline(inner))
    assert whole(four, template)["a"].signal[0].tolist() == [[1, 2]]
    with pytest.raises(ConfigError, match="Both pipelines set 'stop', to 3 and to 4"):
        whole(four, Pipeline(config={"start": 1, "stop": 4}).load().apply_pipeline(inner))


def test_an_error_names_the_outer_and_the_inner_step(four, reading):
    template = reading.apply_pipeline(Pipeline().standardize().apply_transform(fail))
    with pytest.raises(StepError) as caught:
        whole(four, template)
    assert "(in the step apply_transform(fail))" in str(caught.value)
    assert "step 2, apply_pipeline(<pipeline: standardize, apply_transform>)" in str(caught.value)
    assert caught.value.record == "a"


def test_a_record_that_a_nested_step_cannot_take_is_skipped_alone(four, reading):
    def odd(signal):
        if signal[0, 0] == 10:
            raise ValueError("no")
        return signal

    run = (four >> reading.merge(Pipeline().apply_transform(odd))).run(4, on_error="skip")
    assert [(s.record, s.step.partition("(")[0]) for s in run.skipped] == [("b", "2, merge_pipelines")]


# -- before and after -----------------------------------------------------------


def test_before_and_after_are_done_once(four, reading):
    seen = []
    first = Pipeline().init_variable("n", []).call(seen.append, "before")
    last = Pipeline().call(sum, V("n"), save_to=V("total")).call(seen.append, V("total"))
    run = (four >> reading.before(first).update(V("n", mode="a"), F(len)).after(last)).run(3, n_epochs=2)
    assert run.get_variable("n") == [3, 1, 3, 1]
    assert run.get_variable("total") == 8
    assert seen == ["before", 8]


def test_a_model_is_saved_after_the_run(four, reading, counting, tmp_path):
    template = (
        reading.before(Pipeline().import_model("m", counting))
        .train_on_batch("m")
        .after(Pipeline().save_model("m", tmp_path / "m"))
    )
    (four >> template).run(2, n_epochs=3)
    assert counting.saved == [(str(tmp_path / "m"), 6)]


def test_after_a_run_a_model_cannot_be_saved_where_nothing_can_be_written_and_no_record_is_read(
    reading, counting, tmp_path
):
    (tmp_path / "file").write_text("")
    last = Pipeline().save_model("m", tmp_path / "file" / "m")
    template = reading.import_model("m", counting).train_on_batch("m").after(last)
    with pytest.raises(InputError, match="save_model"):
        (EcgDataset(["missing.hea"]) >> template).run(2)


# -- what is refused ------------------------------------------------------------


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda p: p.join(Pipeline().train_on_batch("m")), r"join\(\): step 1 of its pipeline, train_on_batch\('m'\)"),
        (
            lambda p: p.merge(Pipeline().standardize().predict_on_batch("m")),
            r"step 2 of its pipeline, predict_on_batch",
        ),
        (lambda p: p.apply_pipeline(Pipeline().update(V("n"), 1)), "step 1 of its pipeline, update"),
        (lambda p: p.apply_pipeline(Pipeline().dump("x", "npz")), "step 1 of its pipeline, dump"),
        (lambda p: p.apply_pipeline(Pipeline().slice_signals(0, V("n"))), "depends on the run or writes"),
        (lambda p: p.apply_pipeline(Pipeline().random_mix_up()), "draws partners from the whole data set"),
        (lambda p: p.join(Pipeline().rebatch(2)), "step 1 of its pipeline, rebatch"),
        (
            lambda p: p.before(Pipeline().standardize()),
            r"before\(\): step 1 .* needs batches, and there is none before",
        ),
        (lambda p: p.after(Pipeline().train_on_batch("m")), r"after\(\) takes save_model, update and call"),
        (lambda p: p.join(Pipeline().load().run(3)), "has recorded a run"),
        (lambda p: p.join("load"), "join.* takes pipelines, and 'load' is a str"),
        (lambda p: p.join(), "join.* got no pipeline"),
        (lambda p: p.merge(), "merge.* got no pipeline"),
        (lambda p: p.join(p, p, components="target"), "names what to take from one pipeline, and got 2"),
        (lambda p: p.join(p, kind="waves"), "expected 'static'"),
        (lambda p: p.apply_pipeline(p, p=2), "expected a probability"),
        (lambda p: p.apply_pipeline(p, n_times=0), "whole number of at least 1"),
    ],
)
def test_what_cannot_be_part_of_a_pipeline_is_refused_when_it_is_written(reading, write, message):
    with pytest.raises(InputError, match=message):
        write(reading)


def test_a_bound_pipeline_is_no_part_of_another(four, reading):
    with pytest.raises(InputError, match="bound to a data set of its own"):
        reading.join(four >> reading)


def test_a_checkpoint_of_another_nested_pipeline_is_refused(four, reading, tmp_path):
    for stop in (4, 5):
        template = reading.apply_pipeline(Pipeline().slice_signals(0, stop))
        if stop == 4:
            (four >> template).run(2, checkpoint=tmp_path, threads=0)
        else:
            with pytest.raises(CheckpointError, match="is of another run"):
                (four >> template).run(2, checkpoint=tmp_path, threads=0)


# -- as text ----------------------------------------------------------------------


def everything() -> Pipeline:
    inner = Pipeline(config={"low": 1.0}).band_pass_signals(C("low"), 40)
    return (
        Pipeline(config={"high": 20})
        .before(Pipeline().init_variable("n", []))
        .load(fmt="wfdb")
        .join(inner, components={"signal": "filtered"})
        .merge(Pipeline().apply_pipeline(inner, p=0.5), Pipeline().apply_transform(double, B("fs")))
        .low_pass_signals(C("high"))
        .after(Pipeline().save_model("m", "m.cardioflow", preprocessing=Pipeline().load()))
    )


def test_a_pipeline_of_pipelines_is_the_same_after_json():
    text = everything().to_json()
    assert '"cardioflow_pipeline": 3' in text
    functions = {f"{double.__module__}.double": double}
    assert Pipeline.from_json(text, functions) == everything()
    assert Pipeline.from_json(text, functions).to_json() == text


def test_a_pipeline_without_pipelines_is_written_so_that_earlier_releases_read_it():
    assert '"cardioflow_pipeline": 2' in Pipeline().load().standardize().to_json()


def test_what_has_no_json_form_is_refused_by_name_inside_a_part_too():
    template = Pipeline().load().join(Pipeline().apply_transform(lambda x: x), components={"signal": "x"})
    with pytest.raises(InputError, match=r"steps\[1\].args\[0\] is a pipeline that has no JSON form: apply_transform"):
        template.to_json()


def test_a_text_cannot_smuggle_a_model_step_into_a_pure_part():
    text = (
        Pipeline()
        .load()
        .apply_pipeline(Pipeline().standardize())
        .to_json()
        .replace('"standardize"', '"unstack_signals"')
    )
    assert Pipeline.from_json(text).steps[1].name == "apply_pipeline"
    wrong = text.replace(
        '"name": "unstack_signals",\n        "args": []', '"name": "train_on_batch",\n        "args": ["m"]'
    )
    assert wrong != text
    with pytest.raises(InputError, match="train_on_batch"):
        Pipeline.from_json(wrong)
    with pytest.raises(FormatError, match=r"steps\[1\].args\[0\] is a pipeline that is not right"):
        Pipeline.from_json(text.replace('"name": "unstack_signals"', '"name": 7'))


def test_a_joined_component_can_become_the_target(four, reading):
    other = Pipeline().load().apply_transform(np.max, dst="highest")
    rows = whole(four, reading.join(other, components={"highest": "target"}))
    assert [float(np.squeeze(rows[name].target[0])) for name in "abcd"] == [float(x.max()) for x in ARRAYS]


def test_steps_before_and_after_a_run_read_the_settings_of_the_pipeline_around_them(four, reading):
    first = Pipeline(config={"own": 1}).init_variable("n", C("start")).init_variable("m", C("own"))
    last = Pipeline().update(V("n"), C("end"))
    template = Pipeline(config={"start": 5, "end": 7}) + reading.before(first).update(V("m"), V("n")).after(last)
    run = (four >> template).run(4)
    assert (run.get_variable("m"), run.get_variable("n")) == (5, 7)
