from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import cardiosoft_writer as cs
import numpy as np
import pytest

from cardioflow import EcgDataset
from cardioflow.errors import FormatError
from cardioflow.io._recognise import recognise
from cardioflow.io.base import ReadRequest
from cardioflow.io.cardiosoft_xml import CardiosoftXml

ALL = ReadRequest(components=frozenset({"signal", "meta", "annotation"}))


ONE, TWO = [1, -2, 30, 4, 0], [2, 0, -10, 5, 1]


def _file(tmp_path: Path, *parts: str, **more: str) -> Path:
    path = tmp_path / "a.xml"
    path.write_bytes(cs.cardiosoft(*parts, **more))
    return path


def test_a_strip_is_read_in_millivolts(tmp_path: Path) -> None:
    path = _file(tmp_path, cs.strip({"I": ONE, "II": TWO, "V1": [7] * 5}))
    assert recognise(path) == "cardiosoft_xml"
    record = CardiosoftXml().read(path, replace(ALL, derive="limb"))
    assert record.signal is not None
    assert (record.fs, record.leads) == (500.0, ("I", "II", "III", "aVR", "aVL", "aVF", "V1"))
    np.testing.assert_allclose(record.signal[0], np.array(ONE) * 0.005, atol=1e-7)
    np.testing.assert_allclose(record.signal[6], 0.035, atol=1e-7)
    assert record.meta["derived_leads"] == ("III", "aVR", "aVL", "aVF")


def test_beats_have_their_time_and_class(tmp_path: Path) -> None:
    beats = [(0, "dominant"), (4, "ventricular"), (8, "Dominant")]
    record = CardiosoftXml().read(_file(tmp_path, cs.strip({"I": ONE}, beats=beats)), ALL)
    assert record.annotation is not None
    assert record.annotation.sample.tolist() == [0, 2, 4]
    assert record.annotation.symbol.tolist() == ["N", "Q", "N"]
    assert record.annotation.aux_note == ("", "ventricular", "")


def test_metadata_are_read_and_the_identity_on_request(tmp_path: Path) -> None:
    measured = '<RestingECGMeasurements><PQInterval units="ms">172</PQInterval><RAxis>-20</RAxis><TAxis></TAxis>'
    path = _file(
        tmp_path,
        cs.strip({"I": ONE}),
        patient='<Age units="Years">62</Age>',
        more=f"{measured}</RestingECGMeasurements>",
    )
    meta = CardiosoftXml().read(path, ALL).meta
    assert (meta["age"], meta["sex"], meta["device"]) == (62, "F", "GE CardioSoft V6.73")
    assert meta["timestamp"] == datetime(2015, 3, 2, 13, 5, 7)  # noqa: DTZ001 -- CardioSoft writes no zone
    assert meta["comments"] == ("Normal sinus rhythm",)
    assert meta["measurements"] == {"pr_ms": 172.0, "qrs_axis": -20.0}
    assert (meta["highpass_hz"], meta["lowpass_hz"], meta["notch_hz"]) == (None, 150.0, 50.0)
    assert not any(word in repr(dict(meta)) for word in ("Lovelace", "12345", "Elsewhere", "Müller"))
    told = CardiosoftXml().read(path, ReadRequest(identify=True)).meta
    assert (told["name"], told["patient_id"], told["institution"]) == ("Ada Lovelace", "12345", "St. Elsewhere")
    assert told["comments"][1] == "Confirmed by Dr. Müller"


def test_the_age_is_computed_from_the_birth_date_if_it_is_missing(tmp_path: Path) -> None:
    born = "<BirthDateTime><Day>3</Day><Month>3</Month><Year>1950</Year></BirthDateTime>"
    path = _file(tmp_path, cs.strip({"I": ONE}), patient=born)
    assert CardiosoftXml().read(path, ALL).meta["age"] == 64
    assert CardiosoftXml().read(path, ReadRequest(identify=True)).meta["birth_date"] == date(1950, 3, 3)


def test_of_a_full_disclosure_the_leads_take_turns(tmp_path: Path) -> None:
    samples = [value for pair in zip(ONE, TWO, strict=True) for value in pair]
    path = _file(tmp_path, cs.disclosure("I,II", samples, channels=2))
    record = CardiosoftXml().read(path, ReadRequest(channels=("I", "II")))
    assert record.signal is not None
    assert record.fs == 100.0
    np.testing.assert_allclose(record.signal, np.array([ONE, TWO]) * 0.005, atol=1e-7)


def test_the_parts_of_a_file_are_chosen(tmp_path: Path) -> None:
    median = f"<RestingECGMeasurements>{cs.strip({'V1': [1, 2]}, tag='MedianSamples')}</RestingECGMeasurements>"
    path = _file(tmp_path, cs.strip({"V1": [3, 4, 5]}), median, cs.disclosure("V1", [6, 7, 8, 9], channels=1))
    for part, n in ((None, 3), ("StripData", 3), ("MedianSamples", 2), ("FullDisclosure", 4)):
        record = CardiosoftXml(part).read(path, ALL)
        assert record.signal is not None
        assert record.signal.shape == (1, n)
    batch = EcgDataset([path]).next_batch(1).load(fmt="cardiosoft_xml", part="MedianSamples")
    assert batch.signal[0].shape == (1, 2)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("", r"holds no samples as 'StripData' or 'FullDisclosure'; it has \[\]"),
        (cs.strip({"I": ONE}, count=6), "holds 5 samples of lead I; expected 6"),
        (
            cs.strip({"I": ONE}, resolution='<Resolution units="uVperLsb">0</Resolution>'),
            "a resolution of 0 'uVperLsb'",
        ),
        (
            cs.strip({"I": ONE}, resolution='<Resolution units="furlong">5</Resolution>'),
            "5 'furlong'; expected one such",
        ),
        (cs.strip({"I": ONE}, resolution="<Resolution>5</Resolution>"), "5 ''; expected one such as 5 'uVperLsb'"),
        (cs.strip({"I": ["1", "x"]}), "holds something that is not a number in lead I"),
        (
            cs.disclosure("I,II", [1, 2, 3], channels=2),
            "holds 3 samples in its full disclosure; expected a multiple of 2",
        ),
        (cs.disclosure("I", [1, 2, 3], channels=2), "names 1 leads in LeadOrder; expected 2"),
    ],
)
def test_errors_for_impossible_values_name_the_file(tmp_path: Path, part: str, message: str) -> None:
    path = _file(tmp_path, part)
    with pytest.raises(FormatError, match=message) as caught:
        CardiosoftXml().read(path, ALL)
    assert str(caught.value).startswith(str(path))


def test_leads_of_different_length_are_refused(tmp_path: Path) -> None:
    written = cs.strip({"I": ONE, "II": TWO[:-1]}).replace("<ChannelSampleCountTotal>5</ChannelSampleCountTotal>", "")
    with pytest.raises(FormatError, match="holds leads with different lengths: I 5, II 4"):
        CardiosoftXml().read(_file(tmp_path, written), ALL)


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text("<RestingECG/>")
    with pytest.raises(FormatError, match=r"is not a CardioSoft file: its root is <RestingECG>"):
        CardiosoftXml().read(path, ALL)
