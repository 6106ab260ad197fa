from __future__ import annotations

import base64
import re
import struct
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from numpy.typing import NDArray

from cardioflow.errors import FormatError
from cardioflow.io.base import ReadRequest
from cardioflow.io.sierra_xml import SierraXml

ALL = ReadRequest(components=frozenset({"signal", "meta", "annotation"}))
NAMES = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
NS = "{http://www3.medical.philips.com}"


def _packed(text: bytes) -> bytes:
    """Encode bytes by LZW with 10-bit codes."""
    table = {bytes([i]): i for i in range(256)}
    codes, known = [], b""
    for letter in text:
        longer = known + bytes([letter])
        if longer in table:
            known = longer
            continue
        codes.append(table[known])
        if len(table) < 1023:
            table[longer] = len(table)
        known = bytes([letter])
    codes += [table[known], 1023]
    bits = "".join(f"{code:010b}" for code in codes)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


def _chunk(row: Sequence[int]) -> bytes:
    curves = [2 * b - a - c for a, b, c in zip(row, row[1:], row[2:], strict=False)]
    stored = np.array([*row[:2], *(v + 64 for v in curves[1:]), 0], ">i2")
    # All high bytes, then all low bytes.
    pairs = stored.view(np.uint8).reshape(-1, 2)
    packed = _packed(pairs[:, 0].tobytes() + pairs[:, 1].tobytes())
    return struct.pack("<IHh", len(packed), 1, curves[0]) + packed


def _residuals(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    one, two, three = rows[:3]
    left = rows.copy()
    left[2] = two - one - three
    left[3] = -rows[3] - (one + two) // 2
    left[4] = (one - three) // 2 - rows[4]
    left[5] = (two + three) // 2 - rows[5]
    return left


def _file(
    tmp_path: Path, content: bytes, n: int, *, attributes: str = "", character: str = "", version: str = "1.04"
) -> Path:
    path = tmp_path / "a.xml"
    path.write_text(
        f'<restingecgdata xmlns="{NS[1:-1]}"><documentinfo><documenttype>SierraECG</documenttype>'
        f"<documentversion>{version}</documentversion></documentinfo><dataacquisition><signalcharacteristics>"
        f"<samplingrate>500</samplingrate><resolution>5</resolution><acquisitiontype>STD-12</acquisitiontype>"
        f"<numberchannelsallocated>12</numberchannelsallocated>{character}</signalcharacteristics></dataacquisition>"
        f'<waveforms><parsedwaveforms dataencoding="Base64" durationperchannel="{2 * n}" {attributes}>'
        f"{base64.b64encode(content).decode()}</parsedwaveforms></waveforms></restingecgdata>"
    )
    return path


@pytest.fixture
def rows() -> NDArray[np.int64]:
    rng = np.random.default_rng(3)
    walk = np.cumsum(rng.integers(-9, 10, (12, 500)), axis=1)
    walk[:, 200:205] += 300
    return walk


@pytest.mark.parametrize(("name", "pulse_s"), [("129DYPRG.XML", 0.472), ("3191723_ZZDEMOPTONLY_1-04_orig.xml", 0.4)])
def test_the_calibration_pulse_is_one_millivolt_and_is_removed(data: Path, name: str, pulse_s: float) -> None:
    path = data / "formats/sierra_xml" / name
    whole = SierraXml(calibration_pulse=True).read(path, ALL)
    assert whole.signal is not None
    assert (whole.fs, whole.leads, whole.signal.shape) == (500.0, NAMES, (12, 5500))
    # 100 samples of the 11 s, at the same place in all leads.
    assert whole.signal[:, 5350:5450] == pytest.approx(1.0, abs=1e-7)
    cut = SierraXml().read(path, ALL)
    assert cut.signal is not None
    assert cut.meta["calibration_pulse_s"] == pulse_s
    assert np.array_equal(cut.signal, whole.signal[:, : 5500 - round(pulse_s * 500)])


@pytest.mark.parametrize("name", ["129DYPRG.XML", "3191723_ZZDEMOPTONLY_1-04_orig.xml"])
def test_the_decompressed_limb_leads_obey_einthoven_and_goldberger(data: Path, name: str) -> None:
    meta = SierraXml().read(data / "formats/sierra_xml" / name, ALL).meta
    # A step is 5 µV, and the halves of the augmented leads are rounded down.
    assert meta["einthoven_rms"] < 0.04
    assert meta["goldberger_rms"] < 0.05


def test_the_signal_has_the_waves_that_the_device_measured(data: Path) -> None:
    path = data / "formats/sierra_xml/3191723_ZZDEMOPTONLY_1-04_orig.xml"
    record = SierraXml().read(path, ALL)
    assert record.signal is not None
    checked = 0
    for lead in ET.parse(path).getroot().iter(f"{NS}leadmeasurement"):
        # Peak to peak of the QRS, in microvolts, of the beats' mean.
        measured = float(lead.findtext(f"{NS}qrsppk", "0")) / 1000
        row = record.signal[NAMES.index(lead.get("leadname", ""))]
        windows = row[: row.size // 1000 * 1000].reshape(-1, 1000)
        assert np.median(np.ptp(windows, axis=1)) == pytest.approx(measured, rel=0.35, abs=0.25)
        checked += 1
    assert checked == 12


def test_representative_beats_obey_the_laws_and_their_waves_are_where_the_device_says(data: Path) -> None:
    record = SierraXml(representative_beats=True).read(data / "formats/sierra_xml/repbeats_example.xml", ALL)
    assert record.signal is not None
    assert record.annotation is not None
    assert (record.signal.shape, record.fs, record.leads) == ((12, 1200), 1000.0, NAMES)
    assert record.meta["einthoven_rms"] < 0.03
    assert record.meta["goldberger_rms"] < 0.035
    marks = record.annotation
    assert marks.sample.tolist() == [341, 445, 505, 556, 607, 712, 904]
    assert "".join(marks.symbol) == "()(N)()"
    # The steepest part of the beat, over all leads, is inside the QRS.
    steepness = np.abs(np.diff(record.signal, axis=1)).sum(axis=0)
    assert 505 <= steepness.argmax() <= 607
    # Between P and QRS, and before P, next to nothing happens.
    assert np.ptp(record.signal[:, 200:330], axis=1).max() < 0.03 < np.ptp(record.signal[:, 341:445], axis=1).max()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('duration="1200"', 'duration="1201"', "expected 2402 for 1201 samples"),
        ('samplespersec="1000"', 'samplespersec="0"', "expected more than 0"),
        (
            'resolution="1.0" repbeatmethod',
            'resolution="x" repbeatmethod',
            "the resolution of the representative beats",
        ),
        ("repbeat ", "other ", "representative beats of 0 leads"),
    ],
)
def test_damaged_representative_beats_are_refused(data: Path, tmp_path: Path, old: str, new: str, says: str) -> None:
    content = (data / "formats/sierra_xml/repbeats_example.xml").read_text("utf-8")
    changed = content.replace(old, new).replace("</repbeat>", "</other>" if new == "other " else "</repbeat>")
    assert changed != content
    (tmp_path / "r.xml").write_text(changed, "utf-8")
    with pytest.raises(FormatError, match=says):
        SierraXml(representative_beats=True).read(tmp_path / "r.xml", ALL)


