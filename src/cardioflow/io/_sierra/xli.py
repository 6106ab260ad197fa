"""XLI, the compression of Philips Sierra files: LZW on bytes, second differences, and limb leads as residuals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import FormatError
from cardioflow.io._codecs.entropy import lzw
from cardioflow.io._source import Cursor

__all__ = ["decode_xli"]

_CODE_BITS = 10
# Added to each stored difference except the first.
_BIAS = 64


def decode_xli(content: bytes, leads: Sequence[str], n_samples: int) -> NDArray[np.int32]:
    """Return the samples of ``leads``, of shape (lead, time).

    There is one chunk per lead: its size, two bytes of unknown meaning, the first difference, then 10-bit LZW codes of
    a text that has all high bytes followed by all low bytes.

    Raises:
        FormatError: if a chunk is truncated, or holds fewer samples.
    """
    cursor = Cursor(content, "the compressed waveform")
    rows = np.empty((len(leads), n_samples), np.int32)
    for i, lead in enumerate(leads):
        size = cursor.u32()
        cursor.take(2)
        first = cursor.i16()
        packed = np.frombuffer(cursor.take(size), np.uint8)
        # The limit exceeds the expected size, because some chunks have a few samples more.
        text, whole = lzw(packed, _CODE_BITS, _most_bytes(n_samples))
        if not whole:
            raise FormatError(f"holds a code in lead {lead} that its LZW table does not have.")
        rows[i] = _samples(text, first, n_samples, lead)
    return _with_limb_leads(rows, leads)


def _most_bytes(n_samples: int) -> int:
    return 4 * n_samples + 1024


def _samples(text: NDArray[np.uint8], first: int, n_samples: int, lead: str) -> NDArray[np.int32]:
    half = (text.size + 1) // 2
    if half < n_samples or half < 2:
        raise FormatError(f"holds {half} samples of lead {lead}; expected {n_samples}.")
    both = np.zeros(2 * half, np.uint8)
    both[: text.size] = text
    stored = (both[:half].astype(np.int16) << 8 | both[half:]).astype(np.int32)[:n_samples]
    # The first two values are samples, the rest second differences, each stored one position late.
    curves = np.empty(n_samples, np.int32)
    curves[:2] = stored[:2]
    curves[2:3] = -first
    curves[3:] = _BIAS - stored[2:-1]
    slopes = curves
    slopes[1:2] -= slopes[:1]
    slopes[1:] = np.cumsum(slopes[1:], dtype=np.int32)
    return np.cumsum(slopes, dtype=np.int32)


def _with_limb_leads(rows: NDArray[np.int32], leads: Sequence[str]) -> NDArray[np.int32]:
    """Restore III, aVR, aVL and aVF from their residuals after prediction from I and II, halves rounded down."""
    place = {name: i for i, name in enumerate(leads)}
    if "I" not in place or "II" not in place:
        return rows
    one, two = rows[place["I"]], rows[place["II"]]
    three = two - one
    if "III" in place:
        three = rows[place["III"]] = three - rows[place["III"]]
    if "aVR" in place:
        rows[place["aVR"]] = -rows[place["aVR"]] - (one + two) // 2
    if "aVL" in place:
        rows[place["aVL"]] = (one - three) // 2 - rows[place["aVL"]]
    if "aVF" in place:
        rows[place["aVF"]] = (two + three) // 2 - rows[place["aVF"]]
    return rows
