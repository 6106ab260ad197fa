from __future__ import annotations

import struct
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest

from cardioflow.errors import FormatError
from cardioflow.io.base import ReadRequest
from cardioflow.io.mfer import Mfer

ALL = ReadRequest(components=frozenset({"signal", "meta", "annotation"}))


@pytest.fixture
def monitor(data: Path) -> Path:
    return data / "formats/mfer/test-file.MWF"


def _tag(code: int, value: bytes) -> bytes:
    size = bytes([len(value)]) if len(value) < 128 else b"\x84" + struct.pack(">I", len(value))
    return bytes([code]) + size + value


def _channel(number: int, *tags: bytes) -> bytes:
    value = b"".join(tags)
    return bytes([0x3F, number, len(value)]) + value


MICROVOLTS = _tag(0x0C, b"\x00\xfa\x02\x00")
INTERVAL = _tag(0x0B, b"\x01\xfd\x04")


def _file(tmp_path: Path, *tags: bytes) -> Path:
    path = tmp_path / "a.mwf"
    path.write_bytes(_tag(0x40, b"MFR " + b" " * 28) + b"".join(tags) + b"\x80\x00")
    return path


def test_a_monitors_ecg_leads_are_read_in_millivolts(monitor: Path) -> None:
    record = Mfer().read(monitor, ALL)
    assert (record.fs, record.leads, record.units) == (250.0, ("II", "V5"), ("mV", "mV"))
    assert record.signal is not None
    assert record.signal.shape == (2, 12 * 15000)
    # The first block of channel 0 begins behind the waveform's tag: 2 µV a step.
    content = monitor.read_bytes()
    begin = len(content) - 1_620_000
    stored = np.frombuffer(content, "<i2", 15000, content.index(b"\x1e\x84\x00\x18\xb8\x20") + 6)
    assert abs(begin - content.index(b"\x1e\x84\x00\x18\xb8\x20") - 6) <= 2
    np.testing.assert_allclose(record.signal[0, :15000], np.where(stored == -32768, np.nan, stored * 0.002), rtol=1e-6)
    assert 0.5 < np.nanmax(record.signal[0]) < 3
    assert record.meta["other_channels"][0] == ("MFER 0xC00A", 125.0, "mmHg")


def test_the_pressure_pulses_at_the_heart_rate_of_the_ecg(monitor: Path) -> None:
    ecg = Mfer().read(monitor, ReadRequest(channels=("II",), stop_s=60.0))
    pressure = Mfer().read(monitor, ReadRequest(channels=("MFER 0xC00A",), stop_s=60.0))
    assert (pressure.fs, pressure.units) == (125.0, ("mmHg",))
    assert ecg.signal is not None
    assert pressure.signal is not None

    def strongest_hz(row: np.ndarray, fs: float) -> float:
        power = np.abs(np.fft.rfft(row - row.mean())) ** 2
        hz = np.fft.rfftfreq(row.size, 1 / fs)
        # Of the ECG, the beat's own frequency is below its harmonics: the first that is strong.
        near = (hz > 0.8) & (hz < 3)
        return float(hz[near][np.argmax(power[near])])

    beat = strongest_hz(pressure.signal[0], 125.0)
    assert strongest_hz(ecg.signal[0], 250.0) == pytest.approx(beat, abs=0.05)
    assert 30 < np.median(pressure.signal) < 150


def test_channels_with_different_rates_cannot_be_read_together(monitor: Path) -> None:
    with pytest.raises(FormatError, match=r"channels with different rates: II 250 Hz, MFER 0xC00A 125 Hz\. "):
        Mfer().read(monitor, ReadRequest(channels=("II", "MFER 0xC00A")))
    both = Mfer().read(monitor, ReadRequest(channels=(3, 2)))
    assert both.leads == ("MFER 0xC012", "MFER 0xC00A")


def test_identity_is_read_only_on_request(monitor: Path) -> None:
    silent = Mfer().read(monitor, ALL).meta
    assert silent["timestamp"] == datetime.fromisoformat("2019-06-19T13:20:00")
    assert silent["device"].startswith("NIHON KOHDEN CNS6000")
    assert "12345" not in repr(dict(silent))
    told = Mfer().read(monitor, ReadRequest(identify=True)).meta
    assert (told["patient_id"], told["name"]) == ("12345", "TRWRU")