def test_metadata_of_a_heartstart_and_a_pagewriter(data: Path) -> None:
    old = SierraXml().read(data / "formats/sierra_xml/129DYPRG.XML", ALL).meta
    assert (old["age"], old["sex"], old["device"], old["version"]) == (50, "M", "Philips HeartstartMRx", "1.03")
    assert old["timestamp"] == datetime.fromisoformat("2011-12-01T07:27:34")
    assert (old["highpass_hz"], old["lowpass_hz"], old["notch_hz"]) == (0.05, 150.0, None)
    assert old["comments"][0] == "Sinus bradycardia: rate< 50"
    new = SierraXml().read(data / "formats/sierra_xml/3191723_ZZDEMOPTONLY_1-04_orig.xml", ALL).meta
    assert (new["age"], new["sex"], new["device"]) == (60, "M", "Philips PageWriter Touch")
    assert new["electrode_placement"] == "STD"
    measured = new["measurements"]
    assert (measured["ventricular_rate"], measured["qt_ms"], measured["qrs_axis"]) == (84.0, 352.0, 78.0)


def test_identity_is_read_only_on_request(data: Path) -> None:
    path = data / "formats/sierra_xml/3191723_ZZDEMOPTONLY_1-04_orig.xml"
    assert not any(word in repr(dict(SierraXml().read(path, ALL).meta)) for word in ("ZZDEMO", "9999", "1950"))
    told = SierraXml().read(path, ReadRequest(identify=True)).meta
    assert (told["name"], told["patient_id"]) == ("ADULT ZZDEMOPTONLY", "9999")
    assert told["birth_date"] == date(1950, 1, 1)


