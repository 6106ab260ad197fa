"""The date of a recording is read as it was written, in every spelling, and goes from format to format."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import edfio
import numpy as np
import pytest

from cardioflow.errors import FormatError
from cardioflow.io._dates import the_date, written_dates
from cardioflow.io.base import Format, ReadRequest, Record
from cardioflow.io.edf import Edf
from cardioflow.io.muse_xml import MuseXml
from cardioflow.io.wfdb import Wfdb
from cardioflow.registry import formats

WRITABLE = [name for name in formats.names() if formats.get(name).write is not Format.write]
MOMENTS = [
    datetime(*when)  # noqa: DTZ001 -- the formats have no zone
    for when in (
        (1970, 1, 1, 0, 0, 1),
        (1984, 12, 31, 23, 59, 59),
        (1985, 1, 1, 12, 0, 0),
        (1999, 12, 31, 1, 2, 3),
        (2000, 2, 29, 1, 2, 3),
        (2084, 12, 31, 1, 2, 3),
        (2085, 1, 1, 1, 2, 3),
        (2110, 5, 2, 17, 38, 0),
        (2196, 2, 29, 0, 0, 0),
        (2200, 10, 9, 8, 7, 6),
    )
]


def _record(at: datetime | None) -> Record:
    signal = np.linspace(-1, 1, 500, dtype=np.float32)[None]
    return Record(signal, 250.0, ("II",), ("mV",), {"timestamp": at, "device": "Holter 5"})


def _timestamp(fmt: str, path: Path) -> datetime | None:
    found: datetime | None = formats.get(fmt)().read(path, ReadRequest()).meta["timestamp"]
    return found


@pytest.mark.parametrize("at", MOMENTS, ids=str)
def test_every_date_goes_from_wfdb_to_edf_and_back(at: datetime, tmp_path: Path) -> None:
    header = Wfdb().write(_record(at), tmp_path / "a")[-1]
    (edf,) = Edf().write(Wfdb().read(header, ReadRequest()), tmp_path / "a")
    assert _timestamp("edf", edf) == at
    again = Wfdb().write(Edf().read(edf, ReadRequest()), tmp_path / "b")[-1]
    assert _timestamp("wfdb", again) == at


@pytest.mark.parametrize("fmt", WRITABLE)
@pytest.mark.parametrize("at", [MOMENTS[0], MOMENTS[-2]], ids=str)
def test_every_format_keeps_dates_that_need_four_digits_for_the_year(fmt: str, at: datetime, tmp_path: Path) -> None:
    assert _timestamp(fmt, formats.get(fmt)().write(_record(at), tmp_path / "a")[-1]) == at


def test_2_1_3_2_years_beyond_2084_are_yy_in_the_header_and_whole_in_the_recording_field(tmp_path: Path) -> None:
    raw = Edf().write(_record(datetime(2150, 5, 2, 3, 4, 5)), tmp_path / "a")[0].read_bytes()  # noqa: DTZ001
    assert raw[88:120] == b"Startdate 02-MAY-2150 X X Holter"
    assert raw[168:184] == b"02.05.yy03.04.05"
    plain = Edf().write(_record(datetime(2050, 5, 2, 3, 4, 5)), tmp_path / "b")[0].read_bytes()  # noqa: DTZ001
    assert plain[168:184] == b"02.05.5003.04.05"
    # All but the date is what edfio writes.
    assert raw[184:] == plain[184:]


def _with_fields(tmp_path: Path, recording: str, day: str, kind: str = "EDF+C") -> datetime | None:
    edf = edfio.Edf([edfio.EdfSignal(np.arange(250.0), 250)])
    edf.write(tmp_path / "r.edf")
    raw = bytearray((tmp_path / "r.edf").read_bytes())
    raw[88:168] = recording.ljust(80).encode("latin-1")
    raw[168:184] = day.ljust(8).encode() + b"10.20.30"
    raw[192:236] = kind.ljust(44).encode()
    (tmp_path / "r.edf").write_bytes(raw)
    return _timestamp("edf", tmp_path / "r.edf")


AT = datetime(2020, 5, 6, 10, 20, 30)  # noqa: DTZ001 -- the format has no zone


@pytest.mark.parametrize(
    "recording",
    [
        *(
            "Startdate 06-MAY-2020 X X X",
            "Startdate 06-May-2020 X X X",
            "startdate 6-may-2020",
            "STARTDATE 06-MAY-2020",
        ),
        *(
            "Startdate: 06-MAY-2020 X",
            "Startdate 2020-05-06 X X X",
            "Startdate 06 MAY 2020 X X",
            "Start date 06.May.2020",
        ),
        *(
            "Startdate May 6, 2020",
            "Startdate 06MAY2020",
            "Startdate 2020/05/06",
            "Startdate 6/5/2020",
            "Startdate 5/6/2020",
        ),
    ],
)
def test_the_date_in_the_recording_field_is_read_in_every_spelling(tmp_path: Path, recording: str) -> None:
    # In the header stands another year, of which the two digits tell nothing.
    assert _with_fields(tmp_path, recording, "06.05.yy") == AT
    assert _with_fields(tmp_path, recording, "06.05.19") == AT


@pytest.mark.parametrize(
    ("recording", "day", "expected"),
    [
        ("Startdate X X X X", "06.05.20", AT),
        ("", "06.05.20", AT),
        ("Startdate 31-FEB-2020 X", "06.05.20", AT),
        ("Startdate 06-MAY-20 X", "06.05.20", AT),
        ("Startdate X X X X", "01.01.85", None),
        ("Startdate X X X X", "06.05.yy", None),
        ("Startdate 7/8/2020", "06.05.yy", None),
        ("Startdate 7/8/2020", "06.05.20", AT),
    ],
)
def test_the_header_supplies_what_the_recording_field_lacks(
    tmp_path: Path, recording: str, day: str, expected: datetime | None
) -> None:
    assert _with_fields(tmp_path, recording, day) == expected


def test_plain_edf_with_a_startdate_is_read_by_it(tmp_path: Path) -> None:
    assert _with_fields(tmp_path, "Startdate 06-MAY-2020 X X X", "06.05.yy", kind="") == AT


@pytest.mark.parametrize(
    "written",
    [
        *("10:20:30 06/05/2020", "10:20:30 6/5/2020", "06/05/2020 10:20:30", "[10:20:30 06/05/2020]"),
        *("10:20:30 06-May-2020", "10:20:30 06-MAY-2020", "10:20:30 2020-05-06", "06-May-2020 10:20:30"),
        *("10:20:30 6.May.2020", "10:20:30 2020/05/06", "10:20:30 06May2020", "10:20:30 May-06-2020"),
    ],
)
def test_a_wfdb_header_is_read_with_every_plain_spelling_of_its_date(tmp_path: Path, written: str) -> None:
    for first in ("r 1 250 1", "r 1 250"):
        (tmp_path / "r.hea").write_text(f"{first} {written}\nr.dat 16 200\n")
        (tmp_path / "r.dat").write_bytes(b"\0\0")
        meta = Wfdb().read(tmp_path / "r.hea", ReadRequest()).meta
        assert meta["timestamp"] == AT
        assert not any("date" in text for text in meta["warnings"])


@pytest.mark.parametrize(
    "written",
    [*("06-05-2020", "06.05.2020", "31/02/2020", "06/05/20", "06-13-20/1"), *("5-5-20", "2006", "PM", "20200505", "X")],
)
def test_a_date_with_ambiguous_order_or_century_is_ignored_with_a_warning(tmp_path: Path, written: str) -> None:
    (tmp_path / "r.hea").write_text(f"r 1 250 1 10:20:30 {written}\nr.dat 16 200\n")
    (tmp_path / "r.dat").write_bytes(b"\0\0")
    meta = Wfdb().read(tmp_path / "r.hea", ReadRequest()).meta
    assert meta["timestamp"] is None
    assert f"the date {written!r} is not dd/mm/yyyy and is not read" in meta["warnings"]


@pytest.mark.parametrize(
    ("written", "unread"),
    [
        ("25:61:00 06/05/2020", "the time '25:61:00' is not hh:mm:ss"),
        ("06/05/2020 10.20.30", "the date '10.20.30' is not dd/mm/yyyy"),
        ("10:20:30 PM 06/05/2020", "the date 'PM' is not dd/mm/yyyy"),
        ("10:20:30 06/05/2020 PM", "the date 'PM' is not dd/mm/yyyy"),
        ("10:20:30 11:20:30 06/05/2020", "the time '11:20:30' is not hh:mm:ss"),
        ("25:61:00", "the time '25:61:00' is not hh:mm:ss"),
    ],
)
def test_a_time_that_cannot_be_read_gives_no_midnight(tmp_path: Path, written: str, unread: str) -> None:
    (tmp_path / "r.hea").write_text(f"r 1 250 1 {written}\nr.dat 16 200\n")
    (tmp_path / "r.dat").write_bytes(b"\0\0")
    meta = Wfdb().read(tmp_path / "r.hea", ReadRequest()).meta
    assert meta["timestamp"] is None
    assert f"{unread} and is not read" in meta["warnings"]


def test_a_month_beyond_12_shows_the_order(tmp_path: Path) -> None:
    for written in ("05/16/2020", "16/05/2020", "16-05-2020", "05-16-2020"):
        (tmp_path / "r.hea").write_text(f"r 1 250 1 10:20:30 {written}\nr.dat 16 200\n")
        (tmp_path / "r.dat").write_bytes(b"\0\0")
        assert _timestamp("wfdb", tmp_path / "r.hea") == AT.replace(day=16)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        *(("05-06-2020", (2020, 5, 6)), ("22-09-2020", (2020, 9, 22)), ("09-22-2020", (2020, 9, 22))),
        *(("2020-05-06", (2020, 5, 6)), ("06-MAY-2020", (2020, 5, 6)), ("06/MAY/2020", (2020, 5, 6))),
    ],
)
def test_muse_dates_have_the_month_first_if_ambiguous(
    data: Path, tmp_path: Path, written: str, expected: tuple[int, int, int]
) -> None:
    source = data / "formats/muse_xml/introecg_example.xml"
    text = source.read_text(encoding="latin-1")
    day = text.split("<AcquisitionDate>")[1].split("<")[0]
    (tmp_path / "a.xml").write_text(
        text.replace(f"<AcquisitionDate>{day}<", f"<AcquisitionDate>{written}<"), encoding="latin-1"
    )
    found = MuseXml().read(tmp_path / "a.xml", ReadRequest()).meta["timestamp"]
    assert found.date() == date(*expected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "X",
        "2020",
        "05-2020",
        "31-FEB-2020",
        "00-MAY-2020",
        "5-MAYBE-2020",
        "5/13/20",
        "13/13/2020",
        "5-6/2020",
        "5 5 5",
    ],
)
def test_a_text_that_is_not_a_date_is_none(text: str) -> None:
    assert written_dates(text) == ()
    assert the_date(text) is None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2020-05-06 {}", date(2020, 5, 6)),
        ("16/05/2020 {}", date(2020, 5, 16)),
        ("05/16/2020 {}", date(2020, 5, 16)),
        ("06.05.2020 {}", date(2020, 5, 6)),
        ("5/5/2020 {}", date(2020, 5, 5)),
        ("[{} 06/05/2020]", date(2020, 5, 6)),
        ("06-May-2020 {}", date(2020, 5, 6)),
        ("6 MAY 2020 {}", date(2020, 5, 6)),
        ("2020-May-06T{}", date(2020, 5, 6)),
        ("May-06-2020 {}", date(2020, 5, 6)),
        ("05/06/2020 {}", None),
        ("03/04/2020 {}", None),
        ("5-6-2020 {}", None),
    ],
)
def test_a_table_in_which_no_date_shows_the_order_has_no_dates(
    tmp_path: Path, written: str, expected: date | None
) -> None:
    rows = [f"{written.format(f'10:00:00.{i * 4:03d}')},{i % 7 / 10}" for i in range(250)]
    (tmp_path / "r.csv").write_text("\n".join(["time,II (mV)", *rows]) + "\n")
    found = formats.get("csv")().read(tmp_path / "r.csv", ReadRequest())
    assert (found.fs, found.leads) == (250.0, ("II",))
    at = expected and datetime(expected.year, expected.month, expected.day, 10)  # noqa: DTZ001
    assert found.meta["timestamp"] == at
    warned = f"the date {written.split(' ', maxsplit=1)[0]!r} may have the day or the month first and is not read"
    assert (warned in found.meta["warnings"]) == (expected is None)


def test_a_later_day_of_a_table_tells_the_order_of_its_dates(tmp_path: Path) -> None:
    rows = [f"{day}/04/2020 {clock}.{i:02d},{i % 7 / 10}" for day, clock in ((12, "23:59:59"),) for i in range(100)]
    rows += [f"13/04/2020 00:00:00.{i:02d},{i % 7 / 10}" for i in range(100)]
    (tmp_path / "r.csv").write_text("\n".join(["time,II (mV)", *rows]) + "\n")
    found = formats.get("csv")().read(tmp_path / "r.csv", ReadRequest())
    assert (found.fs, found.meta["warnings"]) == (100.0, ())
    assert found.meta["timestamp"] == datetime(2020, 4, 12, 23, 59, 59)  # noqa: DTZ001


def test_a_month_that_is_not_one_is_refused(tmp_path: Path) -> None:
    rows = [f"06-Mai-2020 10:00:00.{i * 4:03d},{i % 7 / 10}" for i in range(250)]
    (tmp_path / "r.csv").write_text("\n".join(["time,II (mV)", *rows]) + "\n")
    with pytest.raises(FormatError, match="has a date in column 'time' that does not exist: '06-Mai-2020'"):
        formats.get("csv")().read(tmp_path / "r.csv", ReadRequest())
