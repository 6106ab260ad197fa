"""Files of the kinds that users of other programs reported as read wrongly or not at all, and their right values."""

from __future__ import annotations

import struct
from datetime import datetime, timedelta
from pathlib import Path

import edfio
import numpy as np
import pytest

from cardioflow.errors import FormatError
from cardioflow.io._wfdb.annotation import parse_annotation
from cardioflow.io.base import ReadRequest, Record
from cardioflow.io.edf import Edf
from cardioflow.io.wfdb import Wfdb


def _wfdb(folder: Path, header: str, **files: bytes) -> Record:
    name = header.split(None, 1)[0].split("/", maxsplit=1)[0]
    (folder / f"{name}.hea").write_text(header)
    for ending, content in files.items():
        (folder / f"{name}.{ending}").write_bytes(content)
    return Wfdb().read(folder / f"{name}.hea", ReadRequest())


def test_gains_and_baselines_of_32_bits_lose_nothing(tmp_path: Path) -> None:
    # PTB-XL+ has such headers (wfdb-python, issue 528). Samples minus baseline need 33 bits.
    stored = np.array([-1842966025, 2**31 - 1, -(2**31) + 1, -1842966025 + 6344117], "<i4")
    found = _wfdb(
        tmp_path, "m 1 500 4\nm.dat 32 6344117.125(-1842966025)/mV 32 0 0 0 0 I\n", dat=stored.tobytes()
    ).signal
    assert found is not None
    expected = [(int(v) + 1842966025) / 6344117.125 for v in stored]
    assert expected[1] == pytest.approx(629.0, abs=0.01)
    np.testing.assert_array_equal(found[0], np.array(expected, np.float32))


def test_each_segment_has_gains_of_its_own_and_a_name_may_be_there_twice(tmp_path: Path) -> None:
    # MIMIC: the layout's gains are others than the segments' (wfdb-python, issue 14), and 309 records of its matched
    # subset have two signals of one name (mimic-code, issue 1574).
    rows = np.arange(10)
    for name, lines, signals in (
        ("s1", ("10(0)/mV", "1(0)/NU"), ("II", "HR")),
        ("s2", ("20(5)/mV", "1(0)/NU", "2(0)/NU"), ("II", "HR", "HR")),
    ):
        text = "".join(f"{name}.dat 16 {gain} 16 0 0 0 0 {s}\n" for gain, s in zip(lines, signals, strict=True))
        (tmp_path / f"{name}.hea").write_text(f"{name} {len(lines)} 125 10\n{text}")
        columns = [rows + 100 * i for i in range(len(lines))]
        (tmp_path / f"{name}.dat").write_bytes(np.stack(columns, axis=1).astype("<i2").tobytes())
    layout = "".join(f"~ 0 {gain} 16 0 0 0 0 {s}\n" for gain, s in (("77(3)/mV", "II"), ("1/NU", "HR"), ("1/NU", "HR")))
    (tmp_path / "layout.hea").write_text(f"layout 3 125 0\n{layout}")
    found = _wfdb(tmp_path, "m/3 3 125 20\nlayout 0\ns1 10\ns2 10\n")
    assert found.leads == ("II", "HR", "HR")
    assert found.signal is not None
    np.testing.assert_allclose(found.signal[0], [*(rows / 10), *((rows - 5) / 20)], rtol=1e-6)
    np.testing.assert_array_equal(found.signal[1], [*(rows + 100), *(rows + 100)])
    np.testing.assert_array_equal(found.signal[2], [*[np.nan] * 10, *((rows + 200) / 2)])


def test_a_header_with_fewer_segments_than_it_says_is_refused(tmp_path: Path) -> None:
    # MIMIC-III's 3029208 says 16 and has 15 (mimic-code, issue 791).
    with pytest.raises(FormatError, match="says that it has 3 segments, but only 2 segment lines follow"):
        _wfdb(tmp_path, "m/3 1 125 20\ns1 10\ns2 10\n")


def test_a_year_alone_is_no_time(tmp_path: Path) -> None:
    # The first version of the cerebral perfusion database (wfdb-python, issue 307).
    meta = _wfdb(tmp_path, "m 1 500 2 2006\nm.dat 16 200\n", dat=bytes(4)).meta
    assert meta["timestamp"] is None
    assert "the date '2006' is not dd/mm/yyyy and is not read" in meta["warnings"]


