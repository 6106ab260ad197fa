from __future__ import annotations

import struct
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scp_writer as scp
from numpy.typing import NDArray

from cardioflow.errors import FormatError
from cardioflow.io.base import ReadRequest, Record
from cardioflow.io.hl7_aecg import Hl7Aecg
from cardioflow.io.scp import Scp

ALL = ReadRequest(components=frozenset({"signal", "meta", "annotation"}))
DEFAULT = struct.pack("<H", 19999)


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


def test_every_sample_equals_the_aecg_file_of_the_same_recording(data: Path) -> None:
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


def test_an_uncoded_corpuls_file_is_read(data: Path) -> None:
    record = Scp().read(data / "formats/scp/demo.scp", ALL)
    assert record.signal is not None
    assert (record.fs, record.signal.shape) == (1000.0, (12, 10000))
    assert record.meta["derived_leads"] == ("III", "aVR", "aVL", "aVF")
    assert record.meta["checksum_ok"] is True
    content = (data / "formats/scp/demo.scp").read_bytes()
    # Section 6 begins at byte 387: header, 6 bytes, 8 lengths, then lead I of 10000 numbers at 183 nV.
    lead = np.frombuffer(content, "<i2", 10000, 386 + 16 + 6 + 16)
    np.testing.assert_allclose(record.signal[0], lead * 183e-6, rtol=1e-6)


def test_identity_is_read_only_on_request(data: Path) -> None:
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


def test_table_codes_start_with_the_lowest_bit_and_tables_can_be_switched(tmp_path: Path) -> None:
    # Table 1: "0" is 5; "10" is -3 and what two bits add; "11" goes on with table 2, where "1" is 7 and "0" back.
    first = [(1, 1, 1, 5, 0), (2, 4, 1, -3, 0b01), (2, 2, 0, 2, 0b11)]
    second = [(1, 1, 1, 7, 1), (1, 1, 0, 1, 0)]
    bits = "0" + "10" + "01" + "10" + "10" + "11" + "1" + "1" + "0" + "0"
    body = {1: scp.tags(), 2: scp.own_tables(first, second), 3: scp.leads([2], 1, 6), 6: scp.block([scp.packed(bits)])}
    record = _read(tmp_path, scp.record(body))
    assert record.signal is not None
    np.testing.assert_allclose(record.signal[0], np.array([5, -2, -5, 7, 7, 5]) * 0.001, rtol=1e-6)


def test_5_7_3_the_subtracted_reference_beat_is_added_back(tmp_path: Path, rows: NDArray[np.int64]) -> None:
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


