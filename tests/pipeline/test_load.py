"""What ``load`` can be told: options of every format, and those of one."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from cardioflow import EcgDataset, Pipeline
from cardioflow.errors import FormatError, InputError


@pytest.fixture
def arrays(tmp_path: Path) -> EcgDataset:
    for name in ("a", "b"):
        np.save(tmp_path / f"{name}.npy", np.full((2, 1000), 2.0, np.float32))
    return EcgDataset([tmp_path / "a.npy", tmp_path / "b.npy"])


def test_options_of_a_format_reach_its_reader(arrays: EcgDataset) -> None:
    with pytest.raises(FormatError, match=r"Say load\(fmt=.npy., fs=500\)"):
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
