from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from cardioflow.errors import FormatError, InputError
from cardioflow.io.base import ReadRequest, Record
from cardioflow.io.csv import Csv
from cardioflow.io.reading import read_each, request_for


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


def test_a_numeric_column_takes_precedence_over_a_clock_in_seconds(path):
    found = read(
        path, "timestamp,t (s),V1\n2020-01-01 10:00:00,0,1\n2020-01-01 10:00:00,0.5,2\n2020-01-01 10:00:01,1,3\n"
    )
    assert (found.fs, found.leads) == (2.0, ("V1",))
    assert found.meta["timestamp"] == datetime(2020, 1, 1, 10)  # noqa: DTZ001 -- the file tells no zone


@pytest.mark.parametrize(
    ("unit", "step"), [("s", 0.5), ("seconds", 0.5), ("milliseconds", 500), ("minutes", 1 / 120), ("hours", 1 / 7200)]
)
def test_elapsed_times_of_every_unit_give_the_rate(path, unit, step):
    rows = "".join(f"{i * step:.9f},{i}\n" for i in range(5))
    assert read(path, f"'Elapsed time','V1'\n'{unit}','mV'\n{rows}").fs == 2.0


def test_a_passed_rate_takes_precedence_over_all_others(path):
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


def test_a_channel_that_is_not_a_voltage_keeps_its_unit(path):
    assert read(path, "# fs: 100\nV1,ABP (mmHg)\n1.5,80\n2,81\n").units == ("mV", "mmHg")


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
        ("'Elapsed time','V1'\n'days','mV'\n0,1\n1,2\n", "times in 'days'; expected s, ms, us, ns, minutes or hours"),
        ("time_s\n1\n2\n", "has no column of samples"),
        ("# fs: 5\n# told: {\nV1\n1\n", "metadata that cannot be read: The text is not JSON"),
        ("# fs: 5\n# marks: {\"sample\": [1], \"symbol\": []}\nV1,V2\n1,2\n", "columns have the lengths [0, 1]"),
    ],
)  # fmt: skip
def test_an_error_says_why_a_file_is_not_a_table_of_samples(path, text, says):
    with pytest.raises(FormatError) as caught:
        read(path, text)
    assert says in str(caught.value)
    assert "x.csv" in str(caught.value)


def test_texts_and_other_tables_are_not_recognised(data):
    assert not Csv.recognises((data / "cinc2017/REFERENCE.csv").read_bytes()[:4096])
    assert not Csv.recognises(b"a text, with commas\nand lines, of it\n")


# Columns that are not leads


def rows(n: int, *columns) -> str:
    """Return ``n`` rows of what each of ``columns`` gives for a row's number."""
    return "".join(",".join(str(column(i)) for column in columns) + "\n" for i in range(n))


def value(i: int) -> float:
    return round(((i * 37) % 11 - 5) / 8, 3)


def test_a_table_of_a_polar_h10_has_one_lead(path):
    lines = "".join(
        f"2022-03-21T17:06:{9 + i // 130:02d}.{round(i % 130 / 0.13):03d};"
        f"{579978288089671040 + round(i * 1e9 / 130.2)};{i * 1e3 / 130.2:.6f};{i % 50 - 25}\n"
        for i in range(1300)
    )
    found = read(path, "Phone timestamp;sensor timestamp [ns];timestamp [ms];ecg [uV]\n" + lines)
    assert Csv.recognises(path.read_bytes()[:4096])
    assert (found.leads, found.units) == (("ecg",), ("mV",))
    assert found.fs == pytest.approx(130.2, abs=1e-6)
    assert (found.meta["fs_source"], found.meta["uncalibrated"]) == ("time column", False)
    assert found.meta["timestamp"] == datetime(2022, 3, 21, 17, 6, 9)  # noqa: DTZ001 -- the file tells no zone
    assert found.signal[0, :3].tolist() == [np.float32(-0.025), np.float32(-0.024), np.float32(-0.023)]


@pytest.mark.parametrize(
    "name",
    ["Unnamed: 0", "", "i", "index", "idx", "sample", "sample_number", "Sample #", "row", "n", "counter", "frame_id"],
)
@pytest.mark.parametrize("first", [0, 1, 4096])
def test_row_numbers_are_not_a_lead(path, name, first):
    found = read(path, f"{name},time_s,ecg\n" + rows(12, lambda i: first + i, lambda i: i / 250, value))
    assert (found.leads, found.fs, found.meta["left_out_columns"]) == (("ecg",), 250.0, (name,))
    assert found.signal[0].tolist() == [value(i) for i in range(12)]