def _spread(means: NDArray[np.float64], rate: int = 4) -> NDArray[np.float64]:
    """Return the samples restored from block means: flat at the ends, with lines from the third sample of a block."""
    lines = [a + (b - a) * np.arange(rate) / rate for a, b in pairwise(means)]
    ends = [np.full(rate // 2, means[0]), *lines, np.full(rate - rate // 2, means[-1])]
    return np.concatenate(ends)


def test_5_9_3_means_of_four_samples_outside_protected_zones_are_interpolated(tmp_path: Path) -> None:
    row = np.arange(400) * 4
    row[200:208] += np.array([0, 500, -300, 900, 20, 0, -80, 10])
    # Two samples are left over before the zone, and one at the end: they are stored as they are.
    zone = (199, 211)
    before, after = row[:196].reshape(-1, 4).mean(1), row[211:399].reshape(-1, 4).mean(1)
    stored = [*before, *row[196:198], *row[198:211], *after, row[399]]
    body = struct.pack("<HHH", 8, 1, 1) + struct.pack("<HIII", 1, 1, 204, 1) + struct.pack("<II", *zone)
    record = _read(
        tmp_path,
        scp.record(
            {
                1: scp.tags(),
                3: scp.leads([2], 1, 400),
                4: body,
                5: scp.block([scp.plain([0] * 4)], microseconds=2000),
                6: scp.block([scp.plain([int(v) for v in stored])], nanovolts=500, microseconds=8000, bimodal=1),
            }
        ),
    )
    assert record.fs == 500.0
    assert record.signal is not None
    assert record.signal.shape == (1, 400)
    expected = np.concatenate([_spread(before), row[196:211], _spread(after), row[399:]])
    np.testing.assert_allclose(record.signal[0], expected * 0.0005, rtol=1e-6)
    # What was read follows what was written to half a sample of the slope, but for the zone's neighbours.
    assert np.abs(expected - row)[4:190].max() <= 2


def test_bimodal_decimation_and_the_reference_beat_are_undone_together(tmp_path: Path) -> None:
    n, pre = 5000, 40
    peaks = range(300, 4800, 450)
    beat = (np.hanning(100) * 800).astype(int)
    slow = (np.arange(n) // 400) * 8
    row = slow.copy()
    located, zones, rest = b"", b"", slow.astype(float)
    for peak in peaks:
        row[peak - pre : peak - pre + 100] += beat
        # Counted from 1, the zone on whole blocks.
        located += struct.pack("<HIII", 0, peak - pre + 1, peak + 1, peak - pre + 100)
        zones += struct.pack("<II", (peak - 20) // 4 * 4 + 1, (peak + 20) // 4 * 4)
    blocks = set(range(0, n, 4))
    kept = {i for peak in peaks for i in range((peak - 20) // 4 * 4, (peak + 20) // 4 * 4)}
    stored = [
        int(v) for i in range(n) for v in ([rest[i]] if i in kept else [rest[i : i + 4].mean()] if i in blocks else [])
    ]
    bodies = {
        1: scp.tags(),
        2: DEFAULT,
        3: scp.leads([1, 2, 3, 4, 5, 6, 7, 8], 1, n, subtracted=True),
        4: struct.pack("<HHH", 200, pre + 1, len(peaks)) + located + zones,
        5: scp.block([scp.default_huffman(scp.differences(beat, 2))] * 8, differences=2),
        6: scp.block(
            [scp.default_huffman(scp.differences(stored, 2))] * 8, microseconds=8000, differences=2, bimodal=1
        ),
    }
    content = scp.record(bodies)
    # More than ten samples per byte: no bomb, but what this compression is for.
    assert 8 * n > 10 * len(content)
    record = _read(tmp_path, content)
    assert record.signal is not None
    assert record.signal.shape == (12, n)
    np.testing.assert_allclose(record.signal[1], row * 0.001, atol=0.0081)
    inside = sorted(kept)
    np.testing.assert_allclose(record.signal[1][inside], row[inside] * 0.001, atol=1e-6)


def test_the_bimodal_compression_byte_is_ignored_from_version_3(tmp_path: Path, rows: NDArray[np.int64]) -> None:
    bodies = {
        1: scp.tags(),
        3: scp.leads([2, 3], 1, 400),
        5: scp.block([scp.plain([0] * 4)] * 2, microseconds=1000),
        6: scp.block([scp.plain(r) for r in rows], bimodal=1),
    }
    record = _read(tmp_path, scp.record(bodies, protocol=30))
    assert record.signal is not None
    np.testing.assert_allclose(record.signal, rows * 0.001, rtol=1e-6)
    with pytest.raises(FormatError, match="holds 400 samples of lead II; expected 600"):
        _read(tmp_path, scp.record({**bodies, 3: scp.leads([2, 3], 1, 1200)}, protocol=20))


def test_5_8_4_differences_wrap_at_16_bits(tmp_path: Path) -> None:
    row = np.array([0, 30000, -30000, 30000, -5, 17])
    for order in (1, 2):
        wrapped = np.array(scp.differences(row.tolist(), order)).astype(np.int16)
        bodies = {1: scp.tags(), 3: scp.leads([2], 1, 6), 6: scp.block([scp.plain(wrapped)], differences=order)}
        record = _read(tmp_path, scp.record(bodies))
        assert record.signal is not None
        np.testing.assert_allclose(record.signal[0], row * 0.001, rtol=1e-6)


def test_unread_sections_are_named_and_cannot_break_a_record(tmp_path: Path, rows: NDArray[np.int64]) -> None:
    bodies = {1: scp.tags(), 3: scp.leads([2, 3], 1, 400), 6: scp.block([scp.plain(r) for r in rows])}
    content = scp.record({**bodies, 10: b"ten", 12: b"a long-term rhythm", 17: b"", 200: b"mine"}, protocol=30)
    record = _read(tmp_path, content)
    assert record.meta["unread_sections"] == (10, 12, 17, 200)
    assert record.meta["checksum_ok"] is True
    damaged = scp.summed_up(content.replace(b"a long-term", b"a damaged, "))
    assert _read(tmp_path, damaged).meta["checksum_ok"] is False
    # Section 200's pointer, the last but none, leads behind the end; the sections that are read have theirs.
    at = content.index(struct.pack("<HI", 200, 20))
    outside = scp.summed_up(content[: at + 6] + struct.pack("<I", 1 << 30) + content[at + 10 :])
    assert _read(tmp_path, outside).meta["unread_sections"] == (10, 12, 17, 200)
    assert _read(tmp_path, outside).meta["checksum_ok"] is False
    assert _read(tmp_path, _simple(rows)).meta["unread_sections"] == ()
    del bodies[6]
    with pytest.raises(FormatError, match="holds its rhythm in section 12"):
        _read(tmp_path, scp.record({**bodies, 12: b"a long-term rhythm"}, protocol=30))


def test_many_pointers_to_the_same_bytes_are_refused_before_they_are_read(
    tmp_path: Path, rows: NDArray[np.int64]
) -> None:
    bodies = {1: scp.tags(), 3: scp.leads([2, 3], 1, 400), 6: scp.block([scp.plain(r) for r in rows])}
    content = bytearray(scp.record({**bodies, 11: b"x" * 600}))
    at = 22 + 10 * 11
    assert content[at : at + 2] == b"\x0b\0"
    for number in (2, 4, 5):
        content[22 + 10 * number : 22 + 10 * number + 10] = struct.pack("<H", 100 + number) + content[at + 2 : at + 10]
    with pytest.raises(FormatError, match=r"points to sections of \d+ bytes in total, but has"):
        _read(tmp_path, bytes(content))


def test_healforces_variant_is_recognised_by_its_checksum(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    ii = rng.integers(-500, 500, size=400)
    i = ii // 3
    rows = [i.tolist(), ii.tolist(), (ii - i).tolist()]
    content = scp.healforce(rows, first=4501, beats=(7, 150, 393))
    assert Scp.recognises(content[:4096])
    record = _read(tmp_path, content, ReadRequest(ALL.components, identify=True))
    assert (record.fs, record.leads[:3]) == (150.0, ("I", "II", "III"))
    assert record.signal is not None
    np.testing.assert_allclose(record.signal[:3], np.array(rows) * 9524e-6, rtol=1e-6)
    assert record.annotation is not None
    assert record.annotation.sample.tolist() == [7, 150, 393]
    # The file is a part of a recording that began 4500 samples earlier.
    assert record.meta["timestamp"] == datetime.fromisoformat("2019-08-09T01:02:33")
    assert record.meta["patient_id"] == "0007"
    assert (record.meta["checksum_ok"], record.meta["unread_sections"]) == (True, (9,))

    flipped = bytearray(content)
    flipped[-200] ^= 1
    assert _read(tmp_path, bytes(flipped)).meta["checksum_ok"] is False
    # A flipped bit in section 0, and it is no file of Healforce's any more.
    flipped = bytearray(content)
    flipped[40] ^= 1
    with pytest.raises(FormatError, match="is not an SCP-ECG record"):
        _read(tmp_path, bytes(flipped))
    for bad, message in (
        (content[:-100], r"says that it has \d+ bytes, but has \d+"),
        (scp.healforce(rows[:2], 1), "holds 1200 bytes for 3 leads of 400 samples"),
        (scp.healforce(rows, 1, leads=2), "is of Healforce's form with 2 leads"),
        (scp.healforce(rows, 0), "leads from sample 0 to 399"),
    ):
        with pytest.raises(FormatError, match=message):
            _read(tmp_path, bad)


def test_leads_with_different_starts_share_a_time_axis(tmp_path: Path, rows: NDArray[np.int64]) -> None:
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


def test_a_flipped_bit_is_detected_by_the_checksum(tmp_path: Path, rows: NDArray[np.int64]) -> None:
    content = bytearray(_simple(rows))
    content[-10] ^= 1
    assert _read(tmp_path, bytes(content)).meta["checksum_ok"] is False
    with pytest.raises(FormatError, match="has a CRC that does not match"):
        _read(tmp_path, bytes(content), ReadRequest(strict=True))


def test_impossible_values_are_refused(tmp_path: Path, rows: NDArray[np.int64]) -> None:
    good = {1: scp.tags(), 3: scp.leads([2, 3], 1, 400), 6: scp.block([scp.plain(r) for r in rows])}
    beat = scp.block([scp.plain([0])] * 2)
    cases = [
        (_simple(rows)[:-200], r"says that it has \d+ bytes, but has \d+\. The file was truncated"),
        (b"\0" * 400, "is not an SCP-ECG record"),
        (scp.record({k: v for k, v in good.items() if k != 6}), r"has no section 6 \(the rhythm\)"),
        (scp.record({k: v for k, v in good.items() if k != 3}), r"has no section 3 \(the leads\)"),
        (scp.record({**good, 3: scp.leads([], 1, 400)}), "names no leads"),
        (scp.record({**good, 3: scp.leads([2, 3], 1, 401)}), "holds 400 samples of lead II; expected 401"),
        (scp.record({**good, 3: scp.leads([2, 3], 1, 4_000_000_000)}), "bytes cannot hold"),
        (scp.record({**good, 3: scp.leads([2, 3], 9, 3)}), "lead II goes from sample 9 to 3"),
        (_simple(rows, nanovolts=0), "gives section 6 0 nV per unit"),
        (
            scp.record(
                {
                    **good,
                    3: scp.leads([2, 3], 1, 400, subtracted=True),
                    4: struct.pack("<HHH", 8, 1, 0),
                    5: scp.block([scp.plain([0] * 4)] * 2, microseconds=1500),
                }
            ),
            "samples its rhythm every 2000 µs, its reference beat every 1500 µs; expected a multiple of at most 4",
        ),
        (_simple(rows, microseconds=0), "0 µs per sample"),
        (_simple(rows, differences=3), "differences of order 3"),
        (scp.record({**good, 2: scp.own_tables([])}), "defines an empty Huffman table"),
        (scp.record({**good, 2: scp.own_tables([(0, 0, 1, 0, 0)])}), "Huffman code of 0 of 0 bits"),
        (scp.record({**good, 2: scp.own_tables([(1, 1, 1, 0, 0), (2, 2, 1, 1, 0)])}), "begins with another code"),
        (scp.record({**good, 2: scp.own_tables([(1, 1, 1, 0, 1)])}), "holds 0 samples of lead II"),
        (scp.record({**good, 2: struct.pack("<H", 3)}), "section 2 ends at byte 2"),
        (
            scp.record({**good, 3: scp.leads([2, 3], 1, 400, subtracted=True), 4: b"\xff" * 6, 5: beat}),
            "section 4 ends at byte 6",
        ),
        (
            # Beats that are few for the long lead, and too many for the short one.
            scp.record(
                {
                    1: scp.tags(),
                    3: struct.pack("<BB", 2, 1) + struct.pack("<IIBIIB", 1, 400, 2, 1, 30, 3),
                    4: struct.pack("<HHH", 2, 1, 20) + struct.pack("<HIII", 0, 1, 1, 9) * 20,
                    5: scp.block([scp.plain([1])] * 2),
                    6: scp.block([scp.plain(rows[0]), scp.plain(rows[1][:30])]),
                }
            ),
            "locates 20 beats in 30 samples of lead V1",
        ),
        (
            scp.record(
                {
                    1: scp.tags(),
                    3: scp.leads([2], 1, 30000),
                    4: struct.pack("<HHH", 8, 1, 0),
                    5: scp.block([scp.plain([0] * 4)]),
                    6: scp.block([scp.plain([0] * 400)], microseconds=8000, bimodal=1),
                }
            ),
            "says that lead II has 30000 samples, which 800 bytes cannot hold",
        ),
    ]
    for content, message in cases:
        with pytest.raises(FormatError, match=message) as caught:
            _read(tmp_path, content)
        assert str(caught.value).startswith(str(tmp_path))
