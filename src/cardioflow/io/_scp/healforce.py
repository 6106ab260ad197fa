"""Records of Healforce's pocket recorders, whose rhythm section deviates from EN 1064.

Section 6 is one stream in which the leads alternate sample by sample. Four samples of 12 bits are packed into three
words of 16 bits; the lower ten bits of a sample are its amplitude, with 512 for zero, and the upper two are flags. The
field for the sampling interval holds a rate in Hz. Section 3 counts samples from the beginning of a recording of many
files, and names one lead however many there are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import FormatError
from cardioflow.io._record import Waveform
from cardioflow.io._scp.sections import Sections

__all__ = ["read_healforce"]

# Not named in the file; the first and the third lead add up to the second.
_NAMES = ("I", "II", "III")
_BEAT = 0x800


def read_healforce(sections: Sections) -> tuple[Waveform, NDArray[np.int64], float]:
    """Return the rhythm, the samples of the beats, and the time in the recording at which this file begins, in seconds.

    Raises:
        FormatError: if the stream does not have the length of its samples, or has another form.
    """
    leads = sections.needed(3, "the leads")
    n_leads, _ = leads.u8(), leads.u8()
    first, last = leads.u32(), leads.u32()
    rhythm = sections.needed(6, "the rhythm")
    nanovolts, fs = rhythm.u16(), rhythm.u16()
    differences, bimodal, size = rhythm.u8(), rhythm.u8(), rhythm.u16()
    n = last - first + 1
    if n_leads != len(_NAMES) or first < 1 or n < 1 or nanovolts == 0 or fs == 0 or differences or bimodal:
        raise FormatError(
            f"is of Healforce's form with {n_leads} leads from sample {first} to {last}, {nanovolts} nV, {fs} Hz, "
            f"differences {differences} and compression {bimodal}; expected 3 leads, and neither of the last two."
        )
    if size * 2 != n * n_leads * 3 or size % 6:
        raise FormatError(
            f"holds {size} bytes for {n_leads} leads of {n} samples; expected 12 bits for each, six bytes at a time."
        )
    words = _unpacked(rhythm.take(size)).reshape(n, n_leads).T
    amplitudes = (words & 0x3FF).astype(np.int16) - 512
    step = nanovolts * 1e-6
    wave = Waveform(amplitudes * step, float(fs), _NAMES, steps=(step,) * n_leads)
    return wave, np.flatnonzero((words & _BEAT).any(axis=0)), (first - 1) / fs


def _unpacked(stream: bytes) -> NDArray[np.uint16]:
    """Return words of 12 bits, the flags in bits 11 and 10; every fourth consists of the spare bits of three words."""
    words = np.frombuffer(stream, "<u2", len(stream) // 6 * 3).reshape(-1, 3)
    found = np.empty((len(words), 4), np.uint16)
    found[:, :3] = words & 0x3FF | words >> 4 & 0xC00
    left = words >> 10 & 0xF
    found[:, 3] = left[:, 0] << 8 | left[:, 1] << 4 | left[:, 2]
    return found.reshape(-1)
