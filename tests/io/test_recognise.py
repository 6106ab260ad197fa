from __future__ import annotations

import io
import re
import shutil
import zipfile
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from cardioflow import EcgDataset
from cardioflow.errors import FormatError
from cardioflow.io import wfdb
from cardioflow.io._recognise import recognise
from cardioflow.io.wfdb import Wfdb
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


def test_an_error_for_an_unknown_format_lists_the_formats(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"\x00\x01 nothing")
    with pytest.raises(FormatError) as caught:
        recognise(path)
    message = str(caught.value)
    assert message.startswith(f"{path} is not recognised as one of the known formats: ")
    assert all(fmt in message for fmt in OWN)
    assert message.endswith("Pass fmt= if it is.")


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.edf"
    path.touch()
    with pytest.raises(FormatError, match=r"a\.edf is empty: it has 0 bytes"):
        recognise(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"nothing\.dcm does not exist or cannot be opened. Check the path"):
        recognise(tmp_path / "nothing.dcm")
    with pytest.raises(FormatError, match="does not exist or cannot be opened"):
        recognise(tmp_path)


def _polyglot() -> bytes:
    """Return bytes that are an MFER preamble and, at byte 128, a DICOM file's mark."""
    head = b"@\x7eMFR ".ljust(128, b" ")
    return head + b"DICM"


def test_if_two_formats_match_a_file_the_suffix_or_the_caller_decides(tmp_path: Path) -> None:
    for suffix, fmt in ((".mwf", "mfer"), (".dcm", "dicom")):
        path = tmp_path / f"both{suffix}"
        path.write_bytes(_polyglot())
        assert recognise(path) == fmt
    path = tmp_path / "both.bin"
    path.write_bytes(_polyglot())
    with pytest.raises(FormatError, match=r"could be dicom or mfer, and its suffix is neither's\. Pass one"):
        recognise(path)


def _record(folder: Path, name: str, record_line: str, *, header: str | None = None, file: str | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.dat").write_bytes(bytes(range(200)))
    path = folder / (header or f"{name}.hea")
    path.write_text(f"{record_line} 1 250 100\n{file or f'{name}.dat'} 16 200/mV 16 0 0 0 0 II\n")
    return path


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("E07835", "E07835.mat"),
        ("a.b.c", "a.b.c"),
        ("00001_hr", "records500/00000/00001_hr"),
        ("3001", "p10/3001"),
        ("x", "a.b/x"),
    ],
)
def test_a_header_whose_record_name_has_a_dot_or_folders_is_found_and_read(
    tmp_path: Path, name: str, line: str
) -> None:
    path = _record(tmp_path, name, line)
    assert recognise(path) == "wfdb"
    batch = EcgDataset(str(path)).next_batch(1).load()
    assert batch.signal[0].shape == (1, 100)
    assert EcgDataset(tmp_path).paths == (path,)


def test_wfdb_headers_in_any_spelling_are_found(tmp_path: Path) -> None:
    path = _record(tmp_path, "long", "long")
    path.write_text("# a comment\n" * 1000 + path.read_text())
    assert recognise(path) == "wfdb"
    path = _record(tmp_path, "bom", "bom")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert recognise(path) == "wfdb"
    assert EcgDataset(str(path)).next_batch(1).load().signal[0].shape == (1, 100)
    path = _record(tmp_path / "upper", "Q", "Q", header="Q.HEA")
    assert recognise(path) == "wfdb"
    assert EcgDataset(str(path)).next_batch(1).load().signal[0].shape == (1, 100)
    assert EcgDataset(tmp_path / "upper").paths == (path,)


LINES = [
    b"a 1 300 9",
    b"a 1",
    b"a\t1\t300 ",
    b"a 0",
    b"a 00",
    b"a 0 300",
    b"a 01 300",
    b"a/2 1 300 9",
    b"p1/3 1 300",
    b"-a 1 300",
    b"a 1 300 9\r",
    b"a 1 x",
    b"a 1 300\0",
    b"# a 1 300",
    b"",
    b"a.dat 16",
    b"a.dat 16x2:1+3 200",
    b" a.dat 16 200",
    b"a.dat 16 \r",
    b"#.dat 16",
    b"a.dat 160",
    b"a.dat 161",
    b"a.dat 17",
    b"a 900",
    b"a.dat",
    b"\xb5 1 300 9",
    b"a.dat 212\0",
]


