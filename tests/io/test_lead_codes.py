"""A lead is what its code says, in every format that has codes; words are for people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from cardioflow.io._leadcodes import lead_number, name_by_code
from cardioflow.io.base import ReadRequest, Record
from cardioflow.io.dicom import Dicom
from cardioflow.io.hl7_aecg import Hl7Aecg
from cardioflow.io.mfer import Mfer

STANDARD = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
NEVER = ReadRequest(derive="never")


def _coded(tmp_path: Path, codes: list[tuple[str, str, str]], labels: list[str] | None = None) -> Record:
    """Return a DICOM ECG whose channels have the sources (scheme, value, meaning), as it is read."""
    signal = np.outer(np.arange(1, len(codes) + 1), np.sin(np.arange(500))).astype(np.float32)
    leads = tuple(f"V{i}" for i in range(1, len(codes) + 1))
    (path,) = Dicom().write(Record(signal, 500.0, leads, ("mV",) * len(codes)), tmp_path / "a")
    dataset = pydicom.dcmread(path)
    channels = dataset.WaveformSequence[0].ChannelDefinitionSequence
    for i, (channel, (scheme, value, meaning)) in enumerate(zip(channels, codes, strict=True)):
        source = channel.ChannelSourceSequence[0]
        source.CodingSchemeDesignator, source.CodeValue, source.CodeMeaning = scheme, value, meaning
        channel.ChannelLabel = labels[i] if labels else ""
    dataset.save_as(path)
    return Dicom().read(path, NEVER)


@pytest.mark.parametrize(
    ("scheme", "value"),
    [
        *(("SCPECG", f"5.6.3-9-{n}") for n in (1, 2, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8)),
        *(("MDC", f"2:{n}") for n in (1, 2, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8)),
        *(("MDC", str(131072 + n)) for n in (1, 2, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8)),
        *(("MDC", str(131328 + n)) for n in (1, 2, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8)),
    ],
)
def test_ps3_16_cid_3001_the_codes_of_the_12_leads(scheme: str, value: str) -> None:
    number = lead_number(scheme, value)
    assert (
        name_by_code(number, "anything")
        == dict(zip((1, 2, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8), STANDARD, strict=True))[
            int(value.rpartition("-")[2].rpartition(":")[2]) % 131072 % 256
        ]
    )


def test_a_dicom_channel_is_named_by_its_code_not_by_its_meaning_or_label(tmp_path: Path) -> None:
    codes = [
        ("MDC", "2:2", "Lead I"),
        ("SCPECG", "5.6.3-9-1", "Lead II"),
        ("MDC", "2:65", "aVR"),
        ("MDC", "2:64", "Foot"),
        ("MDC", "2:3", "Derivación V1"),
        ("MDC", "131133", "Lead V5"),
    ]
    record = _coded(tmp_path, codes, ["I", "II", "aVR", "V6", "C1", "V5"])
    # CID 3001 gives the inverted aVR the meaning "aVR".
    assert record.leads == ("II", "I", "-aVR", "aVF", "V1", "III")


def test_meaning_and_label_are_used_if_the_code_is_unknown(tmp_path: Path) -> None:
    codes = [("99LOCAL", "2:2", "Lead V1"), ("MDC", "2:86", "Lead V2"), ("MDC", "x", "Lead V3"), ("SCPECG", "9", "")]
    assert _coded(tmp_path, codes, ["I", "I", "I", "V4"]).leads == ("V1", "V2", "V3", "V4")


def test_the_files_own_lead_name_is_kept_if_it_means_the_coded_lead(tmp_path: Path) -> None:
    record = _coded(tmp_path, [("MDC", "2:1", "Lead I (Einthoven)"), ("MDC", "2:2", "Lead V2")])
    assert record.meta["signame"] == ("Lead I (Einthoven)", "II")


def test_leads_that_the_writer_computed_are_derived_leads(tmp_path: Path) -> None:
    codes = [("MDC", "2:1", "Lead I"), ("MDC", "2:2", "Lead II"), ("MDC", "2:111", "Derived Lead III")]
    record = _coded(tmp_path, codes)
    assert (record.leads, record.meta["derived_leads"]) == (("I", "II", "III"), ("III",))


def test_an_aecg_with_the_numbers_of_mdc_has_these_leads(data: Path, tmp_path: Path) -> None:
    text = (data / "formats/hl7_aecg/Example_aECG.xml").read_text(encoding="utf-8")
    whole = Hl7Aecg().read(data / "formats/hl7_aecg/Example_aECG.xml", NEVER)
    for name, number in {"I": 131073, "AVF": 131136, "V6": 131080}.items():
        assert f'"MDC_ECG_LEAD_{name}"' in text
        text = text.replace(f'"MDC_ECG_LEAD_{name}"', f'"{number}"')
    (tmp_path / "a.xml").write_text(text, encoding="utf-8")
    assert Hl7Aecg().read(tmp_path / "a.xml", NEVER).leads == whole.leads


def test_an_mfer_channel_is_named_by_its_code_not_by_its_label(data: Path, tmp_path: Path) -> None:
    whole = Mfer().read(data / "formats/mfer/test-file.MWF", NEVER)
    assert whole.leads == ("II", "V5")

    def lead(code: int, text: bytes) -> bytes:
        return bytes([0x09, 2 + len(text)]) + code.to_bytes(2, "little") + text

    head = b"@\x04MFR " + b"\x01\x01\x01" + b"\x0b\x04\x01\xfd\x02\x00" + b"\x0c\x04\x00\xfa\x02\x00" + b"\x04\x01\x02"
    first, second = lead(2, b"V1"), lead(0, b"V2")
    channels = b"\x05\x01\x02" + b"\x3f\x00" + bytes([len(first)]) + first + b"\x3f\x01" + bytes([len(second)]) + second
    (tmp_path / "a.mwf").write_bytes(head + channels + b"\x1e\x08" + np.arange(4, dtype="<i2").tobytes())
    assert Mfer().read(tmp_path / "a.mwf", NEVER).leads == ("II", "V2")


def test_codes_written_to_dicom_can_be_read(tmp_path: Path) -> None:
    signal = np.random.default_rng(0).normal(size=(12, 500)).astype(np.float32)
    (path,) = Dicom().write(Record(signal, 500.0, STANDARD, ("mV",) * 12), tmp_path / "a")
    dataset = pydicom.dcmread(path)
    for channel in dataset.WaveformSequence[0].ChannelDefinitionSequence:
        channel.ChannelSourceSequence[0].CodeMeaning = "lead"
        channel.ChannelLabel = "lead"
    dataset.save_as(path)
    assert Dicom().read(path, replace(NEVER, channels=None)).leads == STANDARD
