"""JSON from strangers: what is within the limits is what ``json`` reads, and nothing else is parsed at all."""

from __future__ import annotations

import json
import time

import pytest

from cardioflow.core.limited_json import parse_limited
from cardioflow.errors import FormatError

LIMITS = {"max_bytes": 10_000, "max_values": 50, "max_depth": 4}


def read(text: str | bytes, **limits):
    return parse_limited(text if isinstance(text, bytes) else text.encode(), **{**LIMITS, **limits})


@pytest.mark.parametrize(
    "value",
    [
        {}, [], None, True, 0, -1.5e-3, "", "ä \" \\ \u2028 [{,", {"a": [1, [2, [3]]], "b": {"c": "]]]]]]"}},
        ["{" * 60, "," * 200, "\\\"" * 30], {"[": {"]": 1}}, list(range(49)),
    ],
)  # fmt: skip
def test_what_is_within_the_limits_is_what_json_reads(value):
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=2)):
        assert read(text) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 5 + "]" * 5, "nests values more than 4 levels deep"),
        ('{"a":' * 5 + "1" + "}" * 5, "nests values more than 4 levels deep"),
        ("[" + ",".join("1" * 1 for _ in range(51)) + "]", "holds more than 50 values"),
        ("[" + "[],".join("" for _ in range(60)) + "[]]", "holds more than 50 values"),
        ('{"a":[' + "1,1," * 30 + "1]}", "holds more than 50 values"),
        ('"' + "x" * 10_001 + '"', "has 10003 bytes, and at most 10000 are read"),
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("[1,]", "is not JSON"),
        ('{"a" 1}', "is not JSON"),
        ("[1] 2", "is not JSON"),
        ('"abc', "is not JSON"),
        ("9" * 6000, "is not JSON"),
        (b"\xff\xfe\x00", "is not JSON"),
        ('"\\u12"', "is not JSON"),
    ],
)
def test_what_is_beyond_a_limit_or_no_json_is_refused_in_a_sentence(text, said):
    with pytest.raises(FormatError, match=said):
        read(text)


@pytest.mark.parametrize("text", ["[" * 4 + "]" * 4, "[" + ",".join("1" * 49) + "]", '"' + "x" * 9998 + '"'])
def test_the_limits_themselves_are_within(text):
    assert read(text) == json.loads(text)


@pytest.mark.parametrize(
    "text", [b"[" * 2_000_000, b'"' + b"\\" * 2_000_000, b'"\\"' * 700_000, b'{"' * 900_000, b"[]," * 600_000]
)
def test_hostile_texts_are_refused_in_linear_time(text):
    since = time.process_time()
    with pytest.raises(FormatError):
        parse_limited(text, max_bytes=1 << 22, max_values=1000, max_depth=50)
    # Seconds would be days for a pattern that backtracks.
    assert time.process_time() - since < 5


def test_marks_inside_texts_do_not_count():
    text = json.dumps(["[[[[[[[[", "{{{{{{", ",,,,,,,,,," * 20, 'a"],["b'])
    assert read(text, max_values=5, max_depth=1) == json.loads(text)