@pytest.mark.parametrize("little", [False, True])
@pytest.mark.parametrize(
    ("kind", "dtype"), [(0, "i2"), (1, "u2"), (2, "i4"), (3, "u1"), (5, "i1"), (6, "u4"), (7, "f4")]
)
def test_every_type_is_read_in_both_byte_orders(tmp_path: Path, little: bool, kind: int, dtype: str) -> None:
    order = "<" if little else ">"
    rows = np.array([[1, 2, 100], [7, 5, 3]])
    waves = rows.astype(order + dtype).tobytes()
    width = bytes([2, 0]) if little else bytes([0, 2])
    path = _file(
        tmp_path,
        _tag(0x01, bytes([little])),
        INTERVAL,
        _tag(0x0C, b"\x00\xfa" + width),
        _tag(0x04, bytes([3])),
        _tag(0x0A, bytes([kind])),
        _tag(0x05, bytes([2])),
        _channel(0, _tag(0x09, (1).to_bytes(2, "little" if little else "big"))),
        _channel(1, _tag(0x09, b"\x00\x00" + b"ECG V2\0")),
        _tag(0x1E, waves),
    )
    record = Mfer().read(path, ALL)
    assert (record.fs, record.leads) == (250.0, ("I", "V2"))
    assert record.signal is not None
    np.testing.assert_allclose(record.signal, rows * 0.002, rtol=1e-6)


def test_null_values_are_nan_and_sequences_follow_one_another(tmp_path: Path) -> None:
    blocks = np.array([[1, 2], [10, 20], [-32768, 4], [30, 40]], "<i2")
    path = _file(
        tmp_path,
        _tag(0x01, b"\x01"),
        INTERVAL,
        MICROVOLTS,
        _tag(0x12, b"\x00\x80"),
        _tag(0x04, b"\x02"),
        _tag(0x06, b"\x02"),
        _tag(0x05, b"\x02"),
        _channel(0, _tag(0x09, b"\x02\x00")),
        _channel(1, _tag(0x09, b"\x03\x00")),
        _tag(0x1E, blocks.tobytes()),
    )
    record = Mfer().read(path, ALL)
    assert record.signal is not None
    np.testing.assert_allclose(record.signal, np.array([[1, 2, np.nan, 4], [10, 20, 30, 40]]) * 0.002, rtol=1e-6)


def test_age_and_birth_date(tmp_path: Path) -> None:
    waves = [INTERVAL, MICROVOLTS, _tag(0x04, b"\x02"), _tag(0x1E, b"\0\1\0\2")]
    known = _file(tmp_path, _tag(0x83, bytes([61, 0, 0, 0x07, 0xA0, 2, 3])), _tag(0x84, b"\x02"), *waves)
    meta = Mfer().read(known, ReadRequest(identify=True)).meta
    assert (meta["age"], meta["sex"], meta["birth_date"]) == (61, "F", date(1952, 2, 3))


