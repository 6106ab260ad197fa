"""Contec .ECG: files of the ECG90A electrocardiograph, as far as the available files show their structure."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, final

import numpy as np

from cardioflow.errors import FormatError
from cardioflow.io._person import person_meta, sex_letter, years
from cardioflow.io._record import Waveform, make_record
from cardioflow.io._source import naming, read_whole
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["Contec"]

_HEADER, _FOOTER = 43, 37
# In all available files the footer begins with more zeros than this; samples, which lie around 2048, never do.
_EMPTY = 16
_STORED = ("II", "III", "V1", "V2", "V3", "V4", "V5", "V6")
_FS = 800.0
_MILLIVOLTS = 0.005
_ZERO = 2048
# Stored for leads with a disconnected electrode.
_OFF = 0x6800
_TIME = re.compile(rb"\d{4}-\d\d?-\d\d? \d\d:\d\d:\d\d\0")


@final
class Contec(Format):
    """Contec ECG90A files.

    Read: a header of 43 bytes (number, time, name, sex, age), 8 leads as little-endian int16 around 2048 at 800 Hz
    and 5 µV, and a footer of 37 bytes, of which only the leading zeros are checked. The leads are II, III and V1 to V6;
    I, aVR, aVL, aVF are computed. A lead with a disconnected electrode is NaN and listed in ``meta["leads_off"]``.

    Not read: anything else; the format is not published. Rate, step and zero are constants of the device and not in the
    file, so a file of another Contec model with the same structure and a fitting length would get the wrong scale.

    Checked on three files of the ecg-contec project: one against that project's CSV of it (the stored leads are equal,
    the computed ones to half a step); in one with all electrodes connected, I and V6 agree as expected in an ECG.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".ecg",)

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        """Return whether there is a time at byte 10, after a number padded with zero bytes."""
        return len(head) > _HEADER and _TIME.match(head, 10) is not None and head[:1].isalnum()

    def read(self, path: Path, request: ReadRequest) -> Record:
        with naming(path):
            content = read_whole(path)
            if not self.recognises(content):
                raise FormatError("is not a Contec file: there is no time at byte 10.")
            size = len(content) - _HEADER - _FOOTER
            if size <= 0 or size % (2 * len(_STORED)):
                raise FormatError(
                    f"holds {size} bytes between header and footer; expected a multiple of {2 * len(_STORED)}."
                )
            if any(content[-_FOOTER : -_FOOTER + _EMPTY]):
                raise FormatError(
                    f"has samples in its last {_FOOTER} bytes instead of a footer. It was truncated; get it again."
                )
            stored = np.frombuffer(content, "<i2", size // 2, _HEADER).reshape(-1, len(_STORED)).T
            signal = np.empty((len(_STORED) + 1, stored.shape[1]), np.float32)
            for row, numbers in zip(signal[1:], stored, strict=True):
                row[:] = (numbers.astype(np.int32) - _ZERO) * _MILLIVOLTS
                row[numbers == _OFF] = np.nan
            signal[0] = (stored[0].astype(np.int32) - stored[1]) * _MILLIVOLTS
            signal[0][(stored[:2] == _OFF).any(axis=0)] = np.nan
            off = tuple(name for name, row in zip(_STORED, stored, strict=True) if (row == _OFF).all())
            # I follows from II and III, which the device stores.
            made = () if request.derive == "never" else ("I",)
            names = (*made, *_STORED)
            wave = Waveform(signal if made else signal[1:], _FS, names, steps=(_MILLIVOLTS,) * len(names))
            return make_record(wave, request, {**_meta(content, request), "leads_off": off}, derived=made)


def _meta(content: bytes, request: ReadRequest) -> dict[str, Any]:
    number, time, name = (
        content[a:b].split(b"\0")[0].decode("latin-1").strip() for a, b in ((0, 10), (10, 32), (32, 40))
    )
    try:
        at = datetime.strptime(time, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 -- the device knows no zone
    except ValueError:
        at = None
    return {
        "age": years(float(content[41])) if content[41] not in (0, 255) else None,
        "sex": sex_letter({0: "F", 1: "M"}.get(content[40])),
        "timestamp": at,
        "device": "Contec ECG90A",
        "comments": (),
        # The number counts recordings, not patients, so patients can only be grouped by name.
        **person_meta(request, name=name or None, patient_id=name or None, birth_date=None, recording=number or None),
    }
