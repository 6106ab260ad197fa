"""Headers that were read before are parsed once, and never used after their file has changed."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from cardioflow.errors import FormatError
from cardioflow.io._wfdb.header import parse
from cardioflow.io._wfdb.known_headers import KnownHeaders
from cardioflow.io.base import ReadRequest
from cardioflow.io.wfdb import Wfdb


def text(name: str, fs: int = 250) -> bytes:
    return f"{name} 1 {fs} 2\n{name}.dat 16\n".encode()


def test_a_header_with_the_same_bytes_is_the_same_object() -> None:
    known = KnownHeaders()
    first = known.parsed(text("a"), "a.hea")
    assert first == parse(text("a"), "a.hea")
    assert known.parsed(text("a"), "a.hea") is first


def test_a_header_with_other_bytes_is_parsed_again() -> None:
    known = KnownHeaders()
    assert known.parsed(text("a", 250), "a.hea").fs == 250
    assert known.parsed(text("a", 360), "a.hea").fs == 360
    assert known.parsed(text("a", 250), "a.hea").fs == 250


def test_a_damaged_header_is_not_remembered() -> None:
    known = KnownHeaders()
    for _ in range(2):
        with pytest.raises(FormatError, match="record line"):
            known.parsed(b"\n", "a.hea")
    assert len(known) == 0


def test_what_does_not_fit_is_parsed_each_time_and_drops_nothing() -> None:
    size = len(text("r0"))
    known = KnownHeaders(3 * size)
    kept = [known.parsed(text(f"r{i}"), f"r{i}") for i in range(3)]
    known.parsed(text("r3"), "r3")
    assert len(known) == 3
    assert all(known.parsed(text(f"r{i}"), f"r{i}") is kept[i] for i in range(3))


def test_a_data_set_of_before_makes_room_for_another_one() -> None:
    size = len(text("r0"))
    known = KnownHeaders(3 * size)
    for i in range(3):
        known.parsed(text(f"r{i}"), f"r{i}")
    for i in range(60):
        known.parsed(text(f"s{i % 6}"), f"s{i % 6}")
    names = [f"s{i}" for i in range(6)]
    assert sum(known.parsed(text(name), name) is known.parsed(text(name), name) for name in names) == 3


def test_a_record_that_was_written_anew_with_the_same_size_and_time_is_read_anew(tmp_path: Path) -> None:
    header = tmp_path / "r.hea"
    (tmp_path / "r.dat").write_bytes(np.array([100, 200], "<i2").tobytes())
    header.write_text("r 1 250 2\nr.dat 16 100/mV\n")
    before = header.stat()
    first = Wfdb().read_columns([header], ReadRequest())
    header.write_text("r 1 500 2\nr.dat 16 200/mV\n")
    os.utime(header, ns=(before.st_atime_ns, before.st_mtime_ns))
    second = Wfdb().read_columns([header], ReadRequest())
    assert (header.stat().st_size, header.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert (first.meta[0]["fs"], second.meta[0]["fs"]) == (250.0, 500.0)
    assert (first.signal[0].tolist(), second.signal[0].tolist()) == ([[1.0, 2.0]], [[0.5, 1.0]])
