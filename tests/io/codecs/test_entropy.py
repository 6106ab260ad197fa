from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cardioflow.io._codecs.entropy import NO_CODE, lzw, prefix_decode


def _bytes(bits: str) -> NDArray[np.uint8]:
    bits += "0" * (-len(bits) % 8)
    return np.array([int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)], np.uint8)


def _packed(text: bytes, width: int) -> NDArray[np.uint8]:
    """Code bytes by Welch's LZW as the paper tells it: the longest known text, then one letter more is known."""
    table = {bytes([i]): i for i in range(256)}
    codes, known = [], b""
    for letter in text:
        longer = known + bytes([letter])
        if longer in table:
            known = longer
            continue
        codes.append(table[known])
        if len(table) < (1 << width) - 1:
            table[longer] = len(table)
        known = bytes([letter])
    if known:
        codes.append(table[known])
    return _bytes("".join(f"{code:0{width}b}" for code in [*codes, (1 << width) - 1]))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400) | st.text("ab", max_size=3000).map(str.encode), st.sampled_from([9, 10, 12]))
def test_lzw_restores_the_packed_data(text: bytes, width: int) -> None:
    out, valid = lzw(_packed(text, width), width, len(text) + 10)
    assert valid
    assert out.tobytes() == text


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 500))
def test_lzw_of_any_bytes_ends_and_respects_the_limit(data: bytes, n: int) -> None:
    out, _ = lzw(np.frombuffer(data, np.uint8), 10, n)
    assert out.size <= n


def test_lzw_reports_a_code_that_its_table_lacks() -> None:
    out, valid = lzw(_bytes(f"{65:010b}{700:010b}"), 10, 10)
    assert (out.tobytes(), valid) == (b"A", False)


# "0" is 4; "10" is two bits and 1 added; "11" goes on with the second tree, whose "0" is -1 and whose "1" leads back.
CHILD = np.array([[-1, 1], [-2, -3], [-4, -5]], np.int32)
ROOTS = np.array([0, 2], np.int32)
LEAVES = np.array([[0, 1, 4], [2, 1, 1], [0, 0, 2], [0, 1, -1], [0, 0, 1]], np.int32)


def test_codes_extra_bits_and_switches_of_trees() -> None:
    out, n = prefix_decode(_bytes("0" + "1001" + "1010" + "11" + "0" + "0" + "1" + "0"), CHILD, ROOTS, LEAVES, 6)
    assert n == 6
    # Two bits are a signed number: 01 is 1, 10 is -2.
    assert out.tolist() == [4, 2, -1, -1, -1, 4]


def test_a_code_that_no_tree_has_ends_the_numbers() -> None:
    child = np.array([[-1, NO_CODE]], np.int32)
    out, n = prefix_decode(_bytes("001"), child, np.zeros(1, np.int32), np.array([[0, 1, 9]], np.int32), 10)
    assert (out.tolist(), n) == ([9, 9], 2)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 300))
def test_decoding_any_bits_ends_and_respects_the_limit(data: bytes, n: int) -> None:
    out, count = prefix_decode(np.frombuffer(data, np.uint8), CHILD, ROOTS, LEAVES, n)
    assert out.size == count <= n


def test_a_switch_to_a_tree_that_is_not_there_ends_the_numbers() -> None:
    leaves = LEAVES.copy()
    leaves[2, 2] = 7
    out, n = prefix_decode(_bytes("0110"), CHILD, ROOTS, leaves, 5)
    assert (out.tolist(), n) == ([4], 1)
