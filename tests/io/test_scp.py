from __future__ import annotations

import importlib.util
import struct
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cardioflow.errors import FormatError
from cardioflow.io.base import ReadRequest, Record
from cardioflow.io.hl7_aecg import Hl7Aecg
from cardioflow.io.scp import Scp

ALL = ReadRequest(components=frozenset({"signal", "meta", "annotation"}))
DEFAULT = struct.pack("<H", 19999)


def _writer() -> Any:
    # Tests are no package; the writer beside this file is loaded by its place.
    place = Path(__file__).with_name("scp_writer.py")
    spec = importlib.util.spec_from_file_location("scp_writer", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["scp_writer"] = module
    spec.loader.exec_module(module)
    return module


scp = _writer()


@pytest.fixture
def rows() -> NDArray[np.int64]:
    rng = np.random.default_rng(5)
    walk = np.cumsum(rng.integers(-6, 7, size=(2, 400)), axis=1)
    walk[:, 100:110] += 900
    return walk


def _read(tmp_path: Path, content: bytes, request: ReadRequest = ALL) -> Record:
    path = tmp_path / "a.scp"
    path.write_bytes(content)
    return Scp().read(path, request)


def _simple(rows: NDArray[np.int64], **more: Any) -> bytes:
    bodies = {
        1: scp.tags(),
        3: scp.leads([2, 3], 1, rows.shape[1]),
        6: scp.block([scp.plain(r) for r in rows], **more),
    }
    return bytes(scp.record(bodies))


def test_every_sample_is_that_of_the_aecg_file_of_the_same_recording(data: Path) -> None:
    record = Scp().read(data / "formats/scp/Example.scp", ALL)
    other = Hl7Aecg().read(data / "formats/hl7_aecg/Example_aECG.xml", ALL)
    assert record.signal is not None
    assert other.signal is not None
    assert record.leads == other.leads
    assert np.array_equal(record.signal, other.signal)
    assert record.fs == other.fs
    assert record.meta["timestamp"] == other.meta["timestamp"]
    assert record.meta["patient_key"] == other.meta["patient_key"]
    measured = record.meta["measurements"]
    assert {k: v for k, v in measured.items() if k in other.meta["measurements"]} == other.meta["measurements"]


def test_a_corpuls_file_without_coding_is_read(data: Path) -> None:
    record = Scp().read(data / "formats/scp/demo.scp", ALL)
    assert record.signal is not None
    assert (record.fs, record.signal.shape) == (1000.0, (12, 10000))
    assert record.meta["derived_leads"] == ("III", "aVR", "aVL", "aVF")
    assert record.meta["checksum_ok"] is True
    content = (data / "formats/scp/demo.scp").read_bytes()
    # Section 6 begins at byte 387: header, 6 bytes, 8 lengths, then lead I of 10000 numbers at 183 nV.
    lead = np.frombuffer(content, "<i2", 10000, 386 + 16 + 6 + 16)
    np.testing.assert_allclose(record.signal[0], lead * 183e-6, rtol=1e-6)


def test_who_it_was_is_told_only_on_demand(data: Path) -> None:
    path = data / "formats/scp/Example.scp"
    silent = Scp().read(path, ALL).meta
    assert not any(word in repr(dict(silent)) for word in ("Clark", "SBJ-123", "1953"))
    told = Scp().read(path, ReadRequest(identify=True)).meta
    assert (told["name"], told["patient_id"], told["birth_date"]) == ("Clark", "SBJ-123", date(1953, 5, 8))


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("coded", [False, True])
def test_5_8_4_differences_and_annex_c_codes_are_undone(
    tmp_path: Path, rows: NDArray[np.int64], order: int, coded: bool
) -> None:
    code = scp.default_huffman if coded else scp.plain
    bodies = {
        1: scp.tags(),
        3: scp.leads([2, 3], 1, 400),
        6: scp.block([code(scp.differences(r, order)) for r in rows], differences=order),
    }
    if coded:
        bodies[2] = DEFAULT
    record = _read(tmp_path, scp.record(bodies))
    assert record.leads == ("II", "V1")
    assert record.signal is not None
    np.testing.assert_allclose(record.signal, rows * 0.001, rtol=1e-6)


def test_the_first_bit_of_a_tables_code_is_the_lowest_and_tables_can_be_switched(tmp_path: Path) -> None:
    # Table 1: "0" is 5; "10" is -3 and what two bits add; "11" goes on with table 2, where "1" is 7 and "0" back.
    first = [(1, 1, 1, 5, 0), (2, 4, 1, -3, 0b01), (2, 2, 0, 2, 0b11)]
    second = [(1, 1, 1, 7, 1), (1, 1, 0, 1, 0)]
    bits = "0" + "10" + "01" + "10" + "10" + "11" + "1" + "1" + "0" + "0"
    body = {1: scp.tags(), 2: scp.own_tables(first, second), 3: scp.leads([2], 1, 6), 6: scp.block([scp.packed(bits)])}
    record = _read(tmp_path, scp.record(body))
    assert record.signal is not None
    np.testing.assert_allclose(record.signal[0], np.array([5, -2, -5, 7, 7, 5]) * 0.001, rtol=1e-6)


def test_5_7_3_the_reference_beat_is_added_where_it_was_subtracted(tmp_path: Path, rows: NDArray[np.int64]) -> None:
    beat = (np.hanning(50) * 400).astype(int) * 2
    fiducial = 21
    # (type, first, fiducial, last), counted from 1: two beats like the reference and one that is not.
    beats = [(0, 81, 101, 130), (1, 181, 201, 230), (0, 286, 301, 320)]
    rest = rows.copy()
    for kind, begin, at, end in beats:
        if kind == 0:
            rest[:, begin - 1 : end] -= beat[begin - at + fiducial - 1 : end - at + fiducial]
    body = struct.pack("<HHH", 100, fiducial, 3) + b"".join(struct.pack("<HIII", *b) for b in beats)
    # The beat is stored in steps of 2 µV, the rhythm in steps of 1 µV.
    record = _read(
        tmp_path,
        scp.record(
            {
                1: scp.tags(),
                2: DEFAULT,
                3: scp.leads([2, 3], 1, 400, subtracted=True),
                4: body,
                5: scp.block([scp.default_huffman(beat // 2)] * 2, nanovolts=2000),
                6: scp.block([scp.default_huffman(scp.differences(r, 1)) for r in rest], differences=1),
            }
        ),
    )
    assert record.signal is not None
    np.testing.assert_allclose(record.signal, rows * 0.001, atol=1e-6)
    assert record.annotation is not None
    assert record.annotation.sample.tolist() == [100, 200, 300]
    assert "".join(record.annotation.symbol) == "NQN"


def test_5_9_3_outside_protected_zones_means_of_four_samples_are_spread_again(tmp_path: Path) -> None:
    # A slope is its own mean and its own straight line; inside the zone a spike must survive whole.
    row = np.arange(400) * 3
    row[200:208] += np.array([0, 500, -300, 900, 20, 0, -80, 10])
    zone = (197, 212)
    low = [row[i : i + 4].mean() for i in range(0, 196, 4)], [row[i : i + 4].mean() for i in range(212, 400, 4)]
    stored = [*(int(v * 2) for v in low[0]), *(int(v) * 2 for v in row[196:212]), *(int(v * 2) for v in low[1])]
    body = struct.pack("<HHH", 8, 1, 1) + struct.pack("<HIII", 1, 1, 204, 1) + struct.pack("<II", *zone)
    record = _read(
        tmp_path,
        scp.record(
            {
                1: scp.tags(),
                3: scp.leads([2], 1, 400),
                4: body,
                5: scp.block([scp.plain([0] * 4)], microseconds=2000),
                6: scp.block([scp.plain(stored)], nanovolts=500, microseconds=8000, bimodal=1),
            }
        ),
    )
    assert record.fs == 500.0
    assert record.signal is not None
    assert record.signal.shape == (1, 400)
    np.testing.assert_allclose(record.signal[0, 196:212], row[196:212] * 0.001, rtol=1e-6)
    # Straight lines between means: exact on a slope but for half a block at the ends.
    np.testing.assert_allclose(record.signal[0, 4:396], row[4:396] * 0.001, atol=0.0021)


def test_leads_of_different_begin_share_a_time_line(tmp_path: Path, rows: NDArray[np.int64]) -> None:
    table = struct.pack("<BB", 2, 0) + struct.pack("<IIB", 1, 400, 2) + struct.pack("<IIB", 201, 600, 3)
    record = _read(tmp_path, scp.record({1: scp.tags(), 3: table, 6: scp.block([scp.plain(r) for r in rows])}))
    assert record.signal is not None
    assert record.signal.shape == (2, 600)
    assert np.isnan(record.signal).sum(axis=1).tolist() == [200, 200]
    np.testing.assert_allclose(record.signal[1, 200:], rows[1] * 0.001, rtol=1e-6)


def test_section_1_gives_age_sex_zone_filters_and_placement(tmp_path: Path, rows: NDArray[np.int64]) -> None:
    body = scp.tags(
        t4=struct.pack("<HB", 30, 2),
        t8=b"\x02",
        t25=struct.pack("<HBB", 2021, 3, 4),
        t26=bytes([5, 6, 7]),
        t27=struct.pack("<H", 5),
        t28=struct.pack("<H", 150),
        t33=b"\x02\x00",
        t34=struct.pack("<hH", -300, 0),
    )
    bodies = {1: body, 3: scp.leads([2, 3], 1, 400), 6: scp.block([scp.plain(r) for r in rows])}
    meta = _read(tmp_path, scp.record(bodies)).meta
    assert (meta["age"], meta["sex"]) == (2.5, "F")
    assert meta["timestamp"] == datetime.fromisoformat("2021-03-04T05:06:07-05:00")
    assert (meta["highpass_hz"], meta["lowpass_hz"]) == (0.05, 150.0)
    assert meta["electrode_placement"] == "mason-likar"


def test_a_flipped_bit_shows_in_the_checksum(tmp_path: Path, rows: NDArray[np.int64]) -> None:
    content = bytearray(_simple(rows))
    content[-10] ^= 1
    assert _read(tmp_path, bytes(content)).meta["checksum_ok"] is False
    with pytest.raises(FormatError, match="holds a CRC that does not agree"):
        _read(tmp_path, bytes(content), ReadRequest(strict=True))


def test_what_cannot_be_is_refused(tmp_path: Path, rows: NDArray[np.int64]) -> None:
    good = {1: scp.tags(), 3: scp.leads([2, 3], 1, 400), 6: scp.block([scp.plain(r) for r in rows])}
    beat = scp.block([scp.plain([0])] * 2)
    cases = [
        (_simple(rows)[:-200], r"says that it has \d+ bytes, but has \d+; it was cut off"),
        (b"\0" * 400, "is no SCP-ECG record"),
        (scp.record({k: v for k, v in good.items() if k != 6}), r"has no section 6 \(the rhythm\)"),
        (scp.record({k: v for k, v in good.items() if k != 3}), r"has no section 3 \(the leads\)"),
        (scp.record({**good, 3: scp.leads([], 1, 400)}), "names no leads"),
        (scp.record({**good, 3: scp.leads([2, 3], 1, 401)}), "holds 400 samples of lead II; expected 401"),
        (scp.record({**good, 3: scp.leads([2, 3], 1, 4_000_000_000)}), "bytes cannot hold"),
        (scp.record({**good, 3: scp.leads([2, 3], 9, 3)}), "lead II goes from sample 9 to 3"),
        (_simple(rows, nanovolts=0), "gives section 6 0 nV per unit"),
        (_simple(rows, microseconds=0), "0 µs per sample"),
        (_simple(rows, differences=3), "differences of order 3"),
        (scp.record({**good, 2: scp.own_tables([])}), "defines an empty Huffman table"),
        (scp.record({**good, 2: scp.own_tables([(0, 0, 1, 0, 0)])}), "Huffman code of 0 of 0 bits"),
        (scp.record({**good, 2: scp.own_tables([(1, 1, 1, 0, 0), (2, 2, 1, 1, 0)])}), "begins with another one"),
        (scp.record({**good, 2: scp.own_tables([(1, 1, 1, 0, 1)])}), "holds 0 samples of lead II"),
        (scp.record({**good, 2: struct.pack("<H", 3)}), "section 2 ends at byte 2"),
        (
            scp.record({**good, 3: scp.leads([2, 3], 1, 400, subtracted=True), 4: b"\xff" * 6, 5: beat}),
            "section 4 ends at byte 6",
        ),
    ]
    for content, message in cases:
        with pytest.raises(FormatError, match=message) as caught:
            _read(tmp_path, content)
        assert str(caught.value).startswith(str(tmp_path))
