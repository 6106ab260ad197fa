"""Prefix codes and LZW: what ECG devices pack their samples with, unpacked by compiled kernels.

A prefix code is a binary tree in an array: ``child[node, bit]`` is the next
node, or ``-1 - leaf`` where a code ends. Bits are read from a byte's highest
to its lowest. Every kernel stops at the end of its input and never writes
past ``n``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.compiled import kernel

__all__ = ["NO_CODE", "lzw", "prefix_decode"]

NO_CODE = np.iinfo(np.int32).min
"""Where no code of a tree leads."""


@kernel()
def prefix_decode(
    data: NDArray[np.uint8], child: NDArray[np.int32], roots: NDArray[np.int32], leaves: NDArray[np.int32], n: int
) -> tuple[NDArray[np.int32], int]:
    """Return up to ``n`` numbers and how many were read.

    ``roots`` holds the first node of each tree, ``leaves`` per code (bits that follow and are read as a signed number,
    1 or 0 for a switch of trees, base value): a switch goes on with tree number base value, counted from 1, and
    gives no number.
    """
    out = np.empty(n, np.int32)
    total = data.size * 8
    at = 0
    node = roots[0]
    root = roots[0]
    found = 0
    while found < n and at < total:
        node = child[node, (data[at >> 3] >> (7 - (at & 7))) & 1]
        at += 1
        if node == NO_CODE:
            break
        if node >= 0:
            continue
        leaf = -1 - node
        node = root
        if leaves[leaf, 1] == 0:
            table = leaves[leaf, 2] - 1
            if table < 0 or table >= roots.size:
                break
            root = roots[table]
            node = root
            continue
        bits = leaves[leaf, 0]
        if at + bits > total:
            break
        value = 0
        for i in range(at, at + bits):
            value = (value << 1) | ((data[i >> 3] >> (7 - (i & 7))) & 1)
        if bits > 0 and value >> (bits - 1):
            value -= 1 << bits
        at += bits
        out[found] = value + leaves[leaf, 2]
        found += 1
    return out[:found], found


@kernel()
def lzw(data: NDArray[np.uint8], width: int, n: int) -> tuple[NDArray[np.uint8], bool]:
    """Return up to ``n`` bytes of LZW (Welch, 1984) with codes of constant ``width``, and whether all codes were valid.

    The highest code ends the data; a full table stays as it is.
    """
    out = np.empty(n, np.uint8)
    size = 1 << width
    # Where the text of each code lies in what was written, so that no text is ever built.
    begin = np.zeros(size, np.int64)
    length = np.ones(size, np.int64)
    following = 256
    found = 0
    at = 0
    buffer = 0
    bits = 0
    previous = -1
    previous_at = 0
    while found < n:
        while bits < width and at < data.size:
            buffer = ((buffer << 8) | data[at]) & 0xFFFFFFFF
            bits += 8
            at += 1
        if bits < width:
            break
        code = (buffer >> (bits - width)) & (size - 1)
        bits -= width
        if code == size - 1:
            break
        start = found
        if code < 256:
            out[found] = code
            found += 1
        elif code < following or (code == following and previous >= 0):
            # A code not yet in the table is the text before it and that text's first byte again.
            source = begin[code] if code < following else previous_at
            many = length[code] if code < following else (length[previous] if previous >= 256 else 1) + 1
            for i in range(many):
                if found >= n:
                    break
                out[found] = out[source + i]
                found += 1
        else:
            return out[:found], False
        if previous >= 0 and following < size - 1:
            begin[following] = previous_at
            length[following] = (length[previous] if previous >= 256 else 1) + 1
            following += 1
        previous = code
        previous_at = start
    return out[:found], True