def test_the_usual_header_is_recognised_as_all_others_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """One regular expression finds most headers; no text may pass it that the rules for all headers refuse."""
    heads = [b"\n".join(lines) for n in (1, 2, 3) for lines in product(LINES, repeat=n)]
    found = [head for head in heads if Wfdb.recognises(head)]
    usual = sum(wfdb._USUAL.match(head) is not None for head in heads)
    monkeypatch.setattr(wfdb, "_USUAL", re.compile(rb"(?!)"))
    assert found == [head for head in heads if Wfdb.recognises(head)]
    assert 0 < usual < len(found) < len(heads)


def test_a_file_named_from_the_root_of_the_data_set_is_read_inside_it_and_none_outside(tmp_path: Path) -> None:
    folder = tmp_path / "set" / "records500" / "00000"
    path = _record(folder, "00001_hr", "records500/00000/00001_hr", file="records500/00000/00001_hr.dat")
    assert EcgDataset(str(path)).next_batch(1).load().signal[0].shape == (1, 100)
    path = _record(folder, "00002_medians", "ge/00002_medians", file="ge_median_beats_wfdb/00002_medians.dat")
    assert EcgDataset(str(path)).next_batch(1).load().signal[0].shape == (1, 100)
    for outside in ("../00000/00001_hr.dat", "/etc/hostname", "records500/../../x.dat", "other/00001_hr.dat"):
        path = _record(folder, "00003", "00003", file=outside)
        with pytest.raises(FormatError, match=r"not in its folder|cannot be opened"):
            EcgDataset(str(path)).next_batch(1).load()


def test_errors_for_files_that_are_almost_records_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "alone.dat").write_bytes(bytes(200))
    with pytest.raises(FormatError, match=r"signal file needs its header, alone\.hea, beside it"):
        recognise(tmp_path / "alone.dat")
    path = _record(tmp_path, "R", "R", file="r.dat")
    with pytest.raises(FormatError, match=r"There is 'R\.dat': rename it to 'r\.dat'"):
        EcgDataset(str(path)).next_batch(1).load()
    path = _record(tmp_path, "S", "S")
    (tmp_path / "S.dat").rename(tmp_path / "S.dat.gz")
    with pytest.raises(FormatError, match=r"There is 'S\.dat\.gz': unpack it"):
        EcgDataset(str(path)).next_batch(1).load()


def test_brackets_in_folder_names_are_not_a_pattern(tmp_path: Path) -> None:
    folder = tmp_path / "data [1]" / "x*y"
    path = _record(folder, "a", "a")
    _record(folder, "b1", "b1")
    assert EcgDataset(f"{folder}/*.hea").paths == (path, folder / "b1.hea")
    assert EcgDataset(f"{folder}/b[0-9].hea").paths == (folder / "b1.hea",)
    assert EcgDataset(f"{tmp_path}/data [1]/**/a.hea").paths == (path,)
    assert EcgDataset(f"{folder}/").paths == (path, folder / "b1.hea")
    assert EcgDataset(str(path)).paths == (path,)


def test_an_xml_file_is_found_behind_a_long_comment(data: Path, tmp_path: Path) -> None:
    raw = (data / "formats" / "schiller_xml" / "cardio_sample.xml").read_bytes()
    declaration, _, rest = raw.partition(b"?>")
    path = tmp_path / "a.xml"
    path.write_bytes(declaration + b"?>\n<!-- <AnnotatedECG> " + b"x" * 5000 + b" -->" + rest)
    assert recognise(path) == "schiller_xml"
    assert EcgDataset(str(path)).next_batch(1).load().signal[0].shape == (12, 5000)