_DISTINCT = [_channel(i, _tag(0x09, bytes([0, i]))) for i in range(1, 127)]


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ([], "holds no waveform"),
        ([_tag(0x06, b"\x7f" * 3000), _tag(0x1E, b"\0\0")], "gives a number in 3000 bytes; expected at most 8"),
        ([_tag(0x0E, b"\0\1"), _tag(0x1E, b"\0\0")], "is compressed"),
        ([_channel(0, _tag(0x06, b"\2")), _tag(0x1E, b"\0\0")], "sequences of its own"),
        ([_tag(0x1E, b"\0\0")] * 16385, "more than 16384 frames"),
        (
            [_tag(0x05, b"\x7f"), *_DISTINCT, *[_tag(0x04, b"\1")] * 1100, _tag(0x1E, b"\0\0")],
            "describes its channels more than",
        ),
        ([b"\x67\x82\x00\x0a\x67\x08\x67\x06\x67\x04\x67\x02\x67\x00"], "nests groups and attributes more than 4 deep"),
        ([b"\x3f\x00\x80\x04\x01\x01\x00\x05"], "whose end is not marked by two zero bytes"),
        ([b"\x3f\x00\x80\x67\x80\x00\x00\x00\x00"], "in an attribute without a length"),
        ([_tag(0x05, b"\x00"), _tag(0x1E, b"\0\0")], "claims 0 channels"),
        ([_channel(3, INTERVAL), _tag(0x1E, b"\0\0")], "describes channel 3 of 1"),
        ([_tag(0x0B, b"\x01\xfd\x00"), _tag(0x1E, b"\0\0")], "gives a sampling interval of 0 in unit 1"),
        ([_tag(0x0B, b"\x02\xfd\x04"), _tag(0x1E, b"\0\0")], "in unit 2; expected Hz or seconds"),
        ([_tag(0x0B, b"\x01"), _tag(0x1E, b"\0\0")], "gives a quantity in 1 bytes"),
        ([_tag(0x0C, b"\x00\xfa\x00"), _tag(0x1E, b"\0\0")], "gives a resolution of 0"),
        ([_tag(0x0A, b"\x09"), _tag(0x1E, b"\0\0")], "in the type 9"),
        ([_tag(0x04, b"\x00"), _tag(0x1E, b"\0\0")], "empty blocks"),
        ([_tag(0x06, b"\x09"), _tag(0x1E, b"\0\0")], "holds 2 bytes of samples; expected 9 sequences of 2"),
        ([_tag(0x04, b"\x09"), _tag(0x1E, b"\0\0")], "holds 2 bytes of samples; expected 0 sequences of 18"),
        ([b"\x1e\x84\x7f\xff\xff\xff"], "the file ends at byte"),
        ([b"\x1e\x89"], "gives a length of 9 bytes"),
    ],
)
def test_errors_for_impossible_values_name_the_file(tmp_path: Path, tags: list[bytes], message: str) -> None:
    path = _file(tmp_path, *tags)
    with pytest.raises(FormatError, match=message) as caught:
        Mfer().read(path, ReadRequest())
    assert str(caught.value).startswith(str(path))


TWO = [_tag(0x01, b"\x01"), INTERVAL, MICROVOLTS, _tag(0x05, b"\x02"), _tag(0x04, b"\x03")]
TWO += [_channel(0, _tag(0x09, b"\x02\x00")), _channel(1, _tag(0x09, b"\x03\x00"))]


def _waves(*rows: list[int]) -> bytes:
    return _tag(0x1E, np.array(rows, "<i2").tobytes())


def _time(*clock: int, milliseconds: int = 0) -> bytes:
    return _tag(0x85, b"\xe6\x07" + bytes(clock) + milliseconds.to_bytes(2, "little") + b"\0\0")


def test_frames_of_the_same_channels_follow_one_another(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        *TWO,
        _tag(0x07, b"\x00"),
        _waves([1, 2, 3], [10, 20, 30]),
        _tag(0x07, b"\x03"),
        # The second frame is longer, and one of another byte order follows.
        _tag(0x06, b"\x02"),
        _waves([4, 5, 6], [40, 50, 60], [7, 8, 9], [70, 80, 90]),
        _tag(0x06, b""),
        _tag(0x01, b"\x00"),
        _tag(0x04, b"\x01"),
        _tag(0x1E, np.array([10, 100], ">i2").tobytes()),
    )
    record = Mfer().read(path, ALL)
    assert record.leads == ("II", "V1")
    assert record.signal is not None
    expected = np.array([range(1, 11), range(10, 101, 10)]) * 0.002
    np.testing.assert_allclose(record.signal, expected, rtol=1e-6)


def test_frames_with_times_that_are_not_consecutive_are_refused(tmp_path: Path) -> None:
    long = [list(range(750)), list(range(750))]
    size = _tag(0x04, b"\xee\x02")
    first = [*TWO, size, _time(1, 2, 3, 4, 5), _waves(*long)]
    record = Mfer().read(_file(tmp_path, *first, _time(1, 2, 3, 4, 8, milliseconds=1), _waves(*long)), ALL)
    assert record.signal is not None
    assert record.signal.shape == (2, 1500)
    assert record.meta["timestamp"] == datetime.fromisoformat("2022-01-02T03:04:05")
    with pytest.raises(FormatError, match="begins frame 2 at 2022-01-02 03:05:05, but the one before began at"):
        Mfer().read(_file(tmp_path, *first, _time(1, 2, 3, 5, 5), _waves(*long)), ALL)