def test_long_and_negative_intervals_between_marks_are_added_up() -> None:
    # 32 bits do not hold the samples of a week at 1000 Hz and more; an editor may step back.
    def mark(after: int) -> bytes:
        high, low = divmod(after & 0xFFFFFFFF, 1 << 16)
        return struct.pack("<HHHH", 59 << 10, high, low, 1 << 10)

    marks = parse_annotation(b"".join(map(mark, (2**31 - 1, 2**31 - 1, -100))) + b"\0\0", "r.atr", 1000.0)
    assert marks.sample.tolist() == [2**31 - 1, 2**32 - 102, 2**32 - 2]


@pytest.mark.parametrize("microsecond", [0, 394531, 1, 999999])
def test_the_fraction_of_an_edf_files_start_is_kept(tmp_path: Path, microsecond: int) -> None:
    # pyEDFlib gave 0.039453 s for 0.394531 s (its pull request 315).
    at = datetime(2020, 1, 24, 4, 5, 56, microsecond)  # noqa: DTZ001 -- the format has no zone
    file = edfio.Edf(
        [edfio.EdfSignal(np.arange(200.0), 100, label="II", physical_dimension="uV")],
        recording=edfio.Recording(startdate=at.date()),
        starttime=at.time(),
        annotations=[edfio.EdfAnnotation(0.5, None, "N")],
    )
    file.write(tmp_path / "a.edf")
    found = Edf().read(tmp_path / "a.edf", ReadRequest(components=frozenset({"signal", "meta", "annotation"})))
    assert found.meta["timestamp"] == at
    assert found.annotation is not None
    assert found.annotation.sample.tolist() == [50]


@pytest.mark.parametrize(
    ("duration", "n", "fs"), [(0.1, 50, 500.0), (30, 7500, 250.0), (1.6, 205, 128.125), (8, 1, 0.125)]
)
def test_the_rate_is_that_of_the_data_records(tmp_path: Path, duration: float, n: int, fs: float) -> None:
    # A version of pyEDFlib took the samples of a data record for the rate (its issue 197).
    signal = edfio.EdfSignal(np.arange(3.0 * n), fs, label="II", physical_dimension="mV")
    edfio.Edf([signal], data_record_duration=duration).write(tmp_path / "a.edf")
    found = Edf().read(tmp_path / "a.edf", ReadRequest())
    assert found.fs == pytest.approx(fs, rel=1e-12)
    assert found.signal is not None
    assert found.signal.shape == (1, 3 * n)


def test_times_of_data_records_that_drift_in_their_last_digits_are_no_gaps(tmp_path: Path) -> None:
    # Of recordings over 8192 s, edfio wrote +8192.202311999999 for +8192.202312 (its issue 109).
    n_records, size = 3, 40
    onsets = ["+8191.202312", "+8192.202311999999", "+8193.202312000001"]
    cells = [["II", "EDF Annotations"], ["", ""], ["mV", ""], ["-1", "-1"], ["1", "1"], ["-32768"] * 2, ["32767"] * 2]
    cells += [["", ""], ["100", str(size // 2)], ["", ""]]
    head = "0".ljust(8) + "X X X X".ljust(80) + "Startdate 01-JAN-2020 X X X".ljust(80) + "01.01.2000.00.00"
    head += str(256 * 3).ljust(8) + "EDF+D".ljust(44) + str(n_records).ljust(8) + "1".ljust(8) + "2".ljust(4)
    widths = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
    head += "".join(c.ljust(width) for width, column in zip(widths, cells, strict=True) for c in column)
    body = b""
    for i, onset in enumerate(onsets):
        body += (np.arange(100, dtype="<i2") + 100 * i).tobytes() + f"{onset}\x14\x14\0".encode().ljust(size, b"\0")
    (tmp_path / "a.edf").write_bytes(head.encode() + body)
    found = Edf().read(tmp_path / "a.edf", ReadRequest())
    assert found.signal is not None
    assert found.signal.shape == (1, 300)
    assert not np.isnan(found.signal).any()
    expected = datetime(2020, 1, 1) + timedelta(seconds=8191.202312)  # noqa: DTZ001
    assert abs(found.meta["timestamp"] - expected) <= timedelta(microseconds=1)
