from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from cardioflow.errors import FormatError
from cardioflow.io.base import ReadRequest
from cardioflow.io.muse_xml import MuseXml
from cardioflow.report.check import check_file

ALL = ReadRequest(components=frozenset({"signal", "meta", "annotation"}))
NAMES = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
UPPER = [name.upper() for name in NAMES]


@pytest.fixture
def muse(data: Path) -> Path:
    return data / "formats/muse_xml/introecg_example.xml"


@pytest.fixture
def bare(data: Path) -> Path:
    return data / "formats/muse_xml/braveheart_example1.xml"


def _changed(path: Path, tmp_path: Path, old: str, new: str) -> Path:
    written = path.read_text("latin-1")
    assert re.search(old, written, re.DOTALL)
    changed = tmp_path / "changed.xml"
    changed.write_text(re.sub(old, new, written, count=1, flags=re.DOTALL), "latin-1")
    return changed


def test_eight_stored_leads_become_twelve_in_millivolts(muse: Path, bare: Path) -> None:
    for path in (muse, bare):
        record = MuseXml().read(path, ALL)
        assert (record.fs, record.leads) == (500.0, NAMES)
        assert record.signal is not None
        assert record.signal.shape == (12, 5000)
        assert record.meta["derived_leads"] == ("III", "aVR", "aVL", "aVF")
        assert record.meta["checksum_ok"] is True
        # Steps of 4.88 µV, and an R wave of some 0.5 to 2 mV.
        steps = record.signal[[0, 1, 6, 7, 8, 9, 10, 11]] / 0.00488
        assert np.abs(steps - np.rint(steps)).max() < 1e-3
        assert 0.5 < np.ptp(record.signal[10]) < 3
        one, two, three, right, left, foot = record.signal[:6]
        np.testing.assert_allclose(one + three, two, atol=1e-6)
        np.testing.assert_allclose(right + left + foot, 0, atol=1e-6)


def test_the_amplitudes_that_the_device_measured_are_in_the_signal(muse: Path) -> None:
    signal = MuseXml().read(muse, ALL).signal
    assert signal is not None
    root = ET.parse(muse).getroot()
    onsets = [
        int(b.findtext("IntervalMeasurementBeatOffset", "")) + int(b.findtext("IntervalMeasurementQOnset", ""))
        for b in root.findall("IntervalMeasurements/MeasuredInterval")
    ]
    checked = 0
    for item in root.findall("AmplitudeMeasurements/MeasuredAmplitude"):
        name = item.findtext("AmplitudeMeasurementLeadID", "")
        if item.findtext("AmplitudeMeasurementWaveID") != "IE_R" or name.upper() not in UPPER:
            continue
        lead = UPPER.index(name.upper())
        onset = onsets[int(item.findtext("AmplitudeMeasurementBeatID", "")) - 1]
        peak = signal[lead, onset : onset + 50].max() - signal[lead, onset]
        assert peak == pytest.approx(int(item.findtext("AmplitudeMeasurementPeak", "")) / 1000, abs=0.06)
        checked += 1
    assert checked >= 20


def test_metadata_and_the_devices_own_statements(muse: Path) -> None:
    meta = MuseXml().read(muse, ALL).meta
    assert (meta["age"], meta["sex"], meta["device"]) == (40, "M", "MAC55")
    assert meta["timestamp"] == datetime.fromisoformat("2020-09-22T09:03:32")
    assert meta["comments"] == (
        "Sinus bradycardia with sinus arrhythmia with 1st degree A-V block",
        "Otherwise normal ECG",
    )
    assert meta["measurements"]["pr_ms"] == 330
    assert (meta["highpass_hz"], meta["lowpass_hz"], meta["notch_hz"]) == (0.16, 150.0, None)


def test_patient_and_physician_are_read_only_on_request(muse: Path) -> None:
    silent = repr(dict(MuseXml().read(muse, ALL).meta))
    assert not re.search("TESTONE|201700237|Garg|CEDARS|1980", silent)
    told = MuseXml().read(muse, ReadRequest(identify=True)).meta
    assert (told["name"], told["patient_id"], told["birth_date"]) == ("TESTONE MUSE", "201700237", date(1980, 6, 10))
    assert told["institution"] == "CEDARS-SINAI MEDICAL CENTER"
    assert told["comments"][-1].endswith("Confirmed by Garg, Ruchira M.D.")


def test_one_mark_per_beat_beats_at_the_rate_that_was_measured(muse: Path, bare: Path) -> None:
    for path in (muse, bare):
        record = MuseXml().read(path, ALL)
        marks = record.annotation
        assert marks is not None
        assert set(marks.symbol) == {"N"}
        rate = 60 * record.fs / np.diff(marks.sample).mean()
        assert rate == pytest.approx(record.meta["measurements"]["ventricular_rate"], abs=1.5)
        assert record.signal is not None
        slope = np.abs(np.gradient(record.signal[8]))
        # MUSE marks the end of the QRS's energy: the steepest slope of V3 lies within 60 ms.
        assert all(slope[max(b - 30, 0) : b + 30].max() > 5 * np.median(slope) for b in marks.sample)


