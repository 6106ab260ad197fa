"""What ``load`` can be told: options of every format, and those of one."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from cardioflow import C, EcgDataset, Pipeline
from cardioflow.errors import FormatError, InputError


@pytest.fixture
def arrays(tmp_path: Path) -> EcgDataset:
    for name in ("a", "b"):
        np.save(tmp_path / f"{name}.npy", np.full((2, 1000), 2.0, np.float32))
    return EcgDataset([tmp_path / "a.npy", tmp_path / "b.npy"])


def test_options_of_a_format_reach_its_reader(arrays: EcgDataset) -> None:
    with pytest.raises(FormatError, match=r"Pass it, load\(fmt=.npy., fs=500\)"):
        arrays.batch([0, 1]).load(fmt="npy")
    batch = arrays.batch([0, 1]).load(fmt="npy", fs=500, stop_s=1)
    assert batch.meta["fs"].tolist() == [500.0, 500.0]
    assert batch.signal[0].shape == (2, 500)


def test_a_median_beat_is_loaded_where_the_rhythm_would_be(data: Path) -> None:
    dataset = EcgDataset(data / "formats/muse_xml/introecg_example.xml")
    rhythm, median = (dataset.batch([0]).load(fmt="muse_xml", **own) for own in ({}, {"waveform": "Median"}))
    assert median.signal[0].shape[1] < rhythm.signal[0].shape[1] / 4


def test_an_option_of_another_format_is_told_with_the_formats_that_take_it(arrays: EcgDataset) -> None:
    with pytest.raises(
        InputError, match=re.escape("It is an option of muse_xml; name the format: load(fmt='muse_xml'")
    ):
        Pipeline().load(fmt="npy", waveform="Median")
    with pytest.raises(InputError, match=r"load\(\) takes no 'fs' for fmt=None\. It is an option of csv, mat, npy"):
        Pipeline().load(fs=500)
    with pytest.raises(InputError, match=r"load\(\) takes no 'star_s' for fmt='npy'\. Did you mean 'start_s'"):
        Pipeline().load(fmt="npy", star_s=1)


def test_a_packed_store_is_made_with_the_same_options(arrays: EcgDataset, tmp_path: Path) -> None:
    store = arrays.pack(tmp_path / "store", fmt="npy", fs=250)
    batch = store.next_batch(2).load()
    assert batch.meta["fs"].tolist() == [250.0, 250.0]
    assert np.array_equal(batch.signal[1], np.full((2, 1000), 2.0, np.float32))


def test_options_survive_being_saved_with_a_model(arrays: EcgDataset) -> None:
    again = Pipeline.from_json(Pipeline().load(fmt="npy", fs=500).to_json())
    batch = (arrays >> again).next_batch(2)
    assert batch.meta["fs"].tolist() == [500.0, 500.0]


def test_expressions_inside_options_have_their_values_when_a_file_is_read(tmp_path: Path) -> None:
    savemat = pytest.importorskip("scipy.io").savemat
    savemat(tmp_path / "r.mat", {"first": np.ones((2, 300)), "second": np.full((2, 300), 2.0)})
    records = EcgDataset([tmp_path / "r.mat"])
    template = Pipeline(config={"v": "second", "fs": 250, "stop": 0.4}).load(
        fmt="mat", variable=C("v"), fs=C("fs"), stop_s=C("stop")
    )
    batch = (records >> template).next_batch(1)
    assert batch.meta["fs"].tolist() == [250.0]
    assert np.array_equal(batch.signal[0], np.full((2, 100), 2.0, np.float32))


def test_expressions_inside_lists_of_options_have_their_values(arrays: EcgDataset) -> None:
    template = Pipeline(config={"lead": 1}).load(fmt="npy", fs=500, channels=[C("lead"), 0])
    assert (arrays >> template).next_batch(1).meta[0]["signame"] == ("signal 1", "signal 0")


def test_options_of_a_table_may_be_settings(arrays: EcgDataset, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("id,age,rhythm\na,61,N\nb,70,AF\n")
    template = Pipeline(config={"table": tmp_path / "labels.csv", "column": "rhythm"}).load(
        src=C("table"), components="target", label_column=C("column")
    )
    assert (arrays >> template).next_batch(2).target.tolist() == ["N", "AF"]


def test_an_expression_of_a_pipeline_is_refused_on_a_batch(arrays: EcgDataset) -> None:
    with pytest.raises(InputError, match=r"load\(fs=C\('fs'\)\) has no value here.*dataset >> Pipeline"):
        arrays.batch([0]).load(fmt="npy", fs=C("fs"))
    with pytest.raises(InputError, match=r"load\(channels=\[C\('lead'\)\]\) has no value here"):
        arrays.batch([0]).load(fmt="npy", fs=500, channels=[C("lead")])


def test_a_wrong_option_of_every_format_fails_when_the_pipeline_is_written() -> None:
    with pytest.raises(InputError, match=r"common_fs=0: expected more than 0 Hz"):
        Pipeline().load(fmt="wfdb", common_fs=0)
    with pytest.raises(InputError, match=r"damaged='maybe' is not one of"):
        Pipeline().load(fmt="wfdb", damaged="maybe")


def test_targets_are_not_loaded_together_with_what_files_hold() -> None:
    with pytest.raises(InputError, match=r"targets come from a table and the others from files"):
        Pipeline().load(components=["signal", "target"])


@pytest.mark.parametrize("fmt", ["wfdb", "edf", "npz"])
def test_targets_are_not_read_from_files_of_signals(fmt: str) -> None:
    with pytest.raises(
        InputError, match=rf"load\(fmt='{fmt}', components='target'\): targets are read from 'csv' or a"
    ):
        Pipeline().load(src="REFERENCE.csv", fmt=fmt, components="target")


def test_a_step_that_would_load_nothing_is_refused() -> None:
    with pytest.raises(InputError, match=r"load\(components=\[\]\): nothing to load\. Pass some of "):
        Pipeline().load(components=[])
