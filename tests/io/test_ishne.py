from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from cardioflow.errors import FormatError
from cardioflow.io.base import ReadRequest, Record
from cardioflow.io.ishne import Ishne

EVERYTHING = frozenset({"signal", "meta", "annotation"})
REAL = "formats/ishne/ECG_P28.01.ecg"


def read(path: Path, **request: object) -> Record:
    return Ishne().read(path, ReadRequest(**request))


def fails(path: Path, *parts: str, **request: object) -> None:
    with pytest.raises(FormatError) as caught:
        read(path, **request)
    for part in (path.name, *parts):
        assert part in str(caught.value)


@pytest.fixture
def small(data, tmp_path) -> Path:
    """The real file, shortened to 500 samples."""
    raw = bytearray((data / REAL).read_bytes()[: 522 + 24 * 500])
    struct.pack_into("<i", raw, 14, 500)
    raw[8:10] = b"\0\0"
    path = tmp_path / "x.ecg"
    path.write_bytes(raw)
    return path


def patched(path: Path, at: int, content: bytes) -> Path:
    raw = bytearray(path.read_bytes())
    raw[at : at + len(content)] = content
    path.write_bytes(raw)
    return path


def test_the_real_file_is_read_in_millivolts(data):
    found = read(data / REAL, strict=True)
    raw = np.fromfile(data / REAL, "<i2", offset=522).reshape(-1, 12)
    np.testing.assert_allclose(found.signal, raw.T * 0.005, rtol=1e-6)
    assert found.leads == ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
    assert (found.fs, found.units, found.meta["checksum_ok"]) == (1000.0, ("mV",) * 12, True)
    # The leads that a device computes agree with those that it records: an independent check of the order of channels.
    assert found.meta["einthoven_rms"] < 1e-3
    assert found.meta["timestamp"].isoformat() == "2000-01-01T07:00:00"


def test_beat_annotations_lie_where_the_signal_is_steep(data):
    found = read(data / REAL, components=EVERYTHING)
    steep = np.abs(np.diff(found.signal, axis=1)).sum(axis=0)
    beats = found.annotation.sample[found.annotation.symbol == "N"]
    inside = beats[(beats > 60) & (beats < steep.size - 60)]
    at_beats = np.array([steep[b - 60 : b + 60].max() for b in inside])
    assert len(beats) > 80
    assert np.median(at_beats) > 5 * np.median(steep)
    assert set(found.annotation.symbol.tolist()) == {"N", "|"}


def test_without_an_annotation_file_there_are_no_annotations(small):
    assert len(read(small, components=EVERYTHING).annotation) == 0


def test_a_label_without_a_code_is_a_note(data, small):
    head = bytearray((data / "formats/ishne/ECG_P28.01.ann").read_bytes()[:522])
    body = bytes(4) + b"V#\x0a\0" + b"!#\x0a\0" + b"S#\xff\xff"
    small.with_suffix(".ann").write_bytes(head + body)
    marks = read(small, components=EVERYTHING).annotation
    assert (marks.sample.tolist(), marks.symbol.tolist(), marks.aux_note) == ([10, 20], ["V", '"'], ("", "!"))
    struct.pack_into("<i", head, 22, -(2**31))
    small.with_suffix(".ann").write_bytes(head + body)
    tracemalloc.start()
    fails(small, "x.ann beside it says that its marks begin at byte -2147483648", components=EVERYTHING)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    small.with_suffix(".ann").write_bytes(b"nonsense")
    fails(small, "x.ann beside it begins with b'nonsense'", components=EVERYTHING)


def test_a_changed_header_sets_a_flag_and_with_strict_raises(data, tmp_path):
    path = tmp_path / "x.ecg"
    path.write_bytes((data / REAL).read_bytes())
    patched(path, 128, b"\1")
    found = read(path)
    assert (found.meta["checksum_ok"], found.meta["sex"]) == (False, "M")
    fails(path, "does not match its checksum", strict=True)


def test_identity_is_read_only_on_request(small):
    patched(small, 28, b"Ada\0")
    patched(small, 132, struct.pack("<3h", 1, 6, 1950))
    meta = read(small).meta
    assert "name" not in meta
    assert meta["age"] == 49
    assert read(small, identify=True).meta["name"] == "Ada none"


def test_a_sample_count_of_zero_or_of_all_leads_is_replaced_by_the_file_size(small):
    for count in (0, -9, 6000):
        patched(small, 14, struct.pack("<i", count))
        assert read(small).signal.shape == (12, 500)


def test_what_does_not_fit_is_refused(small):
    whole = small.read_bytes()
    for at, content, says in (
        (14, struct.pack("<i", 501), "501 samples of 12 leads need 12546"),
        (156, struct.pack("<h", 13), "13 leads at 1000 Hz"),
        (156, struct.pack("<h", 0), "0 leads"),
        (272, struct.pack("<h", 0), "12 leads at 0 Hz"),
        (206, struct.pack("<h", 0), "each must be above 0"),
        (22, struct.pack("<i", -5), "begin at byte -5"),
        (0, b"ISHNE2.0", "begins with b'ISHNE2.0'"),
    ):
        small.write_bytes(whole)
        fails(patched(small, at, content), says)
    small.write_bytes(whole[:100])
    fails(small, "in 100 bytes")