def test_other_unusual_headers_are_found(data: Path, tmp_path: Path) -> None:
    raw = bytearray((data / "formats" / "edf" / "cardio_sample.edf").read_bytes())
    raw[:8] = b"0".ljust(8, b"\0")
    raw[252:256] = b"1\0\0\0"
    (tmp_path / "a.edf").write_bytes(raw)
    assert recognise(tmp_path / "a.edf") == "edf"
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("README", "what this is")
        for name, value in (("signal", np.ones((1, 100), np.float32)), ("fs", np.float64(250))):
            stream = io.BytesIO()
            np.save(stream, value)
            archive.writestr(f"{name}.npy", stream.getvalue())
    assert recognise(tmp_path / "a.npz") == "npz"
    for name in ("a.edf", "a.npz"):
        assert len(EcgDataset(str(tmp_path / name)).next_batch(1).load().signal[0]) == 1


def test_matrices_of_level_4_are_found_and_those_with_a_wfdb_header_are_its_signals(cinc: Path, tmp_path: Path) -> None:
    shutil.copy(cinc / "A00015.mat", tmp_path / "alone.mat")
    assert recognise(tmp_path / "alone.mat") == "mat"
    assert recognise(cinc / "A00015.mat") == "wfdb"
    scipy.io.savemat(tmp_path / "four.mat", {"ECG": np.ones((2, 500)), "fs": 250.0}, format="4")
    assert recognise(tmp_path / "four.mat") == "mat"


def test_tables_are_found_behind_long_comments_and_in_other_codings(data: Path, tmp_path: Path) -> None:
    record = EcgDataset(str(data / "mitdb" / "208.hea")).next_batch(1)
    record.load(components=["signal", "meta", "annotation"], ann_ext="atr", stop_s=300.0).dump(tmp_path, fmt="csv")
    assert recognise(tmp_path / "208.csv") == "csv"
    assert EcgDataset(tmp_path).next_batch(1).load().signal[0].shape == (2, 108000)
    rows = "".join(f"{i / 250},{i}\n" for i in range(1000))
    for name, raw in (("u", f"time_s,II (µV)\n{rows}".encode()), ("l", f"time_s,II (µV)\n{rows}".encode("latin-1"))):
        (tmp_path / f"{name}.csv").write_bytes(raw)
        assert recognise(tmp_path / f"{name}.csv") == "csv"
    for shift in range(3):
        comment = "# " + "x" * (4090 - len("# \n") - shift) + "µµµ\n"
        (tmp_path / "cut.csv").write_bytes(f"# fs: 250\n{comment}II,V1\n{rows}".encode())
        assert recognise(tmp_path / "cut.csv") == "csv"


@pytest.mark.parametrize("text", [".ll 0\n.in 0\n", "100 0\n", "a 1 250 100\na.dat 16 200\n", "-1 0 5\n"])
def test_a_text_that_resembles_a_header_is_one_only_with_its_suffix(tmp_path: Path, text: str) -> None:
    for name in ("contents.tr", "b.txt", "c"):
        (tmp_path / name).write_text(text)
        with pytest.raises(FormatError, match="is not recognised"):
            recognise(tmp_path / name)


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("A00001.HEA", "'A00001.hea'"),
        ("a00001.hea", "'A00001.hea'"),
        (" A00001.hea", "'A00001.hea'"),
        ("A00001.hea.txt", "'A00001.hea'"),
        ("A0001.hea", "'A00001.hea'"),
        ("A00001.HEX", "'A00001.hea'"),
        ("other.edf", None),
    ],
)
def test_an_error_for_a_missing_file_names_what_may_be_meant(tmp_path: Path, asked: str, meant: str | None) -> None:
    (tmp_path / "A00001.hea").write_text("A00001 1 250 1\nA00001.mat 16+24 1000/mV 16 0 0 0 0 ECG\n")
    (tmp_path / "[1]").mkdir()
    with pytest.raises(FormatError) as caught:
        recognise(tmp_path / asked)
    expected = (
        "Check the path and its permissions." if meant is None else f"Did you mean {meant}, which lies beside it?"
    )
    assert expected in str(caught.value)
    with pytest.raises(FormatError, match=r"Check the path and its permissions\."):
        recognise(tmp_path / "[2]" / "A00001.hea")
