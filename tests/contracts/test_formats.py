"""The contract of every file format, tested on a real file of each."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from cardioflow.errors import FormatError
from cardioflow.io._codecs.quantize import as_int16
from cardioflow.io._recognise import recognise
from cardioflow.io.base import Format, ReadRequest, Record
from cardioflow.registry import formats

EVERYTHING = frozenset({"signal", "meta", "annotation"})
# Formats of which no published file is at hand, or which are no files; their own tests write some.
NO_SAMPLE = {
    "arrow": "written by its own tests",
    "bdf": "no BDF file among the test data",
    "cardiosoft_xml": "no CardioSoft file among the test data; written by its own tests",
    "csv": "written by its own tests",
    "mat": "written by its own tests",
    "npy": "written by its own tests",
    "npz": "written by its own tests",
    "packed": "a store, made by its own tests",
    "parquet": "written by its own tests",
    "simulated": "made of a recipe, not of a file",
}
SAMPLES = {
    "contec": "formats/contec/0000037.ECG",
    "dicom": "formats/dicom/pydicom_waveform_ecg.dcm",
    "edf": "formats/edf/contec_0000050.edf",
    "hl7_aecg": "formats/hl7_aecg/Example_aECG.xml",
    "ishne": "formats/ishne/ECG_P28.01.ecg",
    "mfer": "formats/mfer/test-file.MWF",
    "muse_xml": "formats/muse_xml/introecg_example.xml",
    "schiller_xml": "formats/schiller_xml/cardio_sample.xml",
    "scp": "formats/scp/Example.scp",
    "sierra_xml": "formats/sierra_xml/129DYPRG.XML",
    "wav": "formats/wav/cardio_sample.wav",
    "wfdb": "mitdb/119.hea",
}
# 0 mV is not a whole number of this EDF file's steps, and a WAV has no unit.
WITHOUT_GAIN = {"edf", "wav"}


def _reader(fmt: str) -> Format:
    reader: Format = formats.get(fmt)()
    return reader


COMMON = {"age", "sex", "timestamp", "comments", "device", "signame", "derived_leads", "swapped_electrodes"} | {
    "uncalibrated",
    "fs_source",
    "warnings",
    "patient_key",
}


@pytest.fixture(params=sorted(SAMPLES))
def sample(request: pytest.FixtureRequest, data: Path) -> tuple[str, Path]:
    return request.param, data / SAMPLES[request.param]


def _read(fmt: str, path: Path, **more: object) -> Record:
    # MIT-BIH keeps its reference marks under "atr".
    ext = "atr" if fmt == "wfdb" else None
    return _reader(fmt).read(path, ReadRequest(**{"components": EVERYTHING, "ann_ext": ext, **more}))  # type: ignore[arg-type]


def test_every_format_has_a_sample_or_a_reason_for_having_none() -> None:
    assert set(formats.names()) == {*SAMPLES, *NO_SAMPLE}


@pytest.mark.parametrize("fmt", formats.names())
def test_suffixes_are_lower_case_and_an_empty_file_is_not_recognised(fmt: str) -> None:
    reader = formats.get(fmt)
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in reader.suffixes)
    assert reader.recognises(b"") is False
    assert reader.__doc__


def test_the_sample_is_recognised(sample: tuple[str, Path]) -> None:
    fmt, path = sample
    assert recognise(path) == fmt
    assert path.suffix.lower() in formats.get(fmt).suffixes


def test_a_record_is_millivolts_by_lead_and_time_with_the_common_keys(sample: tuple[str, Path]) -> None:
    record = _read(*sample)
    assert record.signal is not None
    assert record.signal.dtype == np.float32
    assert record.signal.flags.c_contiguous
    assert record.signal.shape == (len(record.leads), record.signal.shape[1])
    assert len(record.units) == len(record.leads) == len(record.meta["signame"])
    assert record.fs > 0
    assert set(record.meta) >= COMMON
    assert record.meta["sex"] in {"M", "F", None}
    assert isinstance(record.meta["comments"], tuple)


def test_identifying_metadata_is_absent_unless_requested(sample: tuple[str, Path]) -> None:
    assert not {"name", "patient_id", "birth_date", "institution"} & set(_read(*sample).meta)


def test_only_the_requested_components_are_read(sample: tuple[str, Path]) -> None:
    whole = _read(*sample)
    meta = _read(*sample, components=frozenset({"meta"}))
    assert meta.signal is None
    assert not meta.annotation
    assert (meta.fs, meta.leads) == (whole.fs, whole.leads)
    signal = _read(*sample, components=frozenset({"signal"}))
    assert not signal.meta
    assert np.array_equal(signal.signal, whole.signal, equal_nan=True)  # type: ignore[arg-type]


def test_a_range_of_some_leads_equals_that_part_of_the_whole_record(sample: tuple[str, Path]) -> None:
    whole = _read(*sample)
    chosen = tuple(dict.fromkeys((whole.leads[-1], whole.leads[0])))
    part = _read(*sample, start_s=1.0, stop_s=3.5, channels=chosen)
    assert whole.signal is not None
    assert part.signal is not None
    assert part.leads == chosen
    first, last = round(whole.fs), round(3.5 * whole.fs)
    rows = [whole.leads.index(lead) for lead in chosen]
    assert np.array_equal(part.signal, whole.signal[rows, first:last], equal_nan=True)
    if whole.annotation is not None and part.annotation is not None:
        inside = (whole.annotation.sample >= first) & (whole.annotation.sample < last)
        assert part.annotation.sample.tolist() == (whole.annotation.sample[inside] - first).tolist()


def test_samples_stored_as_integers_can_be_restored_exactly(sample: tuple[str, Path], tmp_path: Path) -> None:
    record = _read(*sample)
    if "adc_gain" not in record.meta:
        assert sample[0] in WITHOUT_GAIN
        return
    assert record.signal is not None
    # Computed leads too, of half a step.
    assert as_int16(record.signal, record.meta["adc_gain"], record.meta["baseline"]) is not None
    formats.get("wfdb")().write(record, tmp_path / "again")
    again = _reader("wfdb").read(tmp_path / "again.hea", ReadRequest())
    assert np.array_equal(again.signal, record.signal, equal_nan=True)  # type: ignore[arg-type]


def test_reading_twice_gives_the_same(sample: tuple[str, Path]) -> None:
    one, other = _read(*sample), _read(*sample)
    assert np.array_equal(one.signal, other.signal, equal_nan=True)  # type: ignore[arg-type]
    assert dict(one.meta) == dict(other.meta)
    assert one.annotation == other.annotation


def test_a_bad_file_gives_an_error_that_names_it(sample: tuple[str, Path], tmp_path: Path) -> None:
    fmt, path = sample
    bad = tmp_path / path.name
    bad.write_bytes(b"")
    missing = tmp_path / "missing" / path.name
    found = _reader(fmt).read_many([path, bad, missing], ReadRequest())
    assert isinstance(found[0], Record)
    for error, name in zip(found[1:], (bad, missing), strict=True):
        assert isinstance(error, FormatError)
        assert str(name.with_suffix("")) in str(error)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"channels": ("no such lead",)}, "no such lead"),
        ({"start_s": 1e6}, r"1e\+06|1000000"),
        ({"start_s": 2.0, "stop_s": 1.0}, r"2.*1"),
    ],
)
def test_a_missing_file_is_an_error(sample: tuple[str, Path], more: dict[str, object], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        _read(*sample, **more)


@pytest.mark.parametrize("fmt", formats.names())
def test_no_format_redefines_a_general_option(fmt: str) -> None:
    # Or load() could not tell which of the two is meant.
    assert not set(formats.get(fmt).options()) & {*(f.name for f in fields(ReadRequest)), "src", "fmt", "components"}


def test_every_readable_file_is_recognised_without_naming_the_format(data: Path) -> None:
    for path in sorted(p for p in data.rglob("*") if p.is_file() and not p.name.startswith(".")):
        if path.suffix not in formats.get("wfdb").suffixes and path.with_suffix(".hea").is_file():
            continue  # part of a record, which the WFDB reader takes for it
        takers = [fmt for fmt in formats.names() if fmt not in {"simulated", "packed"} and _takes(fmt, path)]
        # The bytes of a CinC record are a matrix too, and its header says more; EDF and BDF have one reader.
        expected = {"wfdb"} if "wfdb" in takers else {"edf"} if "edf" in takers else set(takers)
        assert not takers or recognise(path) in expected, f"{path} is read as {takers}"


def _takes(fmt: str, path: Path) -> bool:
    try:
        return _reader(fmt).read(path, ReadRequest(frozenset({"signal", "meta"}), stop_s=1.0)).signal is not None
    except FormatError:
        return False


@pytest.mark.parametrize("fmt", [name for name in formats.names() if formats.get(name).write is not Format.write])
@pytest.mark.parametrize("source", ["mitdb/208", "ptbxl/records100/00000/00001_lr", "formats/scp/Example.scp"])
def test_every_written_file_is_recognised_without_naming_the_format(
    data: Path, tmp_path: Path, fmt: str, source: str
) -> None:
    if fmt == "packed":
        return
    name = "scp" if source.endswith("scp") else "wfdb"
    components = EVERYTHING if source == "mitdb/208" else EVERYTHING - {"annotation"}
    record = _reader(name).read(data / source, ReadRequest(components, stop_s=10.0))
    for path in _reader(fmt).write(record, tmp_path / ("a" if fmt == "wfdb" else "a.b")):
        if path.suffix != ".atr":
            assert recognise(path) == fmt
