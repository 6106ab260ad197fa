from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from cardioflow.errors import FormatError
from cardioflow.io.base import ReadRequest
from cardioflow.io.schiller_xml import SchillerXml

ALL = ReadRequest(components=frozenset({"signal", "meta", "annotation"}))


@pytest.fixture
def schiller(data: Path) -> Path:
    return data / "formats/schiller_xml/cardio_sample.xml"


def _changed(path: Path, tmp_path: Path, *changes: tuple[str, str]) -> Path:
    written = path.read_text()
    for old, new in changes:
        assert re.search(old, written, re.DOTALL)
        written = re.sub(old, new, written, count=1, flags=re.DOTALL)
    changed = tmp_path / "changed.xml"
    changed.write_text(written)
    return changed


def test_the_rhythm_is_read_in_millivolts(schiller: Path) -> None:
    record = SchillerXml().read(schiller, ALL)
    assert record.signal is not None
    assert (record.fs, record.signal.shape) == (500.0, (12, 5000))
    assert record.leads == ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
    assert record.meta["signame"][3] == "AVR"
    assert record.signal[0, :4] == pytest.approx([-0.060, -0.059, -0.059, -0.059], abs=1e-7)
    assert record.meta["einthoven_rms"] < 1e-6
    assert np.abs(record.signal[3:6].sum(axis=0)).max() <= 0.001 + 1e-7


def test_the_averaged_beats_have_the_amplitudes_that_the_device_measured(schiller: Path) -> None:
    record = SchillerXml(kind="ECG_AVERAGES").read(schiller, ALL)
    assert record.signal is not None
    assert record.signal.shape == (12, 500)
    for row, channel in zip(record.signal, ET.parse(schiller).getroot().iter("channel"), strict=False):
        measured = {a.findtext("name"): a.findtext("value", "") for a in channel.findall("annotation_lead")}
        if measured["R_AMPL"] != "-":
            assert row.max() == pytest.approx(float(measured["R_AMPL"]), abs=0.15)


def test_annotations_agree_with_the_measured_rate_and_durations(schiller: Path) -> None:
    record = SchillerXml().read(schiller, ALL)
    marks, measured = record.annotation, record.meta["measurements"]
    assert marks is not None
    beats = marks.sample[marks.symbol == "N"]
    assert 60 * 500 / np.diff(beats).mean() == pytest.approx(measured["ventricular_rate"], abs=1.0)
    onsets = marks.sample[(marks.symbol == "(") & (marks.num == 1)]
    ends = marks.sample[(marks.symbol == ")") & (marks.num == 1)]
    assert onsets[:3].tolist() == [353, 760, 1163]
    assert (ends - onsets).mean() * 2 == pytest.approx(measured["qrs_ms"], abs=2)
    assert record.signal is not None
    assert all(record.signal[10, a:b].max() > 0.8 for a, b in zip(onsets, ends, strict=True))


@pytest.mark.parametrize("digits", [20, 5000])
def test_an_annotation_at_an_impossible_sample_is_ignored(schiller: Path, tmp_path: Path, digits: int) -> None:
    content = schiller.read_bytes()
    changed = re.sub(rb"(R_QRS_ON</name>\s*<value>)\d+", rb"\g<1>" + b"9" * digits, content)
    assert changed != content
    (tmp_path / "r.xml").write_bytes(changed)
    marks, whole = (SchillerXml().read(path, ALL).annotation for path in (tmp_path / "r.xml", schiller))
    assert marks is not None
    assert whole is not None
    assert len(marks) == len(whole) - 2, "its onset, and the beat between onset and end"


def test_a_clock_that_was_never_set_gives_no_time(schiller: Path, tmp_path: Path) -> None:
    meta = SchillerXml().read(schiller, ALL).meta
    assert (meta["timestamp"], meta["age"], meta["sex"]) == (None, None, None)
    assert (meta["device"], meta["lowpass_hz"]) == ("Schiller AT-10P", 150.0)
    path = _changed(
        schiller,
        tmp_path,
        ("<date>19700101</date>\n<time>000000000", "<date>20190203</date>\n<time>040506789"),
        ("<birthdate></birthdate>", "<birthdate>19500204</birthdate>"),
        ("<gender>UNDEFINED", "<gender>FEMALE"),
        ("<lastname></lastname>", "<lastname>Muster</lastname>"),
        ("<id></id>", "<id>77</id>"),
    )
    meta = SchillerXml().read(path, ALL).meta
    assert meta["timestamp"] == datetime.fromisoformat("2019-02-03T04:05:06.789")
    assert (meta["age"], meta["sex"]) == (68, "F")
    assert "Muster" not in repr(dict(meta))
    told = SchillerXml().read(path, ReadRequest(identify=True)).meta
    assert (told["name"], told["patient_id"], told["birth_date"]) == ("Muster", "77", date(1950, 2, 4))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("(ECG_RHYTHMS.*?<samplecount>)5000", r"\g<1>5001", "holds 5000 samples of lead I; expected 5001"),
        ("(ECG_RHYTHMS.*?<data>)-60", r"\g<1>-60x", "holds something that is not a number in lead I"),
        ("(ECG_RHYTHMS.*?<units>)UV", r"\g<1>KG", "gives 1 'KG' per bit; expected a voltage other than 0"),
        ("(ECG_RHYTHMS.*?<unitperbit>)1.0", r"\g<1>0", "gives 0 'UV' per bit"),
        ("(ECG_RHYTHMS.*?<exponent>)1", r"\g<1>3", "gives its sampling rate the exponent 3"),
        ("(ECG_RHYTHMS.*?<value>)500", r"\g<1>-500", "gives a sampling rate of -500.0 Hz"),
        ("(ECG_RHYTHMS.*?<datastype>)COMMASEPARATE", r"\g<1>BASE64", "stores lead I as 'BASE64'"),
        ("ECG_RHYTHMS", "ECG_OTHER", r"holds no wavedata 'ECG_RHYTHMS'; it has \['ECG_AVERAGES', 'ECG_OTHER'\]"),
    ],
)
def test_errors_for_impossible_values_name_the_file(
    schiller: Path, tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = _changed(schiller, tmp_path, (old, new))
    with pytest.raises(FormatError, match=message) as caught:
        SchillerXml().read(path, ReadRequest())
    assert str(caught.value).startswith(str(path))
