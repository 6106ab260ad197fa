"""Representative beats: the mean beat of each lead, and the positions of its waves."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import FormatError
from cardioflow.io._marks import BEAT, OFFSET, ONSET, WAVES, Mark
from cardioflow.io._record import Waveform
from cardioflow.io._xml import base64_bytes, number, optional_number

__all__ = ["read_beats"]

_MOST_LEADS: Final = 64


def read_beats(root: Element) -> tuple[Waveform, list[Mark]]:
    """Return the representative beats, stored as int16 in steps of ``resolution`` µV, and the onsets and ends of waves.

    Raises:
        FormatError: if there are none, or their size is wrong.
    """
    held = root.find("waveforms/repbeats")
    beats = [] if held is None else held.findall("repbeat")
    if held is None or not 0 < len(beats) <= _MOST_LEADS:
        raise FormatError(f"holds representative beats of {len(beats)} leads; expected 1 to {_MOST_LEADS}.")
    if (held.get("dataencoding") or "Base64").lower() != "base64":
        raise FormatError(f"encodes its representative beats as {held.get('dataencoding')!r}; expected Base64.")
    fs = number(held.get("samplespersec"), "samplespersec")
    step = number(held.get("resolution"), "the resolution of the representative beats") * 1e-3
    if fs <= 0 or step <= 0:
        raise FormatError(f"gives its representative beats {fs:g} Hz and {step * 1e3:g} µV; expected more than 0.")
    names = tuple(beat.get("leadname") or f"channel {i + 1}" for i, beat in enumerate(beats))
    rows = [_samples(beat, name, fs) for beat, name in zip(beats, names, strict=True)]
    if len({row.size for row in rows}) != 1:
        raise FormatError(f"holds representative beats of {sorted({row.size for row in rows})} samples; expected one.")
    signal = np.stack(rows).astype(np.float32) * np.float32(step)
    # The waves are common to all leads, and repeated for each.
    return Waveform(signal, fs, names, steps=(step,) * len(names)), _waves(beats[0], fs, rows[0].size)


def _samples(beat: Element, name: str, fs: float) -> NDArray[np.int16]:
    raw = base64_bytes(beat.text, f"the representative beat of lead {name}")
    expected = round(number(beat.get("duration"), "the duration of a representative beat") * fs / 1000)
    if len(raw) != 2 * expected:
        raise FormatError(
            f"holds {len(raw)} bytes of the representative beat of lead {name}; expected {2 * expected} for {expected} "
            "samples."
        )
    return np.frombuffer(raw, "<i2")


def _waves(beat: Element, fs: float, n_samples: int) -> list[Mark]:
    """Return the onsets and ends; the file has milliseconds from the beat's first sample, and durations."""
    q, p_to_q, p, qrs, t, qt = (
        optional_number(beat.get(name)) for name in ("qonset", "print", "pdur", "qrsdur", "tonset", "qtint")
    )
    p_onset = None if q is None or p_to_q is None else q - p_to_q
    spans = {
        "P": (p_onset, None if p_onset is None or p is None else p_onset + p),
        "QRS": (q, None if q is None or qrs is None else q + qrs),
        "T": (t, None if q is None or qt is None else q + qt),
    }
    marks = []
    for wave, (onset, end) in spans.items():
        for at, symbol in ((onset, ONSET), (end, OFFSET)):
            if at is not None and 0 <= at * fs / 1000 < n_samples:
                marks.append(Mark(int(at * fs / 1000), symbol, "", WAVES[wave]))
    if q is not None and qrs is not None and 0 <= (q + qrs / 2) * fs / 1000 < n_samples:
        marks.append(Mark(int((q + qrs / 2) * fs / 1000), BEAT))
    return marks
