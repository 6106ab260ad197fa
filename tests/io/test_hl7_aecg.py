from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from cardioflow.errors import FormatError
from cardioflow.io.base import ReadRequest
from cardioflow.io.hl7_aecg import Hl7Aecg

ALL = ReadRequest(components=frozenset({"signal", "meta", "annotation"}))


@pytest.fixture
def example(data: Path) -> Path:
    return data / "formats/hl7_aecg/Example_aECG.xml"


def _aecg(tmp_path: Path, sets: str, *, kind: str = "RHYTHM") -> Path:
    path = tmp_path / "small.xml"
    path.write_text(
        f'<AnnotatedECG xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f'<component><series><code code="{kind}"/><component>{sets}</component></series></component></AnnotatedECG>'
    )
    return path


def _set(
    leads: dict[str, str], *, head: str = '<head value="0" unit="s"/>', step: str = 'value="4" unit="ms"', **more: str
) -> str:
    scale, origin = more.get("scale", 'value="5" unit="uV"'), more.get("origin", 'value="0" unit="uV"')
    time = (
        f'<sequence><code code="TIME_RELATIVE"/><value xsi:type="GLIST_PQ">{head}<increment {step}/></value></sequence>'
    )
    values = "".join(
        f'<component><sequence><code code="MDC_ECG_LEAD_{name}"/><value xsi:type="SLIST_PQ">'
        f"<origin {origin}/><scale {scale}/><digits>{digits}</digits></value></sequence></component>"
        for name, digits in leads.items()
    )
    return f"<sequenceSet><component>{time}</component>{values}</sequenceSet>"


def test_values_are_digits_times_scale_in_millivolts(example: Path) -> None:
    record = Hl7Aecg().read(example, ALL)
    assert record.signal is not None
    assert (record.fs, record.signal.shape) == (500.0, (12, 5000))
    root = ET.parse(example).getroot()
    theirs = [[int(v) for v in (e.text or "").split()] for e in root.iter("{urn:hl7-org:v3}digits")][:12]
    np.testing.assert_allclose(record.signal, np.array(theirs) * 0.0025, atol=1e-6)
    assert record.leads == ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6", "III", "aVR", "aVL", "aVF")
    assert record.meta["signame"][9] == "MDC_ECG_LEAD_AVR"


def test_the_stored_limb_leads_obey_einthoven_and_goldberger(example: Path) -> None:
    meta = Hl7Aecg().read(example, ALL).meta
    assert meta["einthoven_rms"] < 1e-6
    # aVR, aVL and aVF are each rounded to a step of 2.5 µV.
    assert meta["goldberger_rms"] < 0.02


def test_metadata_of_the_implementation_guides_example(example: Path) -> None:
    meta = Hl7Aecg().read(example, ALL).meta
    assert (meta["age"], meta["sex"]) == (46, "M")
    assert meta["timestamp"] == datetime.fromisoformat("2002-11-22T09:10:00")
    assert meta["device"] == "Mortara Instrument, Inc. ELI250"
    assert meta["comments"] == ("Sinus Rhythm",)
    assert (meta["lowpass_hz"], meta["notch_hz"]) == (150.0, 60.0)
    assert meta["measurements"] == {
        "p_ms": 102.0,
        "pr_ms": 148.0,
        "qrs_ms": 120.0,
        "qt_ms": 420.0,
        "qtc_ms": 443.0,
        "p_axis": 44.0,
        "qrs_axis": -61.0,
        "t_axis": 86.0,
    }


def test_wave_annotations_agree_with_the_file_and_enclose_the_qrs(example: Path) -> None:
    record = Hl7Aecg().read(example, ALL)
    marks = record.annotation
    assert marks is not None
    assert record.signal is not None
    # The first P wave of the file runs from 0.122 to 0.224 s, its QRS from 0.270 to 0.390 s.
    assert marks.sample[1:5].tolist() == [61, 112, 135, 195]
    assert "".join(marks.symbol[:5]) == "+()()"
    assert marks.aux_note[0] == "Sinus Rhythm"
    onsets = marks.sample[(marks.symbol == "(") & (marks.num == 1)]
    ends = marks.sample[(marks.symbol == ")") & (marks.num == 1)]
    steep = np.abs(np.diff(record.signal, axis=1)).sum(axis=0)
    for onset, end in zip(onsets, ends, strict=True):
        assert 40 <= end - onset <= 80
        assert steep[onset:end].mean() > 3 * np.median(steep)


def test_identity_is_read_only_on_request(example: Path) -> None:
    silent = Hl7Aecg().read(example, ALL).meta
    assert not re.search("Clark|SBJ-123|1953|dizzy", repr(dict(silent)))
    told = Hl7Aecg().read(example, ReadRequest(identify=True)).meta
    assert (told["name"], told["patient_id"], told["birth_date"]) == ("Clark", "SBJ-123", date(1953, 5, 8))
    assert told["patient_key"] == silent["patient_key"]