@pytest.mark.parametrize("modulus", [16, 256, 10**6])
@pytest.mark.parametrize("per_packet", [1, 5])
def test_a_counter_of_packets_that_returns_to_its_start_is_not_a_lead(path, modulus, per_packet):
    found = read(
        path, "packet_counter,time_s,V2\n" + rows(600, lambda i: i // per_packet % modulus, lambda i: i / 250, value)
    )
    assert found.leads == ("V2",)


def test_a_column_that_rises_by_one_in_each_row_is_a_counter_unless_a_lead_or_unit_says_otherwise(path):
    path.write_text(
        "device,V1,pulse (mmHg),ecg\n" + rows(10, lambda i: i + 7, lambda i: i, lambda i: i, value), encoding="utf-8"
    )
    found = Csv(fs=250).read(path, ReadRequest())
    assert (found.leads, found.meta["left_out_columns"]) == (("V1", "pulse", "ecg"), ("device",))


@pytest.mark.parametrize(
    ("head", "leads"),
    [
        ("", ("signal 1", "signal 2")),
        ("when,a,b\n", ("a", "b")),
        ("Column1,I,II\n", ("I", "II")),
        (",I,II\n", ("I", "II")),
    ],
)
def test_a_column_that_rises_evenly_is_a_time_whatever_its_name(path, head, leads):
    table = head + rows(100, lambda i: f"{i * 0.004:.3f}", value, lambda i: f"{i % 9 / 10}")
    found = read(path, table)
    assert (found.leads, found.fs, found.meta["fs_source"]) == (leads, 250.0, "time column")
    given = Csv(fs=500).read(path, ReadRequest())
    assert (given.leads, given.fs, given.meta["fs_source"]) == (leads, 500.0, "given")


@pytest.mark.parametrize("name", ["X", "V1", "ECG (mV)"])
def test_a_lead_that_rises_evenly_stays_one_with_a_warning(path, name):
    path.write_text(f"{name},II\n" + rows(100, lambda i: f"{i * 0.004:.3f}", value))
    found = Csv(fs=250).read(path, ReadRequest())
    assert len(found.leads) == 2
    text = f"lead {name} rises evenly, as times do"
    assert (text in found.meta["warnings"]) == (name != "ECG (mV)")


@pytest.mark.parametrize("cell", ["0", ""])
def test_a_lead_i_that_is_flat_is_not_a_counter(path, cell):
    path.write_text("I,II\n" + rows(10, lambda _: cell, value))
    found = Csv(fs=250).read(path, ReadRequest())
    assert (found.leads, found.meta["left_out_columns"]) == (("I", "II"), ())


def test_a_drift_is_not_a_time(path):
    path.write_text("a,b\n" + rows(100, lambda i: f"{(i / 90) ** 2:.6f}", value))
    found = Csv(fs=250).read(path, ReadRequest())
    assert (found.leads, found.meta["warnings"]) == (("a", "b"), ())


def test_a_counter_that_falls_is_not_a_lead(path):
    found = read(path, "no,time_s,ecg\n" + rows(20, lambda i: 100 - i, lambda i: i / 250, value))
    assert (found.leads, found.meta["left_out_columns"]) == (("ecg",), ("no",))


@pytest.mark.parametrize("name", ["sample", "Unnamed: 0", "index"])
def test_row_numbers_that_jump_show_missing_samples(path, name):
    path.write_text(f"# fs: 250\n{name},ecg\n" + rows(40, lambda i: i + 5 * (i > 20), value))
    with pytest.raises(FormatError, match=r"has a gap: column '.*' jumps from 20 to 26 after row 21\. Cut the table"):
        Csv().read(path, ReadRequest())
    assert Csv(fs=250).read(path, ReadRequest()).signal.shape == (1, 40)


def test_whole_numbers_beside_a_signal_are_not_millivolts_unless_a_lead_has_them(path):
    text = "time_s,ecg,battery,label,V6\n" + rows(
        12, lambda i: i / 250, value, lambda _: 97, lambda _: 0, lambda i: i // 4
    )
    found = read(path, text)
    assert (found.units, found.meta["uncalibrated"]) == (("mV", "adu", "mV", "mV"), True)


@pytest.mark.parametrize("name", ["sample", "count", "frame"])
def test_a_column_named_counter_that_does_not_count_is_a_lead(path, name):
    found = read(path, f"time_s,{name}\n" + rows(12, lambda i: i / 250, value))
    assert (found.leads, found.meta["left_out_columns"]) == ((name,), ())


@pytest.mark.parametrize("name", ["patient_id", "id", "record", "filename", "Subject ID", "ECG_ID"])
@pytest.mark.parametrize("cell", ["A00017", "17"])
def test_a_column_with_the_patient_is_not_a_lead(path, name, cell):
    found = read(path, f"{name},time_s,V1\n" + rows(12, lambda _: cell, lambda i: i / 250, value))
    assert Csv.recognises(path.read_bytes()[:4096])
    assert (found.leads, found.meta["left_out_columns"]) == (("V1",), (name,))


@pytest.mark.parametrize("kind", ["A0001{}", "1{}"])
def test_a_table_of_several_records_is_refused(path, kind):
    text = "patient_id,time_s,V1\n" + rows(12, lambda i: kind.format(i // 6), lambda i: i / 250, value)
    with pytest.raises(FormatError, match=r"holds several records: column 'patient_id' changes in row 7"):
        read(path, text)


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("time", lambda i: i / 250),
        ("t", lambda i: i / 250),
        ("ms", lambda i: i * 4),
        ("time_ms", lambda i: i * 4),
        ("Timestamp [ms]", lambda i: 1600000000000 + i * 4),
        ("sensor timestamp (ns)", lambda i: 579978288089671040 + i * 4000000),
        ("t_us", lambda i: i * 4000),
        ("elapsed_time_s", lambda i: i / 250),
        ("epoch", lambda i: f"{1600000000 + i / 250:.3f}"),
        ("datetime", lambda i: f"2020-01-01 00:00:00.{i * 4:03d}"),
        ("recorded at", lambda i: f"2020-01-01T00:00:00.{i * 4:03d}Z"),
        ("Zeit [s]", lambda i: i / 250),
    ],
)
def test_a_column_of_times_is_not_a_lead(path, name, cell):
    found = read(path, f"{name},V1\n" + rows(100, cell, value))
    assert (found.leads, found.fs, found.meta["fs_source"]) == (("V1",), 250.0, "time column")


def test_a_date_beside_a_time_is_not_a_lead(path):
    found = read(path, "date,time,V1\n" + rows(10, lambda _: "2020-12-31", lambda i: f"10:00:00.{i * 4:03d}", value))
    assert (found.leads, found.fs) == (("V1",), 250.0)


# Rates that are measured


def test_a_missing_sample_at_1000_hz_is_detected_in_milliseconds(path):
    with pytest.raises(FormatError, match=r"a gap of 0.002 s after row 400, where about 1 sample is missing"):
        read(path, "time_ms,V1\n" + rows(800, lambda i: i + (i >= 400), value))


@pytest.mark.parametrize("jitter_s", [0.0005, 0.001])
@pytest.mark.parametrize("row", [30, 2500])
def test_a_gap_between_jittering_times_is_detected(path, row, jitter_s):
    jitter = np.random.default_rng(0).uniform(-jitter_s, jitter_s, 5000)
    times = (np.arange(5000) + 3 * (np.arange(5000) >= row)) / 250 + jitter
    with pytest.raises(FormatError, match=rf"after row {row}, where about 3 samples are missing"):
        read(path, "time_s,V1\n" + rows(5000, lambda i: f"{times[i]:.6f}", value))


@pytest.mark.parametrize("fs", [124.945, 250.17, 249.93, 361.2, 99.99, 1000.5])
@pytest.mark.parametrize("decimals", [4, 6, 9])
def test_a_precise_time_column_gives_the_measured_rate(path, fs, decimals):
    found = read(path, "time_s,V1\n" + rows(2500, lambda i: f"{i / fs:.{decimals}f}", value))
    assert found.fs == pytest.approx(fs, rel=0.6 * 10.0**-decimals / (2499 / fs) + 1e-12)
    assert found.fs != round(found.fs)


@pytest.mark.parametrize("fs", [125, 250, 257, 360, 500, 1000])
@pytest.mark.parametrize("decimals", [3, 4, 6, 17])
def test_a_whole_rate_within_the_precision_of_the_times_is_whole(path, fs, decimals):
    assert read(path, "time_s,V1\n" + rows(1000, lambda i: f"{i / fs:.{decimals}f}", value)).fs == fs


def test_a_rate_within_the_precision_of_milliseconds_is_an_integer(path):
    # 0.8 s to the millisecond leave 0.16 Hz open, 20 s leave 0.006 Hz.
    assert read(path, "time_s,V1\n" + rows(100, lambda i: f"{i / 124.945:.3f}", value)).fs == 125.0
    assert read(path, "time_s,V1\n" + rows(2500, lambda i: f"{i / 124.945:.3f}", value)).fs == pytest.approx(
        124.945, abs=0.007
    )


@pytest.mark.parametrize("jitter_s", [0.001, 0.002, 0.004])
def test_jittering_times_give_a_rate(path, jitter_s):
    jitter = np.random.default_rng(0).uniform(-jitter_s, jitter_s, 5000)
    times = np.sort(np.arange(5000) / 250 + jitter)
    found = read(path, "time_s,V1\n" + rows(5000, lambda i: f"{times[i]:.6f}", value))
    assert found.fs == pytest.approx(250.0, abs=0.02)
    assert found.signal.shape == (1, 5000)


@pytest.mark.parametrize("missing", [1, 2, 50, 5000])
@pytest.mark.parametrize("row", [1, 20, 500, 997])
@pytest.mark.parametrize("unit", ["s", "ms"])
def test_a_gap_of_any_length_anywhere_is_refused(path, missing, row, unit):
    def at(i: int) -> str:
        ms = (i + (missing if i >= row else 0)) * 4
        return str(ms) if unit == "ms" else f"{ms / 1000:.3f}"

    with pytest.raises(FormatError, match="is not sampled evenly"):
        read(path, f"time_{unit},V1\n" + rows(1000, at, value))
    assert Csv(fs=250).read(path, ReadRequest()).fs == 250.0


@pytest.mark.parametrize(
    "cell",
    [lambda i: i * 4, lambda i: 1600000000000 + i * 4, lambda i: i * 4000, lambda i: i, lambda i: i / 2],
    ids=["0, 4, 8", "epoch ms", "us", "0, 1, 2", "0, 0.5, 1"],
)
@pytest.mark.parametrize("name", ["time", "t", "timestamp"])
def test_an_error_for_implausible_time_steps_asks_for_their_unit(path, name, cell):
    with pytest.raises(FormatError, match=r"does not say of what. Pass their unit: load\(fmt='csv', time_unit='ms'\)"):
        read(path, f"{name},V1\n" + rows(20, cell, value))
    found = Csv(time_unit="ms").read(path, ReadRequest())
    assert found.fs == 1000 / (cell(1) - cell(0))
    assert Csv(fs=77).read(path, ReadRequest()).meta["fs_source"] == "given"


def test_times_that_are_too_coarse_for_a_rate_are_refused(path):
    text = "time,V1\n" + rows(3000, lambda i: f"10:{i // 500 // 60:02d}:{i // 500 % 60:02d}", value)
    with pytest.raises(FormatError, match=r"too coarse to tell the rate: it may be .* Hz. Pass it: load"):
        read(path, text)
    # To the millisecond, two samples of 2000 Hz share a time.
    assert read(path, "time_ms,V1\n" + rows(30000, lambda i: i // 2, value)).fs == 2000.0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_tables_in_every_encoding_are_the_same_record(path, encoding):
    text = "Zeit [ms];Ableitung für I (µV)\n0;500,5\n4;250\n8;-1000\n"
    found = read(path, text.encode(encoding))
    assert (found.leads, found.units, found.fs) == (("Ableitung für I",), ("mV",), 250.0)
    np.testing.assert_allclose(found.signal, [[0.5005, 0.25, -1.0]], rtol=1e-6)
    assert Csv.recognises(path.read_bytes()[:4096])


def test_decimal_commas_work_with_tabs(path):
    found = read(path, "time_s\tV1\n0\t0,5\n0,004\t1,25\n0,008\t2\n")
    assert (found.fs, found.signal.tolist()) == (250.0, [[0.5, 1.25, 2.0]])


@pytest.mark.parametrize("header", ["V1 [uV]", "V1 (µV)", "V1_uV", "V1/uV", "V1 microvolts"])
def test_units_in_the_header_are_read(path, header):
    found = read(path, f"time_s,{header}\n0,500\n0.004,-1000\n")
    assert (found.leads, found.units, found.meta["uncalibrated"]) == (("V1",), ("mV",), False)
    np.testing.assert_allclose(found.signal, [[0.5, -1.0]], rtol=1e-6)


def test_a_rate_that_is_written_is_the_headers(path):
    assert read(path, "# fs: 500\nV1,V2\n0.5,1\n").meta["fs_source"] == "header"


@pytest.mark.parametrize("fs", ["abc", 0, -250.0, float("nan"), True])
def test_a_rate_that_is_not_a_number_above_0_is_refused(path, fs):
    path.write_text("II\n0.1\n0.2\n")
    with pytest.raises(InputError, match=r"load\(fs=.*\): expected a sampling rate in Hz, a number above 0"):
        read_each([path], "csv", request_for(("signal", "meta"), {}), {"fs": fs})
