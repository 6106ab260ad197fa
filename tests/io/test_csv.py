from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from cardioflow.errors import FormatError
from cardioflow.io.base import ReadRequest, Record
from cardioflow.io.csv import Csv


def read(path: Path, text: str | bytes, **request: object) -> Record:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return Csv().read(path, ReadRequest(**request))


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "x.csv"


SAME = [[0.5, 0.25, 0.0, -1.0], [1.0, 1.5, 2.0, 3.0]]


@pytest.mark.parametrize(
    "text",
    [
        "time_s,V1,V2\n0,0.5,1\n0.002,0.25,1.5\n0.004,0,2\n0.006,-1,3\n",
        "# fs: 500\nV1,V2\n0.5,1\n0.25,1.5\n0,2\n-1,3\n",
        "# Sampling rate (Hz) = 500\r\n\r\nV1;V2\r\n0,5;1\r\n0,25;1,5\r\n0;2\r\n-1;3\r\n",
        "t (ms)\tV1\tV2\n0\t.5\t1\n2\t.25\t1.5\n4\t0\t2\n6\t-1\t3\n",
        "time [s],V1 (uV),V2 [V]\n0,500,0.001\n.002,250,0.0015\n.004,0,0.002\n.006,-1000,0.003\n",
        "'Elapsed time','V1','V2'\n'seconds','mV','mV'\n0.000,0.50,1\n0.002,0.25,1.5\n0.004,0.00,2\n0.006,-1.0,3\n",
        "\ufeffsample,time,V1,V2\n0,0,0.5,1\n1,0.002,0.25,1.5\n2,0.004,0,2\n3,0.006,-1,3\n",
    ],
    ids=["time", "rate line", "decimal commas", "tabs and ms", "units", "rdsamp", "byte order mark and index"],
)
def test_tables_of_many_kinds_are_the_same_record(path, text):
    found = read(path, text)
    assert Csv.recognises(path.read_bytes()[:4096])
    assert (found.fs, found.leads, found.units) == (500.0, ("V1", "V2"), ("mV", "mV"))
    np.testing.assert_allclose(found.signal, SAME, rtol=1e-6)


CLOCKS = {
    "ISO": ["2020-12-31T23:59:59.996", "2021-01-01T00:00:00.000", "2021-01-01T00:00:00.004"],
    "ISO with a space": ["2020-12-31 23:59:59.996", "2021-01-01 00:00:00.000", "2021-01-01 00:00:00.004"],
    "ISO with a zone": ["2020-12-31T23:59:59.996+01:00", "2021-01-01T00:00:00+01:00", "2021-01-01T00:00:00.004+01:00"],
    "UTC": ["2020-12-31T23:59:59.996Z", "2021-01-01T00:00:00Z", "2021-01-01T00:00:00.004Z"],
    "rdsamp -pd": ["'[23:59:59.996 31/12/2020]'", "'[00:00:00.000 01/01/2021]'", "'[00:00:00.004 01/01/2021]'"],
    "month first": ["12/31/2020 23:59:59.996", "01/01/2021 00:00:00.000", "01/01/2021 00:00:00.004"],
    "time of day": ["23:59:59.996", "00:00:00.000", "00:00:00.004"],
    "elapsed": ["23:59:59.996", "24:00:00.000", "24:00:00.004"],
    "rdsamp -pe": ["'0:00.996'", "'0:01.000'", "'0:01.004'"],
    "padded": ["   59:59.996", " 1:00:00.000", " 1:00:00.004"],
    "nanoseconds": ["10:00:00.996000000", "10:00:01.000000000", "10:00:01.004000000"],
}


@pytest.mark.parametrize(
    "names", ["time,V1,V2\n", "'Time and date','V1','V2'\n'[hh:mm:ss.mmm dd/mm/yyyy]','mV','mV'\n", ""]
)
@pytest.mark.parametrize("kind", CLOCKS)
def test_times_of_every_kind_give_the_rate(path, kind, names):
    rows = "".join(f"{time},{i},{i + 0.5}\n" for i, time in enumerate(CLOCKS[kind]))
    found = read(path, names + rows)
    assert Csv.recognises(path.read_bytes()[:4096])
    np.testing.assert_array_equal(found.signal, [[0, 1, 2], [0.5, 1.5, 2.5]])
    assert found.fs == 250.0
    assert found.leads == (("V1", "V2") if names else ("signal 1", "signal 2"))
    zone = {"ISO with a zone": timezone(timedelta(hours=1)), "UTC": UTC}.get(kind)
    dated = "31" in CLOCKS[kind][0]
    assert found.meta["timestamp"] == (datetime(2020, 12, 31, 23, 59, 59, 996000, zone) if dated else None)


def test_a_gap_of_a_whole_day_is_seen(path):
    with pytest.raises(FormatError, match="is not sampled evenly"):
        read(path, "time,V1\n2020-01-01T00:00:00,1\n2020-01-02T00:00:01,2\n2020-01-02T00:00:02,2\n")


def test_decimal_commas_in_times_are_read(path):
    found = read(path, "Zeit;V1\n00:00:00,000;0,5\n00:00:00,002;1,5\n00:00:00,004;2,5\n")
    assert found.fs == 500.0
    np.testing.assert_array_equal(found.signal, [[0.5, 1.5, 2.5]])


