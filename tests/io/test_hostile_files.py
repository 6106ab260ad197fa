"""Damaged files: nothing but ``FormatError``, no long wait, no large allocation, nothing opened elsewhere.

The mutants are those of ``benchmarks/fuzz_readers.py``, which runs 100 000 of each.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardioflow.errors import FormatError
from cardioflow.io._codecs.marks import unpack_marks
from cardioflow.io._wfdb.annotation import parse_annotation
from cardioflow.io._wfdb.header import parse
from cardioflow.registry import formats

BENCHMARKS = str(Path(__file__).parents[2] / "benchmarks")


@pytest.fixture(scope="module")
def fuzz():
    sys.path.insert(0, BENCHMARKS)
    yield importlib.import_module("fuzz_readers")
    sys.path.remove(BENCHMARKS)


@pytest.mark.parametrize("fmt", formats.names())
def test_a_thousand_mutants_are_read_or_refused(fuzz, data, fmt):
    result = fuzz.fuzz(fmt, data, 1000, seed=1, trace_every=4)
    if not result.mutants:
        pytest.skip(f"no sample file of {fmt}")
    assert not result.failures
    assert result.mutants == 1000
    assert result.refused > 0


@pytest.mark.parametrize("fmt", formats.names())
def test_any_bytes_in_place_of_a_part_are_read_or_refused(fuzz, data, fmt, tmp_path):
    seeds = fuzz.seeds(fmt, data)
    if not seeds:
        pytest.skip(f"no sample file of {fmt}")
    smallest = min(seeds, key=lambda seed: sum(map(len, seed.files.values())))
    number = itertools.count()

    @settings(max_examples=60, deadline=None)
    @given(st.sampled_from(sorted(smallest.files)), st.integers(0, 4096), st.binary(max_size=200), st.integers(0, 200))
    def replaced(name, at, blob, size):
        # A folder of its own each time, because stores stay open and mapped.
        folder = tmp_path / str(next(number))
        folder.mkdir()
        content = smallest.files[name]
        at = min(at, len(content))
        for other, kept in smallest.files.items():
            (folder / other).write_bytes(content[:at] + blob + content[at + size :] if other == name else kept)
        with contextlib.suppress(FormatError):
            formats.get(fmt)().read(smallest.path(folder), fuzz.EVERYTHING)

    replaced()


TOKENS = st.sampled_from(
    ["r", "r/2", "/", "1", "2", "0", "-1", "250", "250/360(0)", "1e400", "nan", "99999999999999999999", "r.dat",
     "~", "..", "16", "212x2:3+24", "8", "x", "200(0)/mV", "0/", "(", "12:00", "1/1/2000", "#", "\n", "\n", "\r\n",
     "\0", "é", "１", "\x1c"]
)  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.lists(TOKENS, max_size=40).map(" ".join).map(str.encode), st.binary(max_size=200)))
def test_any_header_is_parsed_or_refused(raw):
    with contextlib.suppress(FormatError):
        parse(raw, "r.hea")


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=300))
def test_any_annotation_file_is_parsed_or_refused(raw):
    table, end = unpack_marks(raw)
    assert len(table) <= len(raw) // 2
    assert abs(end) <= len(raw) + 1
    with contextlib.suppress(FormatError):
        marks = parse_annotation(raw, "r.atr", 250.0)
        assert len(marks.aux_note) == len(marks.sample) == len(marks.symbol)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=4096))
def test_any_bytes_are_recognised_or_not(head):
    for fmt in formats.names():
        assert formats.get(fmt).recognises(head) in {True, False}
