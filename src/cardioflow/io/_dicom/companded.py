"""8-bit samples companded as speech is: mu-law and A-law (PS3.3 C.10.9.1.5, ITU-T G.711)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["COMPANDED"]


def _mu_law() -> NDArray[np.int16]:
    """Return the number of each byte, -8031 to 8031: G.711 table 2, a uniform quantization of 14 bit."""
    # All bits are sent inverted; then sign, 3 bits of segment, 4 bits of step. The steps double with the segment.
    codes = ~np.arange(256) & 0xFF
    magnitude = ((2 * (codes & 15) + 33) << (codes >> 4 & 7)) - 33
    return np.where(codes & 0x80, -magnitude, magnitude).astype(np.int16)


def _a_law() -> NDArray[np.int16]:
    """Return the number of each byte, -4032 to 4032 without 0: G.711 table 1, a uniform quantization of 13 bit."""
    # Even bits are sent inverted, and a sign of 1 is positive. The first two segments have the same steps.
    codes = np.arange(256) ^ 0x55
    segment, step = codes >> 4 & 7, 2 * (codes & 15) + 1
    magnitude = np.where(segment == 0, step, (step + 32) << np.maximum(segment - 1, 0))
    return np.where(codes & 0x80, magnitude, -magnitude).astype(np.int16)


COMPANDED: Final = {"MB": _mu_law(), "AB": _a_law()}
"""By sample interpretation, the 256 numbers that bytes stand for."""