def test_the_representative_beat_is_read_on_request(example: Path) -> None:
    record = Hl7Aecg(series="REPRESENTATIVE_BEAT").read(example, ALL)
    assert record.signal is not None
    assert record.signal.shape == (12, 599)
    marks = record.annotation
    assert marks is not None
    # Its QRS lasts what the file measured.
    onset, end = (marks.sample[(marks.symbol == s) & (marks.num == 1)][0] for s in "()")
    assert (end - onset) / record.fs * 1000 == pytest.approx(record.meta["measurements"]["qrs_ms"], abs=2)
    with pytest.raises(FormatError, match=r"holds no series 'X'; it has \['RHYTHM', 'REPRESENTATIVE_BEAT'\]"):
        Hl7Aecg(series="X").read(example, ALL)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"scale": 'value="5" unit="uV"'}, [0.005, -0.01]),
        ({"scale": 'value="0.5" unit="mV"', "origin": 'value="100" unit="uV"'}, [0.6, -0.9]),
        ({"scale": 'value="2" unit="nV"', "origin": 'value="1" unit="V"'}, [1000.000002, 999.999996]),
    ],
)
def test_origin_and_scale_have_units_of_their_own(tmp_path: Path, more: dict[str, str], expected: list[float]) -> None:
    record = Hl7Aecg().read(_aecg(tmp_path, _set({"V1": "1 -2"}, **more)), ReadRequest())
    assert record.fs == 250.0
    assert record.signal is not None
    np.testing.assert_allclose(record.signal, [expected], rtol=1e-6)


def test_sets_recorded_one_after_another_share_a_time_line(tmp_path: Path) -> None:
    later = _set({"V2": "4 5"}, head='<head value="8" unit="ms"/>')
    path = _aecg(tmp_path, _set({"V1": "1 2"}) + "</component><component>" + later)
    record = Hl7Aecg().read(path, ReadRequest())
    assert record.signal is not None
    np.testing.assert_allclose(record.signal / 0.005, [[1, 2, np.nan, np.nan], [np.nan, np.nan, 4, 5]], rtol=1e-6)


def test_a_time_zone_is_kept(tmp_path: Path) -> None:
    head = '<head value="20240102030405.500-0800"/>'
    record = Hl7Aecg().read(_aecg(tmp_path, _set({"V1": "1 2"}, head=head)), ReadRequest())
    assert record.meta["timestamp"] == datetime.fromisoformat("2024-01-02T03:04:05.500-08:00")


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (_set({"V1": "1 x"}), "not a number in the digits of MDC_ECG_LEAD_V1"),
        (_set({"V1": "1 nan"}), "not finite in the digits of MDC_ECG_LEAD_V1"),
        (_set({"V1": "1 2", "V2": "1"}), "different lengths in one set: MDC_ECG_LEAD_V1 2, MDC_ECG_LEAD_V2 1"),
        (_set({"V1": "1"}, step='value="0" unit="s"'), "gives 0 s from sample to sample"),
        (_set({"V1": "1"}, step='value="1" unit="fortnight"'), "gives the increment of time in 'fortnight'"),
        (_set({"V1": "1"}, scale='value="0" unit="uV"'), "gives MDC_ECG_LEAD_V1 the scale 0"),
        (_set({"V1": "1"}, scale='value="5"'), "gives MDC_ECG_LEAD_V1 a scale without a unit; expected one such as uV"),
        (_set({"V1": "1"}, scale='value="?" unit="uV"'), "gives '\\?' for the scale of MDC_ECG_LEAD_V1"),
        (_set({"V1": "1"}, scale='value="1e300" unit="V"'), "too large for float32"),
        (_set({"V1": "1e200"}, scale='value="1e200" unit="V"'), "too large for float32"),
        (_set({"V1": ""}), "holds 1 leads of 0 samples"),
        (_set({}), "holds 0 leads of 0 samples"),
        ("<sequenceSet/>", "without a sequence of time"),
        ("", "without a sequence set"),
        (
            _set({"V1": "1"}) + "</component><component>" + _set({"V2": "1"}, head='<head value="9" unit="h"/>'),
            "too far apart in time: together they would last 32400",
        ),
        (
            _set({"V1": "1"}) + "</component><component>" + _set({"V2": "1"}, step='value="1" unit="ms"'),
            "different sampling rates: 250, 1000 Hz",
        ),
    ],
)
def test_errors_for_impossible_values_name_the_file(tmp_path: Path, sets: str, message: str) -> None:
    path = _aecg(tmp_path, sets)
    with pytest.raises(FormatError, match=message) as caught:
        Hl7Aecg().read(path, ReadRequest())
    assert str(caught.value).startswith(str(path))