@pytest.mark.parametrize(
    ("between", "message"),
    [
        (_tag(0x0C, b"\x00\xfa\x04\x00"), "defines the channels of frame 2 differently"),
        (_tag(0x0B, b"\x01\xfd\x08"), "defines the channels of frame 2 differently"),
        (_tag(0x0A, b"\x01"), "defines the channels of frame 2 differently"),
        (_channel(1, _tag(0x09, b"\x04\x00")), "defines the channels of frame 2 differently"),
        (_tag(0x05, b"\x01"), "defines the channels of frame 2 differently"),
        (_tag(0x07, b"\x0a"), "begins frame 2 at sample 10; expected 8"),
    ],
)
def test_frames_that_do_not_continue_the_first_are_refused(tmp_path: Path, between: bytes, message: str) -> None:
    one = _waves([1, 2, 3], [10, 20, 30])
    with pytest.raises(FormatError, match=message):
        Mfer().read(_file(tmp_path, *TWO, _tag(0x07, b"\x05"), one, between, one), ALL)


def test_dominant_beats_are_not_part_of_the_rhythm(tmp_path: Path) -> None:
    rhythm, beat = _waves([1, 2, 3], [10, 20, 30]), _waves([7, 7, 7], [8, 8, 8])
    both = _file(tmp_path, *TWO, _tag(0x08, b"\x01"), rhythm, _tag(0x08, b"\x09"), _tag(0x0C, b"\x00\xfa\x04"), beat)
    record = Mfer().read(both, ALL)
    assert record.signal is not None
    np.testing.assert_allclose(record.signal, np.array([[1, 2, 3], [10, 20, 30]]) * 0.002, rtol=1e-6)
    alone = Mfer().read(_file(tmp_path, *TWO, _tag(0x08, b"\x09"), beat), ALL)
    assert alone.signal is not None
    assert alone.signal[0] == pytest.approx([0.014] * 3)


@pytest.mark.parametrize(("kind", "dtype", "offset"), [(0, "i2", -5), (1, "u2", 40000), (7, "f4", 0.5), (5, "i1", 3)])
@pytest.mark.parametrize("order", ["<", ">"])
def test_an_offset_of_the_samples_own_type_is_added_before_they_are_scaled(
    tmp_path: Path, kind: int, dtype: str, offset: float, order: str
) -> None:
    rows = np.array([1, 2, 100])
    path = _file(
        tmp_path,
        _tag(0x01, bytes([order == "<"])),
        INTERVAL,
        _tag(0x0C, b"\x00\xfa\x02"),
        _tag(0x04, b"\x03"),
        _tag(0x0D, np.array(offset, order + dtype).tobytes()),
        _tag(0x0A, bytes([kind])),
        _tag(0x1E, rows.astype(order + dtype).tobytes()),
    )
    record = Mfer().read(path, ALL)
    assert record.signal is not None
    np.testing.assert_allclose(record.signal[0], (rows + offset) * 0.002, rtol=1e-6)


def test_a_tag_without_a_value_resets_to_the_default(tmp_path: Path) -> None:
    tags = [INTERVAL, MICROVOLTS, _tag(0x05, b"\x02"), _channel(1, _tag(0x0C, b"\x00\xfa\x09"), _tag(0x09, b"\0\3"))]
    tags += [_channel(0, _tag(0x09, b"\0\2")), _channel(1, _tag(0x0C, b"")), _tag(0x0B, b"")]
    record = Mfer().read(_file(tmp_path, *tags, _tag(0x1E, b"\0\1\0\2")), ALL)
    # MICROVOLTS has two bytes, highest first here: 512 µV.
    assert record.fs == 1000.0
    assert record.signal is not None
    np.testing.assert_allclose(record.signal[:, 0], [0.512, 1.024], rtol=1e-6)


def test_groups_and_attributes_of_indefinite_length_are_read(tmp_path: Path) -> None:
    lead = b"\x3f\x00\x80" + _tag(0x09, b"\0\2") + _tag(0x0C, b"\x00\xfa\x02") + b"\0\0"
    group = _tag(0x67, INTERVAL + _tag(0x04, b"\x02") + lead)
    record = Mfer().read(_file(tmp_path, group, _tag(0x1E, b"\0\1\0\2")), ALL)
    assert (record.fs, record.leads, record.units) == (250.0, ("II",), ("mV",))
    assert record.signal is not None
    np.testing.assert_allclose(record.signal[0], [0.002, 0.004], rtol=1e-6)
