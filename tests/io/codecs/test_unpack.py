from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardioflow.io._codecs.unpack import BLOCKS, MISSING, exact_in_float32, n_bytes, scale, scale_dense, unpack

BITS = {16: 16, 24: 24, 32: 32, 61: 16, 80: 8, 160: 16, 212: 12, 310: 10, 311: 10}


def packed(fmt: int, samples: list[int]) -> bytes:
    """Pack as signal(5) says, bit by bit and slowly: the reference for the kernels."""
    plain = {16: (2, "little", 0), 24: (3, "little", 0), 32: (4, "little", 0), 61: (2, "big", 0)}
    plain |= {80: (1, "little", 128), 160: (2, "little", 32768)}
    if fmt in plain:
        size, order, offset = plain[fmt]
        return b"".join((x + offset).to_bytes(size, order, signed=not offset) for x in samples)
    block, size = BLOCKS[fmt]
    padded = samples + [0] * (-len(samples) % block)
    raw = b""
    for i in range(0, len(padded), block):
        v = [x & (1 << BITS[fmt]) - 1 for x in padded[i : i + block]]
        if fmt == 212:
            raw += bytes([v[0] & 0xFF, v[0] >> 8 | (v[1] >> 8) << 4, v[1] & 0xFF])
        elif fmt == 311:
            raw += (v[0] | v[1] << 10 | v[2] << 20).to_bytes(4, "little")
        else:
            low, high = v[0] << 1 | (v[2] & 31) << 11, v[1] << 1 | (v[2] >> 5) << 11
            raw += low.to_bytes(2, "little") + high.to_bytes(2, "little")
    return raw[: n_bytes(fmt, len(samples))]


@pytest.mark.parametrize("fmt", BITS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_unpacking_undoes_packing_from_any_phase(fmt, data):
    half = 1 << BITS[fmt] - 1
    samples = data.draw(st.lists(st.integers(-half, half - 1), min_size=1, max_size=20))
    block, size = BLOCKS[fmt]
    start = data.draw(st.integers(0, len(samples) - 1))
    raw = packed(fmt, samples)
    assert len(raw) == n_bytes(fmt, len(samples))
    found = unpack(raw[start // block * size :], fmt, start % block, len(samples) - start)
    assert found.tolist() == samples[start:]


def test_the_missing_sample_is_the_lowest_number_of_each_format():
    assert {fmt: MISSING[fmt] for fmt in BITS} == {fmt: -(1 << bits - 1) for fmt, bits in BITS.items()}


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 60000),
    st.sampled_from([1.0, 0.5, 4.88, 0.1, 1 / 3]),
    st.integers(-40000, 40000),
    st.integers(1, 4),
)
def test_float32_is_used_only_if_it_rounds_like_float64(gain, factor, baseline, width):
    divisors, baselines = np.full(width, gain * factor), np.full(width, float(baseline))
    samples = np.arange(-32768, 32768, dtype=np.int16)[: 65536 // width * width]
    exact = ((samples.astype(float) - baseline) / (gain * factor)).astype(np.float32)
    exact[samples == -32768] = np.nan
    narrow = exact_in_float32(baselines, divisors)
    kind = np.float32 if narrow else np.float64
    assert narrow == (float(np.float32(gain * factor)) == gain * factor)
    out = np.empty((width, samples.size // width), np.float32)
    none = np.zeros(width, np.int64)
    sums = scale(samples, width, -32768, np.arange(width), none, baselines.astype(kind), divisors.astype(kind), out, 0)
    np.testing.assert_array_equal(out, exact.reshape(-1, width).T)
    columns = samples.reshape(-1, width).astype(np.int64).sum(axis=0)
    np.testing.assert_array_equal(sums & 0xFFFF, columns & 0xFFFF)


def test_a_delayed_column_is_put_in_its_place_and_ends_in_nan():
    samples = np.arange(8, dtype=np.int16)
    out = np.empty((2, 4), np.float32)
    scale(samples, 2, -32768, np.array([0, 1]), np.array([0, 1]), np.zeros(2), np.ones(2), out, 0)
    np.testing.assert_array_equal(out, [[0, 2, 4, 6], [3, 5, 7, np.nan]])


def test_columns_with_several_samples_per_frame_are_laid_end_to_end():
    samples = np.arange(9, dtype=np.int16)
    out = np.empty((1, 6), np.float32)
    scale_dense(samples, 3, -32768, 2, np.array([1]), np.array([1]), np.zeros(1), np.ones(1), out)
    np.testing.assert_array_equal(out, [[4, 5, 7, 8, np.nan, np.nan]])


def test_a_later_piece_is_appended_to_the_earlier_one():
    out = np.zeros((1, 6), np.float32)
    none, scales = np.zeros(1, np.int64), (np.zeros(1), np.ones(1))
    for begin, piece in ((4, [5, 6]), (0, [1, 2])):
        scale(np.array(piece, np.int16), 1, -32768, none, none, *scales, out, begin)
    assert out.tolist() == [[1, 2, 0, 0, 5, 6]]
