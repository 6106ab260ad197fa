"""The header of an EDF, EDF+ or BDF file: 256 bytes, and 256 more for each signal."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from cardioflow.errors import FormatError
from cardioflow.io._dates import written_dates

__all__ = ["BDF_MAGIC", "EDF_MAGIC", "Header", "Signal", "parse", "size_of"]

EDF_MAGIC: Final = b"0       "
BDF_MAGIC: Final = b"\xffBIOSEMI"

_FIXED: Final = 256


@dataclass(frozen=True)
class Signal:
    """What the header says of one signal."""

    label: str
    transducer: str
    dimension: str
    physical: tuple[float, float]
    """The physical values of the two digital ones."""
    digital: tuple[int, int]
    prefiltering: str
    per_record: int
    """Samples in one data record."""
    start: int
    """Samples of other signals before it in one data record."""

    @property
    def has_scale(self) -> bool:
        """Whether the ends of its range differ, so that a sample has a value."""
        return self.physical[0] != self.physical[1] and self.digital[0] != self.digital[1]

    @property
    def is_annotation(self) -> bool:
        """Whether it holds texts (EDF+ clause 2.2) instead of samples."""
        return self.label in {"EDF Annotations", "BDF Annotations"}


@dataclass(frozen=True)
class Header:
    """A header as read."""

    bytes_per_sample: int
    patient: str
    recording: str
    start: datetime | None
    n_bytes: int
    kind: str
    """``"EDF+C"`` or ``"EDF+D"`` (``"BDF+…"``); empty in plain EDF."""
    n_records: int
    """-1 where the recording was never closed."""
    duration_s: float
    """Of one data record."""
    signals: tuple[Signal, ...]

    @property
    def samples_per_record(self) -> int:
        return sum(signal.per_record for signal in self.signals)

    @property
    def bytes_per_record(self) -> int:
        return self.samples_per_record * self.bytes_per_sample

    @property
    def is_plus(self) -> bool:
        """Whether the patient and recording fields have the parts that EDF+ gives them (2.1.3.3 and 2.1.3.4)."""
        return self.kind != ""


def size_of(head: bytes) -> int:
    """Return how long the header is that begins with the 256 bytes ``head``.

    Raises:
        FormatError: when that is not a header.
    """
    if len(head) < _FIXED:
        raise FormatError(f"has {len(head)} bytes; an EDF header has at least {_FIXED}. Fetch it again.")
    if head[:8] not in {EDF_MAGIC, BDF_MAGIC} and head[:8].strip(b" \0") != b"0":
        raise FormatError(f"begins with {head[:8]!r}; EDF begins with '0' and spaces, BDF with 255 and 'BIOSEMI'.")
    n = _whole(head[252:256], "number of signals")
    if not 0 < n < 10000:
        raise FormatError(f"says that it has {n} signals; expected 1 to 9999.")
    return _FIXED * (n + 1)


def parse(raw: bytes) -> Header:
    """Read a whole header.

    Lenient where files in the field are: NUL instead of spaces, a decimal comma,
    a header size that is wrong (it follows from the number of signals), times
    that are not times.

    Raises:
        FormatError: with the field's name, where a number is malformed.
    """
    size = size_of(raw)
    if len(raw) < size:
        raise FormatError(f"ends inside its header, which takes {size} bytes. Fetch it again.")
    n = size // _FIXED - 1
    recording = _text(raw[88:168])
    kind = _text(raw[192:236])[:5]
    kind = kind if kind in {"EDF+C", "EDF+D", "BDF+C", "BDF+D"} else ""
    duration = _number(raw[244:252], "duration of a data record")
    if not 0 <= duration < 1e9:
        raise FormatError(f"says that a data record lasts {duration:g} s; expected 0 or more.")
    return Header(
        bytes_per_sample=3 if raw[:8] == BDF_MAGIC else 2,
        patient=_text(raw[8:88]),
        recording=recording,
        start=_start(_text(raw[168:176]), _text(raw[176:184]), recording),
        n_bytes=size,
        kind=kind,
        n_records=_whole(raw[236:244], "number of data records"),
        duration_s=duration,
        signals=_signals(raw[_FIXED:size], n),
    )


_WIDTHS: Final = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)


def _signals(raw: bytes, n: int) -> tuple[Signal, ...]:
    columns: list[list[bytes]] = []
    at = 0
    for width in _WIDTHS:
        columns.append([raw[at + i * width : at + (i + 1) * width] for i in range(n)])
        at += n * width
    signals = []
    start = 0
    for label, transducer, dimension, p_min, p_max, d_min, d_max, filters, count, _ in zip(*columns, strict=True):
        name = _text(label)
        per_record = _whole(count, f"number of samples per record of {name!r}")
        if not 0 <= per_record < 1 << 28:
            raise FormatError(f"says that {name!r} has {per_record} samples per data record; expected 0 or more.")
        signals.append(
            Signal(
                name,
                _text(transducer),
                _text(dimension),
                (_number(p_min, f"physical minimum of {name!r}"), _number(p_max, f"physical maximum of {name!r}")),
                (_whole(d_min, f"digital minimum of {name!r}"), _whole(d_max, f"digital maximum of {name!r}")),
                _text(filters),
                per_record,
                start,
            )
        )
        start += per_record
    return tuple(signals)


def _text(raw: bytes) -> str:
    # ASCII by the standard; devices also write UTF-8, which may be cut within a letter, and Latin-1.
    raw = raw.replace(b"\0", b" ")
    try:
        return raw.decode().strip()
    except UnicodeDecodeError:
        return raw.decode("latin-1").strip()


def _number(raw: bytes, what: str) -> float:
    text = _text(raw).replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise FormatError(f"gives {text!r} as the {what}; expected a number.")
    return value


def _whole(raw: bytes, what: str) -> int:
    value = _number(raw, what)
    if value != int(value) or abs(value) >= 2**53:
        raise FormatError(f"gives {_text(raw)!r} as the {what}; expected a whole number.")
    return int(value)


# What stands for a date that is not known, or not to be told, beside "Startdate X" (clauses 2.1.3.3 and 2.1.3.4).
_NO_DATE: Final = date(1985, 1, 1)
_STARTDATE: Final = re.compile(r"start[ _]?date\s*[:=]?\s*(\S.*)", re.IGNORECASE)
# Of a date in words: "Startdate 5 May 2020 …", "Startdate May 5, 2020 …".
_MOST_WORDS: Final = 3


def _start(day: str, time: str, recording: str) -> datetime | None:
    """Return when the recording began.

    The header has two digits of the year: 85 to 99 are 1985 to 1999, 00 to 84 are 2000 to 2084 (EDF+ 2.1.3.2).
    The whole date stands in the recording field, which is believed first; for other years the header then says ``yy``.
    """
    told = _STARTDATE.match(recording)
    whole = _first_date(told[1]) if told else ()
    parts = re.split(r"[.:/-]", day)
    try:
        hour, minute, second = (int(part) for part in re.split(r"[.:]", time))
        since = timedelta(hours=hour, minutes=minute, seconds=second)
        d, m = (int(part) for part in parts[:2])
        if len(whole) > 1:
            # Of 5/6/2020, what agrees with the header is meant.
            whole = tuple(one for one in whole if (one.day, one.month) == (d, m))
        if whole:
            return _at(whole[0]) + since
        y = int(parts[2])
        at = date(1900 + y if y >= 85 else 2000 + y, m, d)
        if told and at == _NO_DATE:
            # "Startdate X", or "Startdate not recorded" as PhysioNet's mit2edf writes it.
            return None
        return _at(at) + since
    except (ValueError, OverflowError, IndexError):
        return None


def _at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 -- the format has no zone


def _first_date(text: str) -> tuple[date, ...]:
    """Return the dates that the first words of a text can mean."""
    words = text.split()
    tried = (written_dates(" ".join(words[:n])) for n in range(1, _MOST_WORDS + 1))
    return next((found for found in tried if found), ())
