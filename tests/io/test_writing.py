"""What is written is read again: every format that can write, through the same checks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest
import wfdb

from cardioflow.batch.annotation import Annotation
from cardioflow.errors import InputError
from cardioflow.io.base import Format, ReadRequest, Record
from cardioflow.registry import formats

EVERYTHING = ReadRequest(components=frozenset({"signal", "meta", "annotation"}))
WRITABLE = [name for name in formats.names() if formats.get(name).write is not Format.write]
# These hold float32; the others 16 bits, over the range of the samples.
EXACT = {"arrow", "csv", "npz", "parquet"}


def record(n: int = 1000, fs: float = 250.0, **meta: object) -> Record:
    rng = np.random.default_rng(0)
    signal = np.cumsum(rng.normal(0, 0.02, (2, n)), axis=1).astype(np.float32)
    told = {"age": 61, "sex": "F", "timestamp": datetime(2001, 2, 3, 4, 5, 6), "comments": (), "device": None}  # noqa: DTZ001
    marks = Annotation(
        sample=np.array([0, 200, 900, 950]),
        symbol=np.array(["+", "N", "V", '"']),
        aux_note=("(AFIB", "", "", "a note"),
    )
    return Record(signal, fs, ("II", "V1"), ("mV", "mV"), told | meta, marks)


def again(fmt: str, path: Path) -> Record:
    return formats.get(fmt)().read(path, EVERYTHING)


@pytest.mark.parametrize("fmt", WRITABLE)
def test_a_record_survives_a_round_trip(fmt, tmp_path):
    source = record()
    files = formats.get(fmt)().write(source, tmp_path / "deep" / "r1")
    assert all(file.is_file() and file.parent == tmp_path / "deep" for file in files)
    assert files[-1] == formats.get(fmt).target(tmp_path / "deep" / "r1")
    found = again(fmt, files[-1])
    assert (found.fs, found.leads, found.units) == (source.fs, source.leads, source.units)
    if fmt in EXACT:
        np.testing.assert_array_equal(found.signal, source.signal)
    else:
        step = np.abs(source.signal).max(axis=1, keepdims=True) / 32000
        assert (np.abs(found.signal - source.signal) <= step).all()
    assert found.annotation == source.annotation
    assert found.meta["sex"] == "F"
    assert found.meta["timestamp"] == source.meta["timestamp"]


@pytest.mark.parametrize("fmt", sorted(EXACT))
def test_two_limb_leads_stay_two_and_keep_their_metadata(fmt, tmp_path):
    source = replace(
        record(adc_gain=(100.0, 200.0), baseline=(0, 1), fmt=("16", "16"), signame=("MLI", "b")), leads=("I", "II")
    )
    files = formats.get(fmt)().write(source, tmp_path / "r1")
    found = again(fmt, files[-1])
    assert (found.leads, found.meta["derived_leads"], found.meta["signame"]) == (("I", "II"), (), ("MLI", "b"))
    turned = formats.get(fmt)().read(files[-1], ReadRequest(channels=("II", "I")))
    assert (turned.meta["adc_gain"], turned.meta["signame"]) == ((200.0, 100.0), ("b", "MLI"))
    np.testing.assert_array_equal(turned.signal, source.signal[::-1])


@pytest.mark.parametrize("fmt", WRITABLE)
def test_written_files_are_recognised(fmt, tmp_path):
    files = formats.get(fmt)().write(record(), tmp_path / "r1")
    head = files[-1].read_bytes()[:4096]
    assert [name for name in formats.names() if formats.get(name).recognises(head)] == [fmt]


@pytest.mark.parametrize("fmt", WRITABLE)
def test_nothing_is_left_behind_when_writing_fails(fmt, tmp_path, monkeypatch):
    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        formats.get(fmt)().write(record(), tmp_path / "r1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("identify", [False, True])
@pytest.mark.parametrize("fmt", WRITABLE)
def test_identity_is_written_only_on_request(fmt, tmp_path, identify):
    comments = ("Patient ID: A17", "sinus rhythm", "Referring physician: Lovelace")
    source = record(name="Ada Lovelace", patient_id="A17", birth_date=date(1915, 12, 10), comments=comments)
    files = formats.get(fmt)().write(source, tmp_path / "r1", identify=identify)
    # NumPy has four bytes a letter.
    raw = b"".join(file.read_bytes() for file in files).replace(b"\0", b"")
    assert (b"Lovelace" in raw, b"A17" in raw) == (identify, identify)
    assert b"sinus rhythm" in raw


@pytest.mark.parametrize("fmt", WRITABLE)
def test_a_record_without_a_signal_cannot_be_written(fmt, tmp_path):
    with pytest.raises(InputError, match="a signal of shape None and 2 lead names cannot be written"):
        formats.get(fmt)().write(replace(record(), signal=None), tmp_path / "r1")
    segments = replace(record(), signal=np.zeros((3, 2, 10), np.float32))
    with pytest.raises(InputError, match="unstack segments first"):
        formats.get(fmt)().write(segments, tmp_path / "r1")


def test_a_format_that_only_reads_names_those_that_write(tmp_path):
    with pytest.raises(InputError, match=r"Ishne can only be read. Formats that can be written: .*csv.*edf.*npz.*wfdb"):
        formats.get("ishne")().write(record(), tmp_path / "r1")


@pytest.mark.parametrize("name", ["mitdb/119", "mitdb/208", "ludb/7", "qtdb/sel230", "ptbxl", "cinc2017/A00015"])
def test_wfdb_to_wfdb_is_exact_to_the_bit(data, tmp_path, name):
    path = next((data / name).rglob("*.hea")) if (data / name).is_dir() else data / f"{name}.hea"
    reader = formats.get("wfdb")()
    source = reader.read(path, ReadRequest())
    files = reader.write(source, tmp_path / "r1")
    old = next(p for p in (path.with_suffix(".dat"), path.with_suffix(".mat")) if p.exists()).read_bytes()
    assert files[-2].read_bytes() == (old[24:] if path.name.startswith("A0") else old)
    found = reader.read(files[-1], ReadRequest(strict=True))
    np.testing.assert_array_equal(found.signal, source.signal)
    for key in ("adc_gain", "baseline", "fmt", "adc_units", "signame", "comments", "age", "sex", "timestamp"):
        assert found.meta[key] == source.meta[key], key
    assert found.meta["checksum_ok"] is True


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # wfdb 4.3 with pandas 3
@pytest.mark.parametrize("name", ["mitdb/119", "qtdb/sel230"])
def test_wfdb_reads_the_records_and_marks_that_we_write(data, tmp_path, name):
    source = formats.get("wfdb")().read(data / name, EVERYTHING)
    formats.get("wfdb")().write(source, tmp_path / "r1")
    theirs = wfdb.rdrecord(str(tmp_path / "r1"))
    np.testing.assert_array_equal(theirs.p_signal.T.astype(np.float32), source.signal)
    marks = wfdb.rdann(str(tmp_path / "r1"), "atr")
    np.testing.assert_array_equal(marks.sample, source.annotation.sample)
    assert marks.symbol == source.annotation.symbol.tolist()
    assert tuple(marks.aux_note) == source.annotation.aux_note


def test_missing_samples_are_kept_by_wfdb_and_refused_by_edf(tmp_path):
    source = record()
    holed = source.signal.copy()
    holed[1, 10:20] = np.nan
    source = replace(source, signal=holed)
    files = formats.get("wfdb")().write(source, tmp_path / "r1")
    np.testing.assert_array_equal(np.isnan(again("wfdb", files[-1]).signal), np.isnan(holed))
    with pytest.raises(InputError, match="Lead 'V1' has 10 samples that are NaN"):
        formats.get("edf")().write(source, tmp_path / "r1")
    holed = np.where(np.isnan(holed), np.inf, holed)
    with pytest.raises(InputError, match="Lead 'V1' has infinite samples"):
        formats.get("wfdb")().write(replace(source, signal=holed), tmp_path / "r1")


def test_samples_that_no_longer_fit_their_format_get_more_bits(data, tmp_path):
    source = formats.get("wfdb")().read(data / "mitdb/119", ReadRequest(stop_s=10.0))
    for factor, bits in ((1.0, "212"), (10.0, "16"), (1000.0, "16")):
        loud = replace(source, signal=source.signal * np.float32(factor))
        files = formats.get("wfdb")().write(loud, tmp_path / "r1")
        found = formats.get("wfdb")().read(files[-1], ReadRequest())
        assert set(found.meta["fmt"]) == {bits}
        assert np.abs(found.signal - loud.signal).max() <= max(1 / 200, np.abs(loud.signal).max() / 30000)


def test_annotations_of_every_kind_survive_a_round_trip(tmp_path):
    marks = Annotation(
        sample=np.array([5, 5, 1028, 90000, 90001, 2**33]),
        symbol=np.array(["N", "z", "(", ")", "[17]", "own"]),
        aux_note=("", "odd", "", "", "", "even"),
        channel=np.array([0, 3, 3, 0, 255, 1]),
        num=np.array([0, 1, -1, 2, 0, 0]),
        subtype=np.array([0, 1, -2, 0, 0, 5]),
    )
    files = formats.get("wfdb")().write(replace(record(), annotation=marks.take(np.arange(5))), tmp_path / "r1")
    # The record has two leads, so that 3 and 255 are not leads, and no mark is of the second.
    assert again("wfdb", files[-1]).annotation == replace(marks.take(np.arange(5)), channel=np.zeros(5, np.int64))
    with pytest.raises(InputError, match="lies 8589844591 samples after"):
        formats.get("wfdb")().write(replace(record(), annotation=marks), tmp_path / "r2")


@pytest.mark.parametrize("fmt", sorted(EXACT | {"edf"}))
def test_a_dot_in_a_name_stays(fmt, tmp_path):
    names = [formats.get(fmt)().write(record(), tmp_path / name)[-1].name for name in ("x.1", "x.2", f"x.{fmt}")]
    assert names == [f"x.1.{fmt}", f"x.2.{fmt}", f"x.{fmt}"]


def test_a_name_that_wfdb_forbids_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"'x.1' cannot name a WFDB record"):
        formats.get("wfdb")().write(record(), tmp_path / "x.1")
    assert [f.name for f in formats.get("wfdb")().write(record(), tmp_path / "x.hea")] == ["x.atr", "x.dat", "x.hea"]
    with pytest.raises(InputError, match="'a b' cannot name a WFDB record"):
        formats.get("wfdb")().write(record(), tmp_path / "a b")


@pytest.mark.parametrize(("n", "fs"), [(650000, 360.0), (1001, 250.0), (997, 128.0), (30, 257.0), (300, 62.5)])
def test_edf_keeps_lengths_and_rates_that_make_no_whole_records(tmp_path, n, fs):
    source = record(n, fs)
    files = formats.get("edf")().write(source, tmp_path / "r1")
    found = again("edf", files[-1])
    assert (found.signal.shape[1], found.fs) == (n, fs)
    part = formats.get("edf")().read(files[-1], ReadRequest(start_s=n / fs / 2))
    np.testing.assert_array_equal(part.signal[0], found.signal[0, round(n / fs / 2 * fs) :])


def test_integers_of_wfdb_survive_edf(data, tmp_path):
    source = formats.get("wfdb")().read(data / "mitdb/119", ReadRequest())
    files = formats.get("edf")().write(source, tmp_path / "r1")
    np.testing.assert_array_equal(again("edf", files[-1]).signal, source.signal)


@pytest.mark.parametrize("identify", [False, True])
@pytest.mark.parametrize("fmt", WRITABLE)
def test_the_patients_key_stays_for_grouping(fmt, tmp_path, identify):
    source = record(patient_key="0123456789abcdef")
    for name in ("r1", "r2"):
        files = formats.get(fmt)().write(source, tmp_path / name, identify=identify)
        source = again(fmt, files[-1])
        assert source.meta["patient_key"] == "0123456789abcdef"


@pytest.mark.parametrize("fmt", WRITABLE)
def test_a_moment_keeps_its_fraction_of_a_second(fmt, tmp_path):
    at = datetime(2020, 1, 2, 3, 4, 5, 123456)  # noqa: DTZ001 -- neither WFDB nor EDF has a zone
    files = formats.get(fmt)().write(record(timestamp=at), tmp_path / "r1")
    assert again(fmt, files[-1]).meta["timestamp"] == at


@pytest.mark.parametrize("fmt", sorted(set(WRITABLE) - {"wfdb"}))
def test_filters_survive_a_round_trip(fmt, tmp_path):
    told = {"highpass_hz": 0.05, "lowpass_hz": 150.0, "notch_hz": (50.0, None)}
    files = formats.get(fmt)().write(record(**told), tmp_path / "r1")
    found = again(fmt, files[-1]).meta
    assert {key: found[key] for key in told} == told


@pytest.mark.parametrize("fmt", WRITABLE)
@pytest.mark.parametrize("age", [0.0, 0.5, 3.0, 61.5, 89.0])
def test_an_age_survives_a_round_trip(fmt, tmp_path, age):
    files = formats.get(fmt)().write(record(age=age), tmp_path / "r1")
    assert again(fmt, files[-1]).meta["age"] == age
