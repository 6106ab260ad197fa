"""Numbers to packed samples: what ``unpack`` undoes."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.io._codecs.unpack import n_bytes

__all__ = ["pack"]

_BITS: Final = {80: 8, 160: 16, 212: 12, 310: 10, 311: 10}


def pack(samples: NDArray[np.signedinteger[Any]], fmt: int) -> bytes:
    """Return the bytes of interleaved ``samples`` (one-dimensional) in a format of signal(5) but 8 and FLAC."""
    if fmt in {16, 32, 61}:
        return samples.astype({16: "<i2", 32: "<i4", 61: ">i2"}[fmt]).tobytes()
    if fmt in {80, 160}:
        return (samples + (1 << _BITS[fmt] - 1)).astype("u1" if fmt == 80 else "<u2").tobytes()
    if fmt == 24:
        return np.ascontiguousarray(samples.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3]).tobytes()
    per_block = 2 if fmt == 212 else 3
    padded = np.zeros(-(-samples.size // per_block) * per_block, np.int64)
    padded[: samples.size] = samples
    blocks = padded.reshape(-1, per_block) & ((1 << _BITS[fmt]) - 1)
    packed: NDArray[Any] = _BLOCKS[fmt](blocks)
    return packed.tobytes()[: n_bytes(fmt, samples.size)]


def _blocks_212(v: NDArray[np.int64]) -> NDArray[Any]:
    first, second = v.T
    return np.stack([first & 0xFF, first >> 8 | (second >> 8) << 4, second & 0xFF], axis=1).astype(np.uint8)


def _blocks_310(v: NDArray[np.int64]) -> NDArray[Any]:
    first, second, third = v.T
    return np.stack([first << 1 | (third & 31) << 11, second << 1 | (third >> 5) << 11], axis=1).astype("<u2")


def _blocks_311(v: NDArray[np.int64]) -> NDArray[Any]:
    words: NDArray[Any] = v[:, 0] | v[:, 1] << 10 | v[:, 2] << 20
    return words.astype("<u4")


_BLOCKS: Final[dict[int, Any]] = {212: _blocks_212, 310: _blocks_310, 311: _blocks_311}
