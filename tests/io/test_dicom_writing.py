"""DICOM files that we write, read again by ourselves and by pydicom."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import (
    AmbulatoryECGWaveformStorage,
    GeneralECGWaveformStorage,
    TwelveLeadECGWaveformStorage,
)

from cardioflow.batch.leads import GROUPS
from cardioflow.errors import InputError
from cardioflow.io.base import ReadRequest, Record
from cardioflow.io.dicom import Dicom
from cardioflow.io.wfdb import Wfdb

ALL = ReadRequest(components=frozenset({"signal", "meta", "annotation"}))


def _again(record: Record, tmp_path: Path) -> Record:
    (path,) = Dicom().write(record, tmp_path / "again")
    assert path == tmp_path / "again.dcm"
    assert [p.name for p in tmp_path.iterdir()] == ["again.dcm"]
    return Dicom().read(path, ALL)


def test_a_dicom_file_written_again_gives_the_same_record(data: Path, tmp_path: Path) -> None:
    record = Dicom().read(data / "formats/dicom/pydicom_waveform_ecg.dcm", ALL)
    again = _again(record, tmp_path)
    assert np.array_equal(again.signal, record.signal)  # type: ignore[arg-type]
    assert (again.fs, again.leads, again.units) == (record.fs, record.leads, record.units)
    assert again.annotation == record.annotation
    for key in ("age", "sex", "timestamp", "comments", "measurements", "highpass_hz", "lowpass_hz", "sensitivity"):
        assert again.meta[key] == record.meta[key]


def test_a_wfdb_record_is_written_in_its_own_steps_with_all_its_marks(data: Path, tmp_path: Path) -> None:
    request = ReadRequest(ALL.components, ann_ext="atr", stop_s=600.0)
    record = Wfdb().read(data / "mitdb/119.hea", request)
    again = _again(record, tmp_path)
    assert again.signal is not None
    assert record.signal is not None
    assert np.abs(again.signal - record.signal).max() < 1e-6
    assert again.annotation == record.annotation
    assert again.leads == record.leads == ("MLII", "V1")
    theirs = dcmread(tmp_path / "again.dcm").waveform_array(0).T / 1000
    assert np.abs(theirs - record.signal).max() < 1e-6


def test_without_a_step_of_the_source_the_range_has_65534(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    signal = rng.normal(size=(2, 500)).astype(np.float32)
    signal[1] *= 30
    signal[0, 7] = np.nan
    again = _again(Record(signal, 250.0, ("V1", "Resp"), ("mV", "Ohm")), tmp_path)
    assert again.signal is not None
    assert again.units == ("mV", "Ohm")
    for row, other in zip(signal, again.signal, strict=True):
        half_a_step = np.nanmax(np.abs(row)) / 32767 / 2
        assert np.nanmax(np.abs(row - other)) <= half_a_step * 1.001
    assert np.argwhere(np.isnan(again.signal)).tolist() == [[0, 7]]


@pytest.mark.parametrize(
    ("leads", "fs", "n", "uid"),
    [
        (12, 500.0, 5000, TwelveLeadECGWaveformStorage),
        (12, 500.0, 20000, GeneralECGWaveformStorage),
        (20, 200.0, 100, GeneralECGWaveformStorage),
        (3, 128.0, 1000, AmbulatoryECGWaveformStorage),
    ],
)
def test_a_34_the_narrowest_object_that_may_hold_a_record_is_written(
    tmp_path: Path, leads: int, fs: float, n: int, uid: str
) -> None:
    names = (*GROUPS["standard"], *(f"x{i}" for i in range(leads)))[:leads]
    record = Record(np.zeros((leads, n), np.float32), fs, names, ("mV",) * leads)
    _again(record, tmp_path)
    assert dcmread(tmp_path / "again.dcm").SOPClassUID == uid


@pytest.mark.parametrize(("leads", "fs"), [(1, 1001.0), (1, 49.0), (13, 100.0), (25, 500.0)])
def test_values_that_no_dicom_object_can_hold_are_refused(tmp_path: Path, leads: int, fs: float) -> None:
    record = Record(np.zeros((leads, 9), np.float32), fs, tuple(f"x{i}" for i in range(leads)), ("mV",) * leads)
    with pytest.raises(InputError, match=r"cannot be written as DICOM: its ECG objects hold up to 24 leads at 200 to"):
        Dicom().write(record, tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_infinite_samples_are_not_written(tmp_path: Path) -> None:
    record = Record(np.array([[1, np.inf]], np.float32), 500.0, ("I",), ("mV",))
    with pytest.raises(InputError, match="Lead 'I' has infinite samples"):
        Dicom().write(record, tmp_path / "a")


def test_identity_is_written_only_on_request_and_otherwise_its_hash(data: Path, tmp_path: Path) -> None:
    record = Dicom().read(data / "formats/dicom/pydicom_waveform_ecg.dcm", ReadRequest(identify=True))
    Dicom().write(record, tmp_path / "silent")
    content = (tmp_path / "silent.dcm").read_bytes()
    assert not any(word in content for word in (b"Anonymous", b"642341", b"19710123", b"Galliera"))
    assert record.meta["patient_key"].encode() in content
    Dicom().write(record, tmp_path / "told", identify=True)
    told = Dicom().read(tmp_path / "told.dcm", ReadRequest(identify=True)).meta
    assert (told["name"], told["patient_id"], told["birth_date"]) == ("Anonymous", "642341", date(1971, 1, 23))


def test_a_time_with_its_zone_is_written(tmp_path: Path) -> None:
    at = datetime(2021, 5, 6, 7, 8, 9, 123456, tzinfo=timezone(timedelta(hours=-5)))
    record = Record(np.zeros((1, 9), np.float32), 500.0, ("I",), ("mV",), {"timestamp": at, "age": 1.5, "sex": "F"})
    again = _again(record, tmp_path)
    assert again.meta["timestamp"] == at
    assert (again.meta["age"], again.meta["sex"]) == (1.5, "F")


def test_names_that_dicom_could_not_hold_are_made_to_fit(tmp_path: Path) -> None:
    names = ("a\\b", "x" * 70, "é\n")
    record = Record(np.zeros((3, 9), np.float32), 500.0, names, ("mV",) * 3, {"device": "A\\B"})
    again = _again(record, tmp_path)
    assert again.leads == ("a/b", "x" * 64, "é")
    assert again.meta["device"] == "A/B"
