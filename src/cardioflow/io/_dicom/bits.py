"""Samples of fewer bits than are allocated: their sign may be in the highest bit that is used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

__all__ = ["extended"]


def extended(
    stored: NDArray[Any], bits_stored: Sequence[int], padding: int | None
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Return samples of shape (channel, time) with their signs extended to all bits, and warnings.

    Waveform Bits Stored (003A,021A) may be below Waveform Bits Allocated, and devices differ in what they write into
    the other bits of a negative sample: its sign, or zeros. The values tell which: numbers from 0 to ``2 ** bits - 1``
    of which some have the highest used bit set are negative ones without their sign. Numbers that need more bits than
    are stated stay as they are, with a warning.

    Args:
        stored: As it is in the file.
        bits_stored: Of each channel; 0 where it is not stated.
        padding: What stands where there is no sample.
    """
    width = 8 * stored.dtype.itemsize
    if stored.dtype.kind != "i" or all(bits in (0, width) for bits in bits_stored):
        return stored, ()
    found = stored
    beyond = []
    for i, (row, bits) in enumerate(zip(stored, bits_stored, strict=True)):
        if not 1 < bits < width:
            continue
        there = row if padding is None else row[row != padding]
        low, high = (int(there.min()), int(there.max())) if there.size else (0, 0)
        half = 1 << (bits - 1)
        if low >= 0 and half <= high < 2 * half:
            found = stored.copy() if found is stored else found
            negative = row >= half if padding is None else (row >= half) & (row != padding)
            found[i][negative] |= -2 * half
        elif low < -half or high >= half:
            beyond.append(i + 1)
    if not beyond:
        return found, ()
    channels = ", ".join(map(str, beyond))
    return found, (f"samples of channel {channels} need more bits than WaveformBitsStored states",)
