"""What ``cache`` keeps is what the steps make, made once, and never of files that have changed."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from cardioflow import C, EcgBatch, EcgDataset, F, Pipeline, V
from cardioflow.batch import Annotation
from cardioflow.errors import ConfigError, FormatError, InputError, WriteError
from cardioflow.pipeline.caching import fingerprints
from cardioflow.pipeline.caching import key as cache_key
from cardioflow.pipeline.caching.kept import _Limited, spans_of
from cardioflow.pipeline.data.locations import DescribedLocation, Hdf5Location
from cardioflow.pipeline.options import RunOptions
from cardioflow.pipeline.plan import Plan
from cardioflow.samplers import Balanced

MADE: list[str] = []


def noted(batch):
    """Note which records the steps are done for."""
    MADE.extend(batch.ids)
    return batch


def beside(batch):
    """Add a time series and a number to each record."""
    states = [np.arange(8, dtype=np.int8)[None] + np.int8(x[0, 0]) for x in batch.signal]
    counts = np.array([int(x[0, 1]) for x in batch.signal])
    return batch.with_component("states", states, kind="time series").with_component("counts", counts)


@pytest.fixture(autouse=True)
def nothing_made():
    MADE.clear()


@pytest.fixture
def files(tmp_path):
    """Four records of 8 samples in NPY files, and a table of their labels."""
    for i, name in enumerate("abcd"):
        write(tmp_path / f"{name}.npy", np.arange(8.0) + 10 * i)
    (tmp_path / "labels.csv").write_text("a,N\nb,A\nc,N\nd,A\n")
    settle(tmp_path)
    return tmp_path


def write(path, values):
    np.save(path, np.asarray(values, np.float32)[None])


def settle(folder):
    """Let the files be old: what was written in the last moment is not kept."""
    for path in folder.iterdir():
        os.utime(path, (time.time() - 60, time.time() - 60))


def dataset(files):
    return EcgDataset(str(files / "*.npy"))


def loading():
    return Pipeline().load(fmt="npy", fs=4)


def counted():
    return loading().call(noted, pure=True)


def whole(data, template, **options):
    found = {}
    for batch in (data >> template).batches(**{"batch_size": 3, "threads": 0, **options}):
        found |= {(batch.epoch, name): batch[i] for i, name in enumerate(batch.ids)}
    return found


def signals(rows):
    return {key: row.signal[0].tolist() for key, row in rows.items()}


@pytest.fixture(params=["memory", "folder"])
def kept(request, tmp_path):
    """Return ``cache`` as a pipeline, in memory and in a folder."""
    if request.param == "memory":
        return Pipeline().cache()
    return Pipeline().cache(tmp_path / "kept", version="1")


# -- once, and the same -------------------------------------------------------------


def test_the_steps_before_it_are_done_once_for_each_record(files, kept):
    rows = whole(dataset(files), counted() + kept, n_epochs=3, shuffle=True)
    assert sorted(MADE) == list("abcd")
    assert len(rows) == 12
    assert {rows[e, "c"].signal[0].tolist()[0][0] for e in range(3)} == {20}


def test_what_is_kept_is_what_is_made_in_every_order_and_batch_size(files, kept):
    steps = loading().load(src=files / "labels.csv", components="target").binarize_labels().split_signals(4, 2)
    plain = whole(dataset(files), steps.unstack_signals().random_crop_signals(3), seed=2, n_epochs=2)
    template = (steps + kept).unstack_signals().random_crop_signals(3)
    for options in ({}, {"batch_size": 1, "shuffle": True}, {"batch_size": 4, "threads": 2}):
        found = whole(dataset(files), template, seed=2, n_epochs=2, **options)
        assert found.keys() == plain.keys()
        for key, row in plain.items():
            other = found[key]
            assert np.array_equal(other.signal.data, row.signal.data)
            assert np.array_equal(other.target, row.target)
            assert (other.classes, dict(other.meta[0])) == (row.classes, dict(row.meta[0]))
            assert other.provenance.segment_start_s[0].tolist() == row.provenance.segment_start_s[0].tolist()
            assert (other.locations, other.epoch, other.seed) == (row.locations, row.epoch, row.seed)


def several_components(batch):
    masks = [signal > 3 for signal in batch.signal]
    beats = [Annotation(sample=np.array([1, 5]), symbol=np.array(["N", "V"])) for _ in batch.ids]
    batch = batch.with_component("mask", masks, kind="time series").with_component("beats", beats)
    return batch.with_component("score", np.arange(len(batch)) * 0 + 7).with_component("text", ("x",) * len(batch))


def test_draws_with_replacement_give_the_batches_that_they_give_without_a_cache(files, kept):
    labels = {"a": "A", "b": "N", "c": "N", "d": "N"}
    steps = loading().load(src=labels, components="target")
    options = {"batch_size": 4, "sampler": Balanced("target"), "n_epochs": 3, "threads": 0, "seed": 1}
    data = EcgDataset(str(files / "*.npy"), labels=labels)
    random = Pipeline().random_crop_signals(8)
    plain, cached = (list((data >> s + random).batches(**options)) for s in (steps, steps + kept))
    assert any(len(set(batch.ids)) < len(batch) for batch in plain)
    assert [batch.ids for batch in cached] == [batch.ids for batch in plain]
    assert all(a.signal == b.signal for a, b in zip(cached, plain, strict=True))


class Scaled:
    def __init__(self, factor: float) -> None:
        self.factor = factor

    def times(self, signal):
        return signal * self.factor


def test_methods_of_two_objects_do_not_share_what_is_kept(files, tmp_path):
    for factor in (1.0, 2.0):
        template = loading().apply_transform(Scaled(factor).times) + Pipeline().cache(tmp_path / "kept", version="1")
        batch = next(iter((dataset(files) >> template).batches(4)))
        plain = next(iter((dataset(files) >> loading()).batches(4)))
        assert np.array_equal(batch.signal.data, plain.signal.data * np.float32(factor))


def test_components_of_every_kind_are_kept(files, kept):
    template = loading().call(several_components, pure=True) + kept
    for row in whole(dataset(files), template, n_epochs=2, shuffle=True).values():
        assert row.mask[0].dtype == bool
        assert np.array_equal(row.mask[0], row.signal[0] > 3)
        assert {name: column.kind for name, column in row.columns.items()} == {
            "mask": "time series", "beats": "events", "score": "static", "text": "static",
        }  # fmt: skip
        assert row.beats[0] == Annotation(sample=np.array([1, 5]), symbol=np.array(["N", "V"]))
        assert (row.score.tolist(), row.text) == ([7], ("x",))


def test_real_records_with_annotations_come_back_from_a_folder_to_the_bit(data, tmp_path):
    records = EcgDataset(data / "qtdb" / "*.hea").subset(["sel230", "sele0106"])
    steps = Pipeline().load(fmt="wfdb", components=["signal", "meta", "annotation"], ann_ext="pu1", stop_s=20)
    plain, cached = (
        whole(records, steps + end, n_epochs=2) for end in (Pipeline(), Pipeline().cache(tmp_path / "kept"))
    )
    for key, row in plain.items():
        assert np.array_equal(row.signal.data, cached[key].signal.data)
        assert row.annotation == cached[key].annotation
        assert dict(row.meta[0]) == dict(cached[key].meta[0])


def test_spectra_stay_complex(files, kept):
    rows = whole(dataset(files), loading().fft() + kept, n_epochs=2)
    assert rows[1, "a"].signal.dtype == np.complex64
    assert rows[1, "a"].signal == rows[0, "a"].signal


def test_a_record_that_is_filtered_out_is_not_made_again(files, kept):
    write(files / "b.npy", [1, 2])
    settle(files)
    rows = whole(dataset(files), counted().drop_short_signals(4) + kept, n_epochs=2)
    assert [name for _, name in rows] == list("acd") * 2
    assert sorted(MADE) == list("abcd")


def test_a_second_run_and_a_part_of_the_data_set_use_what_is_kept(files, kept):
    template = counted() + kept
    whole(dataset(files).subset(["a", "b"]), template)
    whole(dataset(files), template + Pipeline().standardize())
    assert sorted(MADE) == list("abcd")


def test_other_steps_settings_or_labels_are_another_key(files, kept):
    def sliced(stop):
        return Pipeline(config={"stop": stop}) + counted().slice_signals(0, C("stop")) + kept

    assert signals(whole(dataset(files), sliced(2)))[0, "a"] == [[0, 1]]
    assert signals(whole(dataset(files), sliced(3)))[0, "a"] == [[0, 1, 2]]
    assert len(MADE) == 8
    for labels in ({"a": "N", "b": "A", "c": "N", "d": "N"}, {"a": "N", "b": "N", "c": "N", "d": "A"}):
        template = loading().load(src=labels, components="target") + kept
        assert {name: row.target[0] for (_, name), row in whole(dataset(files), template).items()} == labels


def test_other_classes_of_the_data_set_are_another_key(files, kept):
    steps = Pipeline().load(fmt="npy", fs=4).load(components="target").binarize_labels() + kept
    labels = dict(zip("abcd", "NANA", strict=True))
    for classes, first in ((("A", "N"), [0, 1]), (("N", "A"), [1, 0])):
        data = EcgDataset(str(files / "*.npy"), labels=labels)
        data.classes = classes
        rows = whole(data, steps)
        assert rows[0, "a"].classes == classes
        assert rows[0, "a"].target.tolist() == [first]


# -- never stale --------------------------------------------------------------------


def test_a_file_that_changed_is_read_anew_and_the_others_are_not(files, kept):
    template = counted() + kept
    assert signals(whole(dataset(files), template))[0, "b"][0][0] == 10
    write(files / "b.npy", np.arange(8.0) + 99)  # the same size
    MADE.clear()
    assert signals(whole(dataset(files), template))[0, "b"][0][0] == 99
    assert MADE == ["b"]


def described(files, name, fs):
    return DescribedLocation(files / f"{name}.npy", "npy", (("fs", fs),))


def in_hdf5(files, name, fs):
    path = files / "signals.hdf5"
    if not path.exists():
        with h5py.File(path, "w") as file:
            file["tracings"] = np.stack([np.load(files / f"{n}.npy").T for n in "abcd"])
    return Hdf5Location(path, "tracings", "abcd".index(name), fs, ("I",), 1.0)


@pytest.mark.parametrize("place", [described, in_hdf5])
def test_a_file_that_the_data_set_describes_is_read_anew_when_it_or_its_description_changes(files, kept, place):
    template = Pipeline().load().call(noted, pure=True) + kept

    def rows(fs):
        return whole(EcgDataset({name: place(files, name, fs) for name in "ab"}), template)

    place(files, "a", 4.0)
    settle(files)
    assert rows(4.0).keys() == rows(4.0).keys()
    assert MADE == ["a", "b"]
    assert rows(8.0)[0, "a"].fs.tolist() == [8.0]
    (files / "signals.hdf5").unlink(missing_ok=True)
    write(files / "a.npy", np.arange(8.0) + 500)
    assert rows(4.0)[0, "a"].signal[0][0, 0] == 500


def test_a_file_that_changes_between_two_epochs_of_a_run_is_read_anew(files, kept):
    values = []
    for batch in (dataset(files) >> counted() + kept).batches(4, n_epochs=3, threads=0):
        values.append(batch.signal[0][0, 0])
        write(files / "a.npy", np.full(8, len(values), np.float32))
        os.utime(files / "a.npy", (time.time() - 30 + len(values), time.time() - 30 + len(values)))
    assert values == [0, 1, 2]
    assert [*"abcd", "a", "a"] == MADE


def test_a_file_that_was_written_in_the_last_moment_is_not_kept(files, kept, monkeypatch):
    # The moment lasts as long as a slow machine may need here; the other files are older.
    monkeypatch.setattr(fingerprints, "_RESTLESS_NS", 40 * 10**9)
    template = counted() + kept
    write(files / "b.npy", np.arange(8.0))
    os.utime(files / "b.npy")
    whole(dataset(files), template)
    MADE.clear()
    whole(dataset(files), template)
    assert MADE == ["b"]


def test_a_file_beside_the_header_counts_and_so_does_a_new_one(cinc, tmp_path, kept):
    for name in ("A00015", "A00017"):
        for suffix in (".hea", ".mat"):
            (tmp_path / f"{name}{suffix}").write_bytes((cinc / f"{name}{suffix}").read_bytes())
    settle(tmp_path)
    records = EcgDataset(str(tmp_path / "*.hea"))
    template = Pipeline().load(fmt="wfdb").call(noted, pure=True) + kept
    before = whole(records, template)
    content = bytearray((tmp_path / "A00015.mat").read_bytes())
    content[-2:] = b"\x01\x01"
    (tmp_path / "A00015.mat").write_bytes(content)
    (tmp_path / "A00017.atr").write_bytes(b"\0\0")
    MADE.clear()
    after = whole(records, template)
    assert MADE == ["A00015", "A00017"]
    assert before[0, "A00015"].signal[0][0, -1] != after[0, "A00015"].signal[0][0, -1]


def test_the_files_that_a_header_lists_count_under_any_name(cinc, tmp_path, kept):
    (tmp_path / "x.hea").write_text((cinc / "A00015.hea").read_text().replace("A00015.mat", "other.mat"))
    (tmp_path / "other.mat").write_bytes((cinc / "A00015.mat").read_bytes())
    settle(tmp_path)
    template = Pipeline().load(fmt="wfdb").call(noted, pure=True) + kept
    records = EcgDataset(str(tmp_path / "x.hea"))
    whole(records, template, n_epochs=2)
    assert MADE == ["x"]
    os.utime(tmp_path / "other.mat", (1e9, 1e9))
    whole(records, template)
    assert MADE == ["x", "x"]


def test_arrays_that_were_changed_in_place_are_taken_anew(kept):
    array = np.zeros((1, 8), np.float32)
    data = EcgDataset.from_arrays([array], fs=4, leads=["I"], ids=["a"])
    template = Pipeline().load() + kept
    assert signals(whole(data, template))[0, "a"][0][0] == 0
    array[0, 0] = 5
    assert signals(whole(data, template))[0, "a"][0][0] == 5


def test_a_record_that_cannot_be_read_is_tried_again(files, kept):
    (files / "b.npy").write_bytes(b"nothing")
    settle(files)
    template = counted() + kept
    run = (dataset(files) >> template).run(4, on_error="skip", n_epochs=2, threads=0)
    assert [own.record for own in run.skipped] == ["b", "b"]
    assert run.skipped[0].step.startswith("1, load(")
    write(files / "b.npy", np.arange(8.0))
    assert (0, "b") in whole(dataset(files), template)
    (files / "a.npy").unlink()
    with pytest.raises(FormatError, match=r"a\.npy"):
        whole(EcgDataset({"a": files / "a.npy"}), template)


# -- a folder -----------------------------------------------------------------------


def rows_file(folder) -> Path:
    return next(Path(folder).rglob("*.rows"))


def test_what_was_not_written_to_its_end_is_not_used(files, tmp_path):
    template = counted().cache(tmp_path / "kept", version="1")
    whole(dataset(files), template, batch_size=2)
    file = rows_file(tmp_path)
    content = file.read_bytes()
    for cut in (len(content) - 1, len(content) // 2 + 3, 20):
        file.write_bytes(content[:cut])
        MADE.clear()
        n_files = len(list(file.parent.glob("*.rows")))
        rows = signals(whole(dataset(files), template))
        assert rows == {(0, name): [(np.arange(8.0) + 10 * i).tolist()] for i, name in enumerate("abcd")}
        assert MADE
        for other in file.parent.glob("*.rows"):
            if other != file:
                other.unlink()
        assert n_files == 1


def test_a_damaged_file_is_reported_and_its_records_are_made_anew(files, tmp_path):
    template = counted().cache(tmp_path / "kept", version="1")
    right = signals(whole(dataset(files), template))
    file = rows_file(tmp_path)
    content = bytearray(file.read_bytes())
    content[content.index(np.float32(31).tobytes())] ^= 1
    file.write_bytes(content)
    with pytest.warns(UserWarning, match="is damaged: its arrays do not have their checksum"):
        assert signals(whole(dataset(files), template)) == right


def test_two_processes_use_one_folder_at_the_same_time(files, tmp_path):
    code = """
