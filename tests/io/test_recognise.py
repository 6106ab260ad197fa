from __future__ import annotations

from pathlib import Path

import pytest

from cardioflow.errors import FormatError
from cardioflow.io._recognise import recognise
from cardioflow.registry import formats

OWN = ("contec", "dicom", "hl7_aecg", "mfer", "muse_xml", "schiller_xml", "scp", "sierra_xml")


@pytest.mark.parametrize("fmt", OWN)
def test_every_real_file_is_recognised_by_its_content_and_by_one_format_alone(
    data: Path, tmp_path: Path, fmt: str
) -> None:
    files = sorted((data / "formats" / fmt).iterdir())
    assert files
    for path in files:
        # Under a suffix that says nothing.
        other = tmp_path / f"{path.stem}.bin"
        other.write_bytes(path.read_bytes())
        assert recognise(other) == fmt
        claims = [n for n in formats.names() if formats.get(n).recognises(path.read_bytes()[:4096])]
        assert claims == [fmt]


def test_a_wfdb_record_is_recognised_by_header_signal_file_and_bare_name(data: Path) -> None:
    for record in ("mitdb/119", "cinc2017/A00015", "ludb/7"):
        assert recognise(data / f"{record}.hea") == "wfdb"
        assert recognise(data / record) == "wfdb"
    assert recognise(data / "mitdb/119.dat") == "wfdb"


def test_a_file_of_no_format_is_refused_with_what_there_is(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"\x00\x01 nothing")
    with pytest.raises(FormatError) as caught:
        recognise(path)
    message = str(caught.value)
    assert message.startswith(f"{path} is not recognised as one of the known formats: ")
    assert all(fmt in message for fmt in OWN)
    assert message.endswith("Pass fmt= if it is.")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"nothing\.dcm does not exist or cannot be opened. Check the path"):
        recognise(tmp_path / "nothing.dcm")
    with pytest.raises(FormatError, match="does not exist or cannot be opened"):
        recognise(tmp_path)


def _polyglot() -> bytes:
    """Return bytes that are an MFER preamble and, at byte 128, a DICOM file's mark."""
    head = b"@\x7eMFR ".ljust(128, b" ")
    return head + b"DICM"


def test_where_two_formats_claim_a_file_the_suffix_decides_or_the_caller(tmp_path: Path) -> None:
    for suffix, fmt in ((".mwf", "mfer"), (".dcm", "dicom")):
        path = tmp_path / f"both{suffix}"
        path.write_bytes(_polyglot())
        assert recognise(path) == fmt
    path = tmp_path / "both.bin"
    path.write_bytes(_polyglot())
    with pytest.raises(FormatError, match=r"could be dicom or mfer, and its suffix is neither's\. Pass one"):
        recognise(path)
