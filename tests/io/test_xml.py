from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardioflow.errors import FormatError
from cardioflow.io._xml import base64_bytes, number, numbers, parse_xml, root_name, text


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"<a/>", "a"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- <b/> --><x:a.c xmlns:x="u">', "a.c"),
        ('<?xml version="1.0" encoding="utf-16"?><long>'.encode("utf-16"), "long"),
        (b'<!DOCTYPE R SYSTEM "r.dtd"><R>', "R"),
        (b"", ""),
        (b"no <xml>", ""),
        (b"<!-- open", ""),
    ],
)
def test_the_root_is_named_from_the_first_bytes(head: bytes, name: str) -> None:
    assert root_name(head) == name


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300) | st.text("<a>/!-?: \ufeff", max_size=80).map(str.encode))
def test_any_bytes_have_a_root_or_none(head: bytes) -> None:
    assert isinstance(root_name(head), str)


def test_namespaces_are_removed_and_texts_are_stripped(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text('<x:a xmlns:x="u" xmlns:type="v"><x:b x:type="PQ"> 7 </x:b><c/></x:a>')
    root = parse_xml(path, "a", "file")
    assert (root.tag, root.keys()) == ("a", [])
    assert text(root, "b") == "7"
    assert text(root, "c") is text(root, "d") is text(None, "b") is None
    found = root.find("b")
    assert found is not None
    assert found.get("type") == "PQ"


@pytest.mark.parametrize("written", ["", None, "x", "nan", "inf", "1e999", "1 2"])
def test_a_value_that_is_not_a_finite_number_is_refused(written: str | None) -> None:
    with pytest.raises(FormatError, match="for the gain; expected a number"):
        number(written, "the gain")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-32768, 32767)), st.sampled_from([" ", ",", ", ", "\n", "\t "]))
def test_lists_of_numbers_are_read_with_any_separator(values: list[int], separator: str) -> None:
    assert numbers(separator.join(map(str, values)), "x").tolist() == values


def test_long_lists_are_read_in_pieces_without_losing_any() -> None:
    values = np.arange(100_000) * 7 - 350_000
    assert np.array_equal(numbers(" ".join(map(str, values)), "x"), values)


@pytest.mark.parametrize("written", ["1 2 x", "1,,2 --", "0x10", "1 inf", "nan"])
def test_lists_with_anything_else_are_refused(written: str) -> None:
    with pytest.raises(FormatError, match="in lead V1"):
        numbers(written, "lead V1")


def test_base64_may_be_broken_into_lines_but_not_hold_anything_else() -> None:
    assert base64_bytes(" aGVs\n bG8= ", "x") == b"hello"
    for wrong in ("aGVsbG8", "aGVs!G8=", "é"):
        with pytest.raises(FormatError, match="holds no valid base64 in lead V1"):
            base64_bytes(wrong, "lead V1")
    assert base64_bytes(None, "x") == b""


def test_an_unknown_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text('<?xml version="1.0" encoding="klingon"?><a/>')
    with pytest.raises(FormatError, match=r"names an encoding that cannot be read|is not well-formed XML"):
        parse_xml(path, "a", "file")