import sys, numpy as np
from cardioflow import EcgDataset, Pipeline
data = EcgDataset(sys.argv[1] + "/*.npy")
template = Pipeline().load(fmt="npy", fs=4).resample_signals(8).cache(sys.argv[2])
batches = (data >> template).batches(1, n_epochs=20, shuffle=True, threads=0)
total = [b.signal.data.sum(dtype=np.float64) for b in batches]
print(round(sum(total), 3))
"""
    start = [sys.executable, "-c", code, str(files), str(tmp_path / "kept")]
    running = [subprocess.Popen(start, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = [process.communicate(timeout=120)[0] for process in running]
    template = loading().resample_signals(8)
    expected = 20 * sum(row.signal.data.sum(dtype=np.float64) for row in whole(dataset(files), template).values())
    assert [float(text) for text in printed] == pytest.approx([expected, expected], abs=0.01)
    # This program uses what they made: the files' rows are all there, so that it writes no file of its own.
    n_files = len(list((tmp_path / "kept").rglob("*.rows")))
    assert whole(dataset(files), template.cache(tmp_path / "kept"))
    assert len(list((tmp_path / "kept").rglob("*.rows"))) == n_files


def test_the_step_travels_to_another_process(files, tmp_path):
    template = loading().resample_signals(8).cache(tmp_path / "kept")
    options = RunOptions(4)
    plan = Plan.of(template.template, dataset(files), on_error=options.on_error)
    batch = dataset(files).batch([0, 1])
    here, there = plan.pure(batch), pickle.loads(pickle.dumps(plan.pure))(batch)
    assert here.signal == there.signal


def test_rows_in_memory_do_not_travel(files):
    with pytest.raises(ConfigError, match=r"in the memory of one process.*cache\('folder'\)"):
        (dataset(files) >> loading().cache()).run(4, processes=1)


def test_functions_of_ones_own_need_a_version_in_a_folder_and_their_code_is_part_of_the_key(files, tmp_path):
    with pytest.raises(ConfigError, match=r"apply_transform\(<lambda>\) before it calls a function of.*version"):
        whole(dataset(files), loading().apply_transform(lambda x: x).cache(tmp_path))
    for factor in (2, 3):
        scaled = loading().apply_transform(lambda x, factor=factor: x * factor).cache(tmp_path / "kept", version="1")
        assert signals(whole(dataset(files), scaled))[0, "b"][0][0] == 10 * factor
    one = loading().apply_transform(lambda x: x + 1).cache(tmp_path / "kept", version="1")
    two = loading().apply_transform(lambda x: x + 2).cache(tmp_path / "kept", version="1")
    assert [signals(whole(dataset(files), t))[0, "a"][0][0] for t in (one, two)] == [1, 2]


def test_what_cannot_be_part_of_a_key_is_refused_by_name(files, tmp_path):
    template = loading().apply_transform(np.multiply, object()).cache(tmp_path)
    with pytest.raises(ConfigError, match=r"the step apply_transform\(multiply, .*cannot be part of the cache's key"):
        whole(dataset(files), template)


def test_a_component_that_cannot_be_kept_in_a_folder_is_refused_by_name(files, tmp_path):
    def odd(batch: EcgBatch) -> EcgBatch:
        return batch.with_component("odd", tuple(object() for _ in batch.ids))

    with pytest.raises(ConfigError, match=r"the component 'odd' cannot be kept in a folder"):
        whole(dataset(files), loading().call(odd, pure=True).cache(tmp_path / "kept", version="1"))


def test_a_folder_that_cannot_be_written_is_an_error(files, tmp_path):
    (tmp_path / "kept").write_text("a file")
    with pytest.raises(WriteError, match=r"cache\(\): .*cannot be written: Not a directory"):
        whole(dataset(files), loading().cache(tmp_path / "kept"))


# -- limits, and what is refused -----------------------------------------------------


def test_what_does_not_fit_is_made_anew_with_one_warning(files, tmp_path):
    for end in (Pipeline().cache(max_mb=0.0025), Pipeline().cache(tmp_path / "kept", version="1", max_mb=0.0025)):
        MADE.clear()
        with pytest.warns(UserWarning, match=r"are full in .*; further records are made anew each time") as caught:
            rows = whole(dataset(files), counted() + end, batch_size=1, n_epochs=2)
        assert len(caught) == 1
        assert len(rows) == 8
        assert 4 < len(MADE) < 8


@pytest.mark.parametrize(
    ("before", "message"),
    [
        (lambda p: p.random_crop_signals(4), r"step 2 before it, random_crop_signals\(4\), draws new random numbers"),
        (lambda p: p.apply_pipeline(Pipeline().random_crop_signals(4)), "step 2 before it, apply_pipeline.* draws"),
        (lambda p: p.apply_pipeline(Pipeline().standardize(), p=0.5), "step 2 before it, apply_pipeline.* draws"),
        (lambda p: p.random_mix_up(), "step 2 before it, random_mix_up"),
        (lambda p: p.cache(), r"step 2 before it, cache\(\), keeps records already|step 1 before it"),
        (lambda p: p.train_on_batch("fft_inception"), r"step 2, train_on_batch\('fft_inception'\) is done in order"),
        (lambda p: p.update(V("n"), F(len)), "is done in order, batch by batch. Write cache before it"),
        (lambda p: p.dump("out", "npz"), "is done in order"),
        (lambda p: p.call(print), "is done in order"),
    ],
)
def test_what_is_random_or_depends_on_the_run_is_refused_by_name(files, before, message):
    with pytest.raises(ConfigError, match=message):
        (dataset(files) >> before(loading()).cache()).run(4)


def test_partners_are_drawn_from_what_is_kept(files):
    labels = loading().load(src=files / "labels.csv", components="target").binarize_labels()
    plain = whole(dataset(files), labels.random_mix_up(), seed=1, n_epochs=2)
    kept = whole(dataset(files), labels.cache().random_mix_up(), seed=1, n_epochs=2)
    assert signals(plain) == signals(kept)


def test_arguments_are_checked_when_they_are_written():
    with pytest.raises(InputError, match="is not a folder"):
        loading().cache(3)
    with pytest.raises(InputError, match="is not above 0"):
        loading().cache(max_mb=0)
    with pytest.raises(InputError, match="keeps what all steps before it make"):
        loading().join(Pipeline().cache())
    assert Pipeline.from_json(loading().cache("kept", version="2").to_json()) == loading().cache("kept", version="2")


def test_rows_taken_one_after_another_are_where_their_lengths_say():
    assert spans_of([(5, 8), None, (2, 3), (9, 9)]) == [(0, 3), None, (3, 4), (4, 4)]


def test_there_is_room_up_to_the_limit_and_one_warning_beyond_it():
    limited = _Limited(2 * 2**20, "in memory")
    assert limited.has_room(2 * 2**20)
    with pytest.warns(UserWarning, match=r"cache\(\): 2 MiB are full in memory; further records are made anew"):
        assert not limited.has_room(2 * 2**20 + 1)
    assert not limited.has_room(2 * 2**20 + 1)  # a second warning would be an error


@pytest.mark.parametrize("kept", ["memory", "folder"])
def test_time_series_and_numbers_beside_the_signal_are_kept_by_their_kind(kept, files, tmp_path):
    where = {"folder": tmp_path / "kept", "version": "1"} if kept == "folder" else {}
    template = Pipeline().load(fmt="npy", fs=250).call(beside, pure=True).cache(**where)
    first, second = (next(iter((dataset(files) >> template).batches(4, n_epochs=1))) for _ in range(2))
    run = (dataset(files) >> template).batches(4, n_epochs=2)
    for batch in (first, second, *run):
        assert batch.columns["states"].kind == "time series"
        assert [batch.states[i].tolist() for i in range(4)] == [[[*range(10 * i, 10 * i + 8)]] for i in range(4)]
        assert [int(own) for own in batch.counts] == [1, 11, 21, 31]


def test_a_function_that_calls_itself_or_lacks_a_value_has_a_key(files, tmp_path):
    def doubled(x, n=2):
        return x if n == 0 else doubled(2 * x, n - 1)

    def unfinished(x):
        return never(x) if x is None else x + 1

    for function, expected in ((doubled, 4.0), (unfinished, 2.0)):
        folder = tmp_path / function.__name__
        template = loading().apply_transform(function).cache(folder, version="1")
        for _ in range(2):
            batch = next(iter((dataset(files) >> template).batches(4)))
            assert batch.signal[0][0, 1] == expected
        assert len(list(folder.iterdir())) == 1
    never = None


def test_a_key_changes_with_the_code_of_the_package(tmp_path, monkeypatch):
    def told(content):
        (tmp_path / "errors.py").write_text("")
        (tmp_path / "deep").mkdir(exist_ok=True)
        (tmp_path / "deep" / "filter.py").write_text(content)
        return cache_key._package.__wrapped__()

    monkeypatch.setattr(cache_key.errors, "__file__", str(tmp_path / "errors.py"))
    assert told("a = 1") == told("a = 1") != told("a = 2")
    assert len(told("a = 1").split()[-1]) == 32
