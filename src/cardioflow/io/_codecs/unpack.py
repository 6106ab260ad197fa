"""Packed samples to numbers: the signal formats of WFDB, and integers to float32 physical values."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.compiled import helper, kernel

__all__ = ["BLOCKS", "MISSING", "exact_in_float32", "n_bytes", "scale", "scale_212_pairs", "scale_dense", "unpack"]

BLOCKS: Final[dict[int, tuple[int, int]]] = {
    8: (1, 1),
    16: (1, 2),
    24: (1, 3),
    32: (1, 4),
    61: (1, 2),
    80: (1, 1),
    160: (1, 2),
    212: (2, 3),
    310: (3, 4),
    311: (3, 4),
}
"""Per format of signal(5): how many samples stand in how many bytes."""

MISSING: Final[dict[int, int]] = {
    16: -(2**15),
    24: -(2**23),
    32: -(2**31),
    61: -(2**15),
    80: -(2**7),
    160: -(2**15),
    212: -(2**11),
    310: -(2**9),
    311: -(2**9),
    508: -(2**7),
    516: -(2**15),
    524: -(2**23),
}
"""Per format: the number that means "no sample here"; format 8, being differences, has none."""


def n_bytes(fmt: int, n: int) -> int:
    """Return how many bytes ``n`` samples of the format take; a last block may be cut short.

    >>> n_bytes(16, 3), n_bytes(212, 2), n_bytes(212, 3)
    (6, 3, 5)
    """
    samples, size = BLOCKS[fmt]
    whole, rest = divmod(n, samples)
    # Two bytes hold one sample of 212, 310 or 311; two samples take four of 310 and 20 bits of 311.
    return whole * size + (0, 2, 3 if fmt == 311 else 4)[rest]


def unpack(raw: bytes | memoryview, fmt: int, phase: int, n: int) -> NDArray[np.signedinteger[Any]]:
    """Return ``n`` samples of the packed bytes ``raw``, which begin ``phase`` samples into their first block.

    ``raw`` must hold ``n_bytes(fmt, phase + n)`` bytes. Format 8 gives the differences.
    """
    if fmt == 16:
        return np.frombuffer(raw, "<i2", n)
    if fmt in _PLAIN:
        kind, offset = _PLAIN[fmt]
        samples: NDArray[np.int32] = np.frombuffer(raw, kind, n).astype(np.int32)
        return samples if not offset else samples - np.int32(offset)
    if fmt == 24:
        wide: NDArray[np.int32] = _unpack_24(np.frombuffer(raw, np.uint8, 3 * n))
        return wide
    kernel = {212: _unpack_212, 310: _unpack_310, 311: _unpack_311}[fmt]
    # The last block is made whole, so that the kernels need not look where the bytes end.
    short = -len(raw) % BLOCKS[fmt][1]
    found: NDArray[np.int16] = kernel(np.frombuffer(bytes(raw) + bytes(short) if short else raw, np.uint8))
    return found[phase : phase + n]


# Signed 8 (differences), 32 and big-endian 16 bits; offset binary of 8 and 16 bits.
_PLAIN: Final[dict[int, tuple[str, int]]] = {
    8: ("i1", 0),
    32: ("<i4", 0),
    61: (">i2", 0),
    80: ("u1", 128),
    160: ("<u2", 32768),
}


@kernel()
def _unpack_24(raw: Any) -> Any:
    samples = np.empty(raw.size // 3, np.int32)
    for i in range(samples.size):
        high = np.int32(np.int8(raw[3 * i + 2]))
        samples[i] = (high << 16) | (np.int32(raw[3 * i + 1]) << 8) | np.int32(raw[3 * i])
    return samples


@kernel()
def _unpack_212(raw: Any) -> Any:
    """Two samples of 12 bits in three bytes: low byte, both high nibbles, low byte."""
    blocks = raw.size // 3
    samples = np.empty(2 * blocks, np.int16)
    for i in range(blocks):
        middle = np.int16(raw[3 * i + 1])
        first = np.int16(raw[3 * i]) | np.int16((middle & 0x0F) << 8)
        second = np.int16(raw[3 * i + 2]) | np.int16((middle & 0xF0) << 4)
        samples[2 * i] = np.int16(first << 4) >> 4
        samples[2 * i + 1] = np.int16(second << 4) >> 4
    return samples


@kernel()
def _unpack_310(raw: Any) -> Any:
    """Three samples of 10 bits in two 16-bit words: bits 1-11 of each, the third in the five bits left of both."""
    blocks = raw.size // 4
    samples = np.empty(3 * blocks, np.int16)
    for i in range(blocks):
        low = np.int32(raw[4 * i]) | np.int32(raw[4 * i + 1]) << 8
        high = np.int32(raw[4 * i + 2]) | np.int32(raw[4 * i + 3]) << 8
        samples[3 * i] = _signed_10((low >> 1) & 0x3FF)
        samples[3 * i + 1] = _signed_10((high >> 1) & 0x3FF)
        samples[3 * i + 2] = _signed_10((low >> 11) | (high >> 11) << 5)
    return samples


@kernel()
def _unpack_311(raw: Any) -> Any:
    """Three samples of 10 bits in the low 30 bits of a 32-bit word, the first lowest."""
    blocks = raw.size // 4
    samples = np.empty(3 * blocks, np.int16)
    for i in range(blocks):
        word = (
            np.int64(raw[4 * i])
            | np.int64(raw[4 * i + 1]) << 8
            | np.int64(raw[4 * i + 2]) << 16
            | np.int64(raw[4 * i + 3]) << 24
        )
        for j in range(3):
            samples[3 * i + j] = _signed_10((word >> (10 * j)) & 0x3FF)
    return samples


@helper()
def _signed_10(value: Any) -> Any:
    return np.int16(value - 1024 if value & 0x200 else value)


@kernel(error_model="numpy")
def scale(  # noqa: PLR0917 -- a kernel's arguments are its data
    samples: Any,
    width: int,
    missing: int,
    columns: Any,
    skews: Any,
    baselines: Any,
    divisors: Any,
    out: Any,
    begin: int,
) -> Any:
    """Write (sample - baseline) / divisor of interleaved columns into ``out[:, begin:]``; return each column's sum.

    ``samples`` has frames of ``width``; the column of row ``j`` stands at
    ``columns[j]`` in a frame, ``skews[j]`` frames late. ``missing`` becomes NaN,
    and so does what a delayed column is too short for. The sums are right modulo
    2^32, of which the checksums of WFDB are the low 16 bits. The arithmetic is
    that of the type of ``baselines`` and ``divisors``; see ``exact_in_float32``.
    """
    nan = np.float32(np.nan)
    # As wide as the samples: comparing with 64 bits would halve the speed.
    none = np.int32(missing)
    sums = np.empty(columns.size, np.int64)
    for j in range(columns.size):
        row = out[j][begin:]
        shift = baselines[j]
        by = divisors[j]
        first = columns[j] + skews[j] * width
        there = samples.size // width
        # Numba would compile min() and max() anew in every kernel.
        n = there - skews[j]
        n = 0 if n < 0 else n if n < row.size else row.size
        total = np.int32(0)
        # The commonest widths are spelled out: a stride that is known when compiling is three times as fast.
        if width == 1:
            part = samples[first : first + n]
            for t in range(n):
                x = part[t]
                total += np.int32(x)
                row[t] = nan if x == none else np.float32((x - shift) / by)
        elif width == 2:
            part = samples[first:]
            for t in range(n):
                x = part[2 * t]
                total += np.int32(x)
                row[t] = nan if x == none else np.float32((x - shift) / by)
        else:
            for t in range(n):
                x = samples[t * width + first]
                total += np.int32(x)
                row[t] = nan if x == none else np.float32((x - shift) / by)
        for t in range(n, there if there < row.size else row.size):
            row[t] = nan
        sums[j] = total
    return sums


@kernel(error_model="numpy")
def scale_dense(  # noqa: PLR0917 -- as scale
    samples: Any,
    width: int,
    missing: int,
    per_frame: int,
    columns: Any,
    skews: Any,
    baselines: Any,
    divisors: Any,
    out: Any,
) -> Any:
    """Do what ``scale`` does for columns that have ``per_frame`` samples, one beside another, in each frame."""
    nan = np.float32(np.nan)
    none = np.int32(missing)
    sums = np.zeros(columns.size, np.int64)
    for j in range(columns.size):
        row = out[j]
        frames = max(min(row.size // per_frame, samples.size // width - skews[j]), 0)
        total = np.int32(0)
        for t in range(frames):
            at = (t + skews[j]) * width + columns[j]
            for i in range(per_frame):
                x = samples[at + i]
                total += np.int32(x)
                row[t * per_frame + i] = nan if x == none else np.float32((x - baselines[j]) / divisors[j])
        row[frames * per_frame :] = nan
        sums[j] = total
    return sums


@kernel(error_model="numpy")
def scale_212_pairs(  # noqa: PLR0917 -- as scale
    raw: Any, columns: Any, baselines: Any, divisors: Any, out: Any, begin: int
) -> Any:
    """Do what ``unpack`` and ``scale`` do for format 212 and two columns, straight from the bytes.

    Most long records are of that kind; reading them takes half the time in one pass.
    """
    nan = np.float32(np.nan)
    n = raw.size // 3
    sums = np.zeros(columns.size, np.int64)
    for j in range(columns.size):
        row = out[j][begin:]
        shift = baselines[j]
        by = divisors[j]
        total = np.int32(0)
        if columns[j] == 0:
            for t in range(n):
                x = np.int16(((np.int32(raw[3 * t]) | (np.int32(raw[3 * t + 1]) & 0x0F) << 8) ^ 0x800) - 0x800)
                total += np.int32(x)
                row[t] = nan if x == -2048 else np.float32((x - shift) / by)
        else:
            for t in range(n):
                x = np.int16(((np.int32(raw[3 * t + 2]) | (np.int32(raw[3 * t + 1]) & 0xF0) << 4) ^ 0x800) - 0x800)
                total += np.int32(x)
                row[t] = nan if x == -2048 else np.float32((x - shift) / by)
        sums[j] = total
    return sums


def exact_in_float32(baselines: NDArray[np.float64], divisors: NDArray[np.float64]) -> bool:
    """Return whether ``scale`` on 16-bit samples gives in float32 what it gives in float64, to the bit.

    A quotient of two float32 numbers that is computed in float64 and rounded
    again is the float32 quotient, because 53 >= 2 * 24 + 2 bits (Figueroa 1995,
    "When is double rounding innocuous?"); float32 is twice as fast.
    """
    whole = bool((np.abs(baselines) < 2**23).all())
    return whole and bool((divisors.astype(np.float32) == divisors).all())