def test_xli_is_decompressed(tmp_path: Path, rows: NDArray[np.int64]) -> None:
    content = b"".join(_chunk(row) for row in _residuals(rows))
    for attributes in ('compression="XLI"', 'compressflag="True" compressmethod="XLI"'):
        record = SierraXml().read(_file(tmp_path, content, 500, attributes=attributes), ALL)
        assert record.signal is not None
        np.testing.assert_allclose(record.signal, rows * 0.005, atol=1e-6)


def test_xli_of_very_few_samples_is_decompressed(tmp_path: Path, rows: NDArray[np.int64]) -> None:
    # Found by damaging the sample count: a chunk may hold more samples than are asked for.
    content = b"".join(_chunk(row) for row in _residuals(rows))
    for n in (1, 2, 3):
        record = SierraXml().read(_file(tmp_path, content, n, attributes='compression="XLI"'), ALL)
        assert record.signal is not None
        np.testing.assert_allclose(record.signal, rows[:, :n] * 0.005, atol=1e-6)


def test_uncompressed_samples_are_read(tmp_path: Path, rows: NDArray[np.int64]) -> None:
    content = rows.astype("<i2").tobytes()
    record = SierraXml().read(_file(tmp_path, content, 500, character="<signaloffset>10</signaloffset>"), ALL)
    assert record.signal is not None
    np.testing.assert_allclose(record.signal, (rows - 10) * 0.005, atol=1e-6)


def test_lead_labels_take_precedence_over_the_acquisition_type(tmp_path: Path, rows: NDArray[np.int64]) -> None:
    labels = 'leadlabels="V1 V2 V3R x" numberofleads="3"'
    record = SierraXml().read(_file(tmp_path, rows[:3].astype("<i2").tobytes(), 500, attributes=labels), ALL)
    assert record.leads == ("V1", "V2", "V3R")


def test_errors_for_impossible_values_name_the_file(tmp_path: Path, rows: NDArray[np.int64]) -> None:
    raw = rows.astype("<i2").tobytes()
    xli = b"".join(_chunk(row) for row in _residuals(rows))
    packed = {"attributes": 'compression="XLI"'}
    cases: list[tuple[bytes, int, dict[str, str], str]] = [
        (raw, 500, {"version": "2.0"}, "is of version '2.0'; versions 1.03 and 1.04 are read"),
        (raw[:-1], 500, {}, "holds 11999 bytes of samples; expected 12000"),
        (raw, 10**9, {}, "leads of 1000000000 samples at 5 µV, which its 12000 bytes cannot hold"),
        (raw, 0, {}, "leads of 0 samples"),
        (raw, 500, {"attributes": 'compression="ZIP"'}, "compresses its waveform by 'ZIP'; only XLI is supported"),
        (raw, 500, {"attributes": 'leadlabels="I" numberofleads="2"'}, "claims 2 leads, but labels 1"),
        (raw, 500, {"character": "<bitspersample>8</bitspersample>"}, "stores samples of 8 bits"),
        (xli[:-9], 500, packed, "the compressed waveform ends at byte"),
        (xli, 502, packed, "holds 500 samples of lead I; expected 502"),
        (xli[:8] + b"\xff" * 500 + xli[508:], 500, packed, "holds 0 samples of lead I"),
        (xli[:8] + b"\xaa" * 500 + xli[508:], 500, packed, "a code in lead I that its LZW table does not have"),
    ]
    for content, n, more, message in cases:
        path = _file(tmp_path, content, n, **more)
        with pytest.raises(FormatError, match=message) as caught:
            SierraXml().read(path, ReadRequest())
        assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("written", ["--21", "1e999", "nan", "Failed", "21.5.1"])
def test_a_measurement_that_is_not_a_number_is_left_out(data: Path, tmp_path: Path, written: str) -> None:
    content = (data / "formats/sierra_xml/129DYPRG.XML").read_text("utf-8")
    changed = re.sub(r"<(mean)?qrsdur>[^<]*<", rf"<\1qrsdur>{written}<", content)
    assert changed != content
    (tmp_path / "r.xml").write_text(changed, "utf-8")
    told = SierraXml().read(data / "formats/sierra_xml/129DYPRG.XML", ReadRequest()).meta["measurements"]
    found = SierraXml().read(tmp_path / "r.xml", ReadRequest()).meta["measurements"]
    assert found == {key: value for key, value in told.items() if key != "qrs_ms"}
    assert "qrs_ms" in told
