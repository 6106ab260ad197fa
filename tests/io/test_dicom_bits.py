"""DICOM samples that use fewer bits than they are allocated, and times that are the study's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset

from cardioflow.io.base import ReadRequest, Record
from cardioflow.io.dicom import Dicom


@pytest.fixture
def source(data: Path) -> Path:
    return data / "formats" / "dicom" / "pydicom_waveform_ecg.dcm"


def _changed(source: Path, target: Path, change: Callable[[NDArray[np.int16]], Any], bits: int) -> Record:
    """Read a copy of ``source`` whose samples are changed and whose channels state that they use ``bits``."""
    dataset = dcmread(source)
    for group in dataset.WaveformSequence:
        for channel in group.ChannelDefinitionSequence:
            channel.WaveformBitsStored = bits
        stored = np.frombuffer(group.WaveformData, "<i2")
        group.WaveformData = np.asarray(change(stored)).astype("<u2").tobytes()
    dataset.save_as(target)
    return Dicom().read(target, ReadRequest())


@pytest.mark.parametrize("bits", [12, 14, 15])
def test_negative_samples_without_their_sign_are_the_same_as_with_it(source: Path, tmp_path: Path, bits: int) -> None:
    half = 1 << (bits - 1)
    whole = _changed(source, tmp_path / "a.dcm", lambda v: np.clip(v, -half, half - 1), 16)
    signed = _changed(source, tmp_path / "b.dcm", lambda v: np.clip(v, -half, half - 1), bits)
    bare = _changed(
        source, tmp_path / "c.dcm", lambda v: np.clip(v, -half, half - 1).view(np.uint16) % (2 * half), bits
    )
    assert whole.signal is not None
    assert whole.signal.min() < 0
    for found in (signed, bare):
        np.testing.assert_array_equal(found.signal, whole.signal)
        assert found.meta["warnings"] == whole.meta["warnings"]


def test_padding_keeps_its_value_and_is_not_a_sample(source: Path, tmp_path: Path) -> None:
    dataset = dcmread(source)
    group = dataset.WaveformSequence[0]
    stored = np.clip(np.frombuffer(group.WaveformData, "<i2"), -2048, 2047).view(np.uint16) % 4096
    stored[: 12 * 10] = 0x8000
    group.WaveformData = stored.astype("<u2").tobytes()
    group.add_new("WaveformPaddingValue", "OW", b"\x00\x80")
    for channel in group.ChannelDefinitionSequence:
        channel.WaveformBitsStored = 12
    dataset.save_as(tmp_path / "a.dcm")
    found = Dicom().read(tmp_path / "a.dcm", ReadRequest()).signal
    whole = _changed(source, tmp_path / "b.dcm", lambda v: np.clip(v, -2048, 2047), 16).signal
    assert found is not None
    assert whole is not None
    assert np.isnan(found[:, :10]).all()
    np.testing.assert_array_equal(found[:, 10:], whole[:, 10:])


def test_samples_beyond_the_bits_that_are_stated_are_kept_and_flagged(source: Path, tmp_path: Path) -> None:
    whole = _changed(source, tmp_path / "a.dcm", lambda v: v, 16)
    found = _changed(source, tmp_path / "b.dcm", lambda v: v, 6)
    np.testing.assert_array_equal(found.signal, whole.signal)
    (text,) = set(found.meta["warnings"]) - set(whole.meta["warnings"])
    assert text.startswith("samples of channel 1, 2, 3")
    assert text.endswith("need more bits than WaveformBitsStored states")


def _timed(source: Path, target: Path, **times: str) -> Record:
    dataset: Dataset = dcmread(source)
    for name in ("AcquisitionDateTime", "AcquisitionDate", "AcquisitionTime", "ContentDate", "ContentTime"):
        if name in dataset:
            delattr(dataset, name)
    dataset.StudyDate, dataset.StudyTime = "20200102", "030405"
    for name, value in times.items():
        setattr(dataset, name, value)
    dataset.save_as(target)
    return Dicom().read(target, ReadRequest())


def test_a_time_that_is_only_the_studys_is_flagged(source: Path, tmp_path: Path) -> None:
    said = "the time is that of the study, not of the recording"
    found = _timed(source, tmp_path / "a.dcm")
    assert found.meta["timestamp"] == datetime(2020, 1, 2, 3, 4, 5)  # noqa: DTZ001 -- the file has no zone
    assert said in found.meta["warnings"]
    for times in ({"AcquisitionDateTime": "20200103040506"}, {"ContentDate": "20200103", "ContentTime": "040506"}):
        other = _timed(source, tmp_path / "b.dcm", **times)
        assert other.meta["timestamp"] == datetime(2020, 1, 3, 4, 5, 6)  # noqa: DTZ001
        assert said not in other.meta["warnings"]
