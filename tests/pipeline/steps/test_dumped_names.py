"""Every record that is dumped is in a file of its own, and comes back under its name with its samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cardioflow import EcgBatch, EcgDataset, Pipeline
from cardioflow.errors import InputError, UnknownNameError

IDS = ["rec.1", "rec.2", "a/b", "x y", "r#1", "100", "Ünï"]


def records(ids: list[str]) -> EcgDataset:
    signals = [np.full((1, 500), i + 1, np.float32) for i in range(len(ids))]
    return EcgDataset.from_arrays(signals, fs=100, ids=ids, leads=["I"])


@pytest.mark.parametrize("fmt", ["arrow", "csv", "dicom", "edf", "npz", "parquet"])
def test_a_dot_in_an_id_is_no_suffix_that_another_record_overwrites(fmt: str, tmp_path: Path) -> None:
    run = (records(IDS) >> Pipeline().load().dump(tmp_path, fmt)).run(4, progress=False)
    assert run.skipped == []
    back = EcgDataset(tmp_path, ids=lambda path: path.relative_to(tmp_path).with_suffix("").as_posix())
    assert sorted(back.ids) == sorted(IDS)
    batch = (back >> Pipeline().load()).next_batch(len(IDS))
    for name, signal, fs in zip(batch.ids, batch.signal, batch.fs, strict=True):
        np.testing.assert_allclose(signal[0], IDS.index(name) + 1, atol=1e-3)
        assert (signal.shape, fs) == ((1, 500), 100.0)


def test_wfdb_takes_the_names_that_its_headers_allow_and_lists_the_others(tmp_path: Path) -> None:
    ids = ["r_1", "r-2", "rec.1", "x y"]
    run = (records(ids) >> Pipeline().load().dump(tmp_path, "wfdb")).run(4, progress=False, on_error="skip")
    assert [one.record for one in run.skipped] == ["rec.1", "x y"]
    assert "cannot name a WFDB record; use letters, digits, '-' and '_'" in str(run.skipped[0].reason)
    assert EcgDataset(tmp_path).ids == ("r-2", "r_1")


def test_segments_are_written_one_by_one_under_their_record(tmp_path: Path) -> None:
    signal = np.arange(500, dtype=np.float32)[None]
    data = EcgDataset.from_arrays([signal], fs=100, ids=["r"], leads=["I"])
    cut = Pipeline().load().split_signals(200, 150)
    with pytest.raises(InputError, match=r"dump\(\): the signals are cut into segments\. Call unstack_signals first"):
        (data >> cut.dump(tmp_path, "npz")).run(1, progress=False)
    (data >> cut.unstack_signals().dump(tmp_path, "npz")).run(1, progress=False)
    found = {path.relative_to(tmp_path).as_posix(): path for path in tmp_path.rglob("*.npz")}
    assert sorted(found) == ["r/0.npz", "r/1.npz", "r/2.npz"]
    for k in range(3):
        back = EcgDataset(found[f"r/{k}.npz"]).next_batch(1).load().signal[0]
        np.testing.assert_array_equal(back, signal[:, 150 * k : 150 * k + 200])


def test_what_is_there_counts_by_the_target_of_the_format(tmp_path: Path) -> None:
    data = records(["a", "b"])
    (data.subset(["a"]) >> Pipeline().load().dump(tmp_path, "npz")).run(1, progress=False)
    with pytest.raises(InputError, match=r"a\.npz exists already\. Pass exists='skip' or exists='overwrite'"):
        (data >> Pipeline().load().dump(tmp_path, "npz")).run(2, progress=False)
    # The one that could be written is there; in another format there is none yet.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz", "b.npz"]
    (data >> Pipeline().load().dump(tmp_path, "csv")).run(2, progress=False)
    assert len(list(tmp_path.iterdir())) == 4


def test_overwriting_replaces_the_samples_and_skipping_keeps_them(tmp_path: Path) -> None:
    def mean_after(gain: float, exists: str) -> float:
        data = EcgDataset.from_arrays([np.full((1, 50), gain, np.float32)], fs=100, ids=["a"], leads=["I"])
        (data >> Pipeline().load().dump(tmp_path, "npz", exists=exists)).run(1, progress=False)
        return float(EcgDataset(tmp_path / "a.npz").next_batch(1).load().signal[0].mean())

    assert mean_after(1, "raise") == 1
    assert mean_after(2, "skip") == 1
    assert mean_after(3, "overwrite") == 3


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"fmt": "npz", "exists": "ask"}, InputError, r"exists='ask'\): expected 'raise', 'skip' or 'overwrite'"),
        ({"fmt": "scp"}, InputError, r"dump\(fmt='scp'\): this format is read-only\. Pass one of \[.*'edf'"),
        ({"fmt": "npzz"}, UnknownNameError, r"'npzz'.*Did you mean 'npz'"),
    ],
)
def test_a_format_that_cannot_be_written_is_refused_before_the_run(given, error, said, tmp_path: Path) -> None:
    with pytest.raises(error, match=said):
        Pipeline().load().dump(tmp_path, **given)


def test_a_gap_an_offset_and_two_leads_come_back_from_the_formats_that_hold_floats(tmp_path: Path) -> None:
    signal = np.array([[0.1, np.nan, -3.25, 1e-7], [5, 6, 7, 8]], np.float32)
    batch = EcgBatch.from_arrays([signal], fs=62.5, leads=["II", "V1"], ids=["r"])
    for fmt in ("npz", "arrow", "parquet", "csv"):
        batch.dump(tmp_path / fmt, fmt)
        back = EcgDataset(tmp_path / fmt).next_batch(1).load()
        np.testing.assert_array_equal(back.signal[0], signal)
        assert (back.meta[0]["leads"], back.meta[0]["fs"]) == (("II", "V1"), 62.5)
