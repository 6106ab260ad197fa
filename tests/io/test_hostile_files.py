"""Damaged files: nothing but ``FormatError``, no long wait, no large allocation, nothing opened elsewhere.

The mutants are those of ``benchmarks/fuzz_readers.py``, which runs 100 000 of each.
"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardioflow.dsp.marks import unpack_marks
from cardioflow.errors import FormatError
from cardioflow.io._wfdb.annotation import parse_annotation
from cardioflow.io._wfdb.header import parse
from cardioflow.registry import formats

FUZZ = Path(__file__).parents[2] / "benchmarks" / "fuzz_readers.py"


@pytest.fixture(scope="module")
def fuzz():
    spec = importlib.util.spec_from_file_location("fuzz_readers", FUZZ)
    module = importlib.util.module_from_spec(spec)
    sys.modules["fuzz_readers"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("fmt", formats.names())
def test_up_to_a_thousand_mutants_are_read_or_refused(fuzz, data, fmt):
    # The larger formats get as far as five seconds take them.
    result = fuzz.fuzz(fmt, data, 1000, seed=1, limit_s=5.0)
    if not result.mutants:
        pytest.skip(f"no sample file of {fmt}")
    assert not result.failures
    assert result.refused > 0


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
