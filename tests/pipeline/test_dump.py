"""A record that cannot be written neither loses nor misreports the others of its batch."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from cardioflow import EcgBatch, EcgDataset, Pipeline
from cardioflow.errors import CardioFlowError, InputError
from cardioflow.io.edf import Edf


@pytest.fixture
def records(tmp_path: Path) -> EcgDataset:
    """Six records, of which the third has a sample missing, which EDF cannot write."""
    (tmp_path / "in").mkdir()
    for i in range(6):
        signal = np.linspace(-1, 1, 500, dtype=np.float32)[None].copy()
        if i == 2:
            signal[0, 7] = np.nan
        np.savez(tmp_path / f"in/r{i}.npz", signal=signal, fs=250.0, leads=np.array(["II"]), units=np.array(["mV"]))
    return EcgDataset(str(tmp_path / "in/*.npz"))


def dumping(tmp_path: Path, **options: str) -> Pipeline:
    found: Pipeline = Pipeline().load(fmt="npz", components=["signal", "meta"]).dump(tmp_path / "out", "edf", **options)
    return found


@pytest.mark.parametrize("exists", ["raise", "skip", "overwrite"])
def test_one_that_cannot_be_written_does_not_take_the_others_down(tmp_path, records, exists):
    run = (records >> dumping(tmp_path, exists=exists)).run(batch_size=6, on_error="skip")
    assert sorted(p.stem for p in (tmp_path / "out").iterdir()) == ["r0", "r1", "r3", "r4", "r5"]
    assert [(one.record, "1 samples that are NaN" in str(one.reason)) for one in run.skipped] == [("r2", True)]


def test_an_error_ends_the_run_and_leaves_whole_files_only(tmp_path, records):
    with pytest.raises(InputError, match="has 1 samples that are NaN"):
        (records >> dumping(tmp_path)).run(batch_size=6)
    written = EcgDataset(tmp_path / "out" / "*.edf")
    assert written.ids == ("r0", "r1", "r3", "r4", "r5")
    read = (written >> Pipeline().load(fmt="edf")).next_batch(5)
    assert read.signal.lengths.tolist() == [500] * 5


def test_what_is_there_is_kept_skipped_or_overwritten(tmp_path, records):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/r1.edf").write_bytes(b"mine")
    run = (records >> dumping(tmp_path)).run(batch_size=3, on_error="skip")
    assert {one.record for one in run.skipped} == {"r1", "r2"}
    assert (tmp_path / "out/r1.edf").read_bytes() == b"mine"
    run = (records >> dumping(tmp_path, exists="skip")).run(batch_size=3, on_error="skip")
    assert {one.record for one in run.skipped} == {"r2"}
    assert (tmp_path / "out/r1.edf").read_bytes() == b"mine"
    run = (records >> dumping(tmp_path, exists="overwrite")).run(batch_size=3, on_error="skip")
    assert (tmp_path / "out/r1.edf").read_bytes() != b"mine"


def test_another_format_of_the_same_name_is_no_reason_to_skip(tmp_path, records):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/r1.csv").write_bytes(b"mine")
    (records >> dumping(tmp_path, exists="skip")).run(batch_size=3, on_error="skip")
    assert (tmp_path / "out/r1.edf").exists()


def test_a_persons_name_is_written_only_where_it_was_asked_for(tmp_path, monkeypatch):
    given = []
    original = Edf.write

    def write(self, record, path, *, identify):
        given.append(identify)
        return original(self, record, path, identify=identify)

    monkeypatch.setattr(Edf, "write", write)
    batch = EcgBatch.from_arrays([np.zeros((1, 500), np.float32)], fs=250, leads=["II"], ids=["r"])
    batch = batch.replace(meta=batch.meta.with_columns(name=["Jane Roe"]))
    batch.dump(tmp_path / "without", "edf")
    batch.dump(tmp_path / "with", "edf", identify=True)
    assert given == [False, True]
    assert b"Roe" not in (tmp_path / "without/r.edf").read_bytes()
    assert b"Roe" in (tmp_path / "with/r.edf").read_bytes()


def test_a_writer_that_fails_half_way_leaves_no_file(tmp_path, records, monkeypatch):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/r0.edf").write_bytes(b"mine")
    real = os.replace

    def fails(*paths, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    for name in ("replace", "rename"):
        monkeypatch.setattr(os, name, fails)
        monkeypatch.setattr(Path, name, fails)
    with pytest.raises(CardioFlowError, match="No space left on device"):
        (records >> dumping(tmp_path, exists="overwrite")).run(batch_size=6)
    monkeypatch.setattr(os, "replace", real)
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["r0.edf"]
    assert (tmp_path / "out/r0.edf").read_bytes() == b"mine"


@pytest.mark.parametrize("threads", [0, 4])
def test_it_writes_in_order_in_the_consumer_and_not_ahead(tmp_path, records, threads):
    run = (records >> Pipeline().load(fmt="npz").dump(tmp_path / "out", "npz")).batches(1, threads=threads, prefetch=6)
    for number, batch in enumerate(run, 1):
        assert batch.ids == (f"r{number - 1}",)
        assert sorted(p.stem for p in (tmp_path / "out").iterdir()) == [f"r{i}" for i in range(number)]


def test_each_record_is_written_once_when_another_of_its_batch_fails(tmp_path, records, monkeypatch):
    written = []
    original = Edf.write

    def write(self, record, path, *, identify):
        written.append(path.name)
        return original(self, record, path, identify=identify)

    monkeypatch.setattr(Edf, "write", write)
    run = (records >> dumping(tmp_path, exists="raise")).run(batch_size=6, on_error="skip")
    assert written == [f"r{i}" for i in range(6)]
    assert [s.record for s in run.skipped] == ["r2"]


@pytest.mark.parametrize("name", ["../r", "a/../../r", "/tmp/r"])
def test_an_id_that_leads_out_of_the_folder_is_refused(tmp_path, name):
    batch = EcgBatch.from_arrays([np.zeros((1, 500), np.float32)], fs=250, leads=["II"], ids=[name])
    with pytest.raises(InputError, match=r"dump\(\): the id '.*r' leads out of the folder"):
        batch.dump(tmp_path / "out", "npz")
    assert not list(tmp_path.rglob("*.npz"))


def test_an_id_with_a_folder_is_written_there_and_the_batch_goes_on(tmp_path):
    batch = EcgBatch.from_arrays([np.zeros((1, 500), np.float32)], fs=250, leads=["II"], ids=["a/r"])
    after = batch.dump(tmp_path / "out", "npz")
    assert (after.ids, after.history[-1]) == (("a/r",), "dump")
    assert [file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*.npz")] == ["out/a/r.npz"]