def test_the_median_beat_is_read_on_request(muse: Path) -> None:
    record = MuseXml(waveform="Median").read(muse, ALL)
    assert record.signal is not None
    assert record.signal.shape == (12, 600)
    with pytest.raises(FormatError, match=r"holds no 'Other' waveform; it has \['Median', 'Rhythm'\]"):
        MuseXml(waveform="Other").read(muse, ALL)


def test_a_sample_changed_shows_in_the_checksum(bare: Path, tmp_path: Path) -> None:
    changed = _changed(bare, tmp_path, r"(>Rhythm<.*?<WaveFormData>\s*)\w", r"\1z")
    assert MuseXml().read(changed, ALL).meta["checksum_ok"] is False
    with pytest.raises(FormatError, match="do not match LeadDataCRC32"):
        MuseXml().read(changed, ReadRequest(strict=True))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("(>Rhythm<.*?LeadSampleSize>)2", r"\g<1>4", "stores lead I in 4 bytes per sample"),
        ("(>Rhythm<.*?LeadSampleCountTotal>)5000", r"\g<1>5001", "holds 10000 bytes for lead I; expected 10002"),
        ("(>Rhythm<.*?LeadAmplitudeUnits>)MICROVOLTS", r"\g<1>HERTZ", "gives lead I 4.88 'HERTZ' per bit"),
        ("(>Rhythm<.*?UnitsPerBit>)4.88", r"\g<1>0", "gives lead I 0 'MICROVOLTS' per bit; expected a voltage"),
        ("(>Rhythm<.*?SampleBase>)500", r"\g<1>0", "gives a sampling rate of 0.0 Hz"),
        ("(>Rhythm<.*?SampleBase>)500", r"\g<1>many", "gives 'many' for SampleBase; expected a number"),
        ("(>Rhythm<.*?SampleExponent>)0", r"\g<1>400", "gives SampleExponent 400"),
        ("(>Rhythm<.*?<WaveFormData>).", r"\g<1>!", "holds no valid base64 in lead I"),
        ("</RestingECG>", "", "is not well-formed XML"),
        ("<Waveform>.*</Waveform>", "", r"holds no 'Rhythm' waveform; it has \[\]"),
    ],
)
def test_errors_for_impossible_values_name_the_file(
    bare: Path, tmp_path: Path, old: str, new: str, message: str
) -> None:
    changed = _changed(bare, tmp_path, old, new)
    with pytest.raises(FormatError, match=message) as caught:
        MuseXml().read(changed, ReadRequest())
    assert str(caught.value).startswith(str(changed))


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE RestingECG [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>',
        '<!DOCTYPE RestingECG SYSTEM "restecg.dtd" [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE RestingECG PUBLIC "a" "http://example.org/restecg.dtd">',
        '<!DOCTYPE RestingECG SYSTEM "a.dtd"><!DOCTYPE RestingECG SYSTEM "restecg.dtd">',
    ],
)
def test_any_dtd_but_the_one_that_all_muse_files_name_is_refused(bare: Path, tmp_path: Path, doctype: str) -> None:
    changed = _changed(bare, tmp_path, "<!DOCTYPE[^>]*>", doctype)
    with pytest.raises(FormatError, match=r"holds a DTD or an entity, which is refused|is not well-formed XML"):
        MuseXml().read(changed, ReadRequest())


@pytest.mark.parametrize(
    ("name", "off"), [("V3", {"V3"}), ("II", {"II", "III", "aVR", "aVL", "aVF"}), ("V6", {"V6"}), (None, set())]
)
def test_leads_that_the_device_found_off_are_flagged(
    bare: Path, tmp_path: Path, name: str | None, off: set[str]
) -> None:
    path = bare
    if name is not None:
        flag = rf"(>Rhythm<.*<LeadID>{name}</LeadID>(?:(?!<LeadOff>).)*<LeadOff>)FALSE"
        path = _changed(bare, tmp_path, flag, r"\g<1>TRUE")
    record = MuseXml().read(path, ReadRequest())
    assert {lead for lead, is_off in zip(record.leads, record.meta["lead_off"], strict=True) if is_off} == off
    part = MuseXml().read(path, ReadRequest(channels=("V6", "II")))
    assert part.meta["lead_off"] == ("V6" in off, "II" in off)
    assert any("the device found disconnected" in text for text in check_file(path).warnings) == bool(off)


def test_without_flags_no_leads_are_reported_as_off(bare: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(bare.read_text("latin-1").replace("LeadOff>", "Other>"), "latin-1")
    assert "lead_off" not in MuseXml().read(path, ReadRequest()).meta


def test_a_lead_that_does_not_state_its_unit_is_flagged(bare: Path, tmp_path: Path) -> None:
    whole = MuseXml().read(bare, ReadRequest())
    path = _changed(bare, tmp_path, r"(>Rhythm<.*?)<LeadAmplitudeUnits>MICROVOLTS</LeadAmplitudeUnits>", r"\g<1>")
    found = MuseXml().read(path, ReadRequest())
    assert found.signal is not None
    assert whole.signal is not None
    np.testing.assert_array_equal(found.signal, whole.signal)
    assert set(found.meta["warnings"]) - set(whole.meta["warnings"]) == {
        "the unit of I is not stated and taken for microvolts"
    }
