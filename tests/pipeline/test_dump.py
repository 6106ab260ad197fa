"""Records of a batch that fails are no reason to lose, or to misreport, the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cardioflow import EcgDataset, Pipeline
from cardioflow.errors import InputError


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