def test_a_long_table_of_times_to_the_millisecond_has_the_rate_that_was_meant(path):
    times = [f"{i // 360 // 60}:{i / 360 % 60:06.3f},{i % 7}\n" for i in range(7200)]
    assert read(path, "'Elapsed time','MLII'\n'hh:mm:ss.mmm','mV'\n" + "".join(times)).fs == 360.0


def test_a_column_of_numbers_goes_before_a_clock_that_is_told_to_the_second(path):
    found = read(path, "timestamp,t,V1\n2020-01-01 10:00:00,0,1\n2020-01-01 10:00:00,0.5,2\n2020-01-01 10:00:01,1,3\n")
    assert (found.fs, found.leads) == (2.0, ("V1",))
    assert found.meta["timestamp"] == datetime(2020, 1, 1, 10)  # noqa: DTZ001 -- the file tells no zone


@pytest.mark.parametrize(
    ("unit", "step"), [("s", 0.5), ("seconds", 0.5), ("milliseconds", 500), ("minutes", 1 / 120), ("hours", 1 / 7200)]
)
def test_elapsed_times_of_every_unit_give_the_rate(path, unit, step):
    rows = "".join(f"{i * step:.9f},{i}\n" for i in range(5))
    assert read(path, f"'Elapsed time','V1'\n'{unit}','mV'\n{rows}").fs == 2.0


def test_a_rate_that_is_told_goes_before_all_others(path):
    path.write_text("V1,V2\n1,2\n")
    with pytest.raises(FormatError, match=r"Pass it: load\(fmt='csv', fs=500\)"):
        Csv().read(path, ReadRequest())
    assert Csv(fs=300).read(path, ReadRequest()).fs == 300.0
    path.write_text("# fs: 100\ntime,V1\n00:00:00,1\nlater,2\n")
    assert Csv().read(path, ReadRequest()).fs == 100.0
    assert Csv(fs=300).read(path, ReadRequest()).fs == 300.0


def test_missing_samples_are_nan(path):
    found = read(path, "# fs: 1\nV1,V2\n1,-\n,2\nNaN,3\n")
    np.testing.assert_array_equal(found.signal, [[1, np.nan, np.nan], [np.nan, 2, 3]])


def test_a_table_without_names_has_numbers_for_names(path):
    assert read(path, "# fs: 100\n1,2\n3,4\n").leads == ("signal 0", "signal 1")


def test_a_channel_that_is_no_voltage_keeps_its_unit(path):
    assert read(path, "# fs: 100\nV1,ABP (mmHg)\n1,80\n2,81\n").units == ("mV", "mmHg")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("V1,V2\n1,2\n", "holds no sampling rate; expected a column 'time_s', or a line '# fs: 500'"),
        ("# fs: 0\nV1\n1\n", "says that its sampling rate is '0'"),
        ("# fs: 5\n", "holds no table"),
        ("", "is empty"),
        ("time_s,V1\n0,1\n1,2\n5,3\n", "is not sampled evenly"),
        ("time_s,V1\n5,1\n5,2\n", "not a rising time"),
        ("# fs: 5\nV1,V2\n1,2\n1\n", "is not a table of numbers"),
        ("# fs: 5\nV1,V2\n1,x\n", "is not a table of numbers: Row #3: "),
        ("# fs: 5\nV1,V2\n1,x\n", "invalid value 'x', in column 'V2'"),
        ("time_s,V1,note\n0,1,a\n1,2,b\n", "invalid value 'a', in column 'note'"),
        ("time,V1\n00:00:00.000,1\nlater,2\n", "has 'later' in row 2 of column 'time', where others are times"),
        ("time,V1\n00:00:00.000,1\n,2\n", "has None in row 2 of column 'time'"),
        ("time,V1\n00:00:00.004,1\n00:00:00.000,2\n", "has a column 'time' that is not a rising time"),
        ("time,V1\n00:00:00,1\n00:00:00,2\n00:00:01,3\n", "is not sampled evenly"),
        ("time,V1\n2020-02-30 00:00:00,1\n2020-02-30 00:00:01,2\n", "has a date in column 'time' that does not exist"),
        ("time,V1\n01/02/20 00:00:00,1\n01/02/20 00:00:01,2\n", "a year has not four digits"),
        ("time,V1\n2020-01-01T00:00:00Z,1\n2020-01-01T00:00:01+01:00,2\n", "changes its time zone in column 'time'"),
        ("time,V1\n2020-01-01 00:00:00,1\n00:00:01,2\n", "has a date in column 'time' that does not exist"),
        ("time (days),V1\n0,1\n1,2\n", "has a column 'time' of times in 'days'"),
        ("'Elapsed time','V1'\n'days','mV'\n0,1\n1,2\n", "times in 'days'; expected s, ms, us, minutes or hours"),
        ("time_s\n1\n2\n", "has no column of samples"),
        ("# fs: 5\n# told: {\nV1\n1\n", "metadata that cannot be read: The text is not JSON"),
        ("# fs: 5\n# marks: {\"sample\": [1], \"symbol\": []}\nV1,V2\n1,2\n", "columns have the lengths [0, 1]"),
    ],
)  # fmt: skip
def test_what_is_no_table_of_samples_says_why(path, text, says):
    with pytest.raises(FormatError) as caught:
        read(path, text)
    assert says in str(caught.value)
    assert "x.csv" in str(caught.value)


def test_texts_and_other_tables_are_not_recognised(data):
    assert not Csv.recognises((data / "cinc2017/REFERENCE.csv").read_bytes()[:4096])
    assert not Csv.recognises(b"a text, with commas\nand lines, of it\n")
