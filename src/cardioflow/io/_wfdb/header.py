"""A WFDB header: text in, named numbers out; nothing here opens a file."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from typing import Final, NamedTuple

from cardioflow.errors import FormatError
from cardioflow.io._dates import written_dates

__all__ = ["Header", "Kind", "Segment", "Signal", "parse"]

_DEFAULT_FS: Final = 250.0
_DEFAULT_GAIN: Final = 200.0

_FMT = re.compile(r"(\d+)(?:x(\d+))?(?::(\d+))?(?:\+(\d+))?")
_GAIN = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?:\(([-+]?\d+)(?:\.0*)?\))?(?:/([^\s()]+))?")
# What stands where a gain may stand, or after one, and is neither a gain nor a name of a lead: "200(10.5)/mV",
# "200/mV(10)" (which _GAIN takes for a unit), "200,5/mV", "200mV", "nan/mV", "(0)/mV", "/mV"; or any word before four
# of the numbers that follow a gain: "inf 16 0 0 0", "200/m V 16 0 0 0".
_DAMAGED_GAIN = re.compile(
    r"(?:[-+]?(?:\d[\d.,]*(?:e[-+]?\d+)?|\.\d+|nan|inf|infinity)(?:[(/]\S*|[mµμun]?v)"
    r"|\([-+]?[\d.,]*\)\S*|/(?:[mµμun]?v|adu)\S*|\S+(?:\s+[-+]?\d+){4})(?:\s|$)",
    re.IGNORECASE,
)
_FS = re.compile(r"(\d+\.?\d*(?:[eE][-+]?\d+)?)(?:/(-?\d+\.?\d*)(?:\((-?\d+\.?\d*)\))?)?")


@dataclass(frozen=True, eq=False, slots=True)
class Kind:
    """What a signal line says of a signal that another record's line may say too; one object for all that do.

    Compared by identity, so that what follows from the kinds of a record's
    signals is looked up, not worked out, for the next record of a data set.
    """

    fmt: int
    per_frame: int
    skew: int
    byte_offset: int
    gain: float
    """Units of the analogue-to-digital converter per physical unit; 200 where the header says 0 or nothing."""
    calibrated: bool
    """Whether the header gave a gain."""
    baseline: int
    units: str
    name: str


class Signal(NamedTuple):
    """One signal line, with the defaults of header(5) filled in."""

    file: str
    kind: Kind
    initial: int
    """The value before the first difference, for format 8."""
    checksum: int | None
    """The 16-bit sum of the samples; ``None`` where the header has none, or 0."""


class Segment(NamedTuple):
    """One line of a multi-segment header; the name ``~`` is a gap."""

    name: str
    n_frames: int


class Header(NamedTuple):
    """A header file as read."""

    name: str
    fs: float
    """Frames per second."""
    n_frames: int | None
    """``None`` where the header leaves it to the size of the signal file."""
    timestamp: datetime | None
    base_time: time | None
    """The time of day, where the header gives no date."""
    signals: tuple[Signal, ...]
    segments: tuple[Segment, ...]
    comments: tuple[str, ...]
    fs_source: str = "header"
    """``"default"`` where the header gives no rate, which is then 250 Hz (header(5))."""
    unread_date: str | None = None
    """A date or time that is not read, because it is none or can mean two; there is no timestamp then."""


def parse(raw: bytes, path: str) -> Header:
    """Read the bytes of a header file.

    Lenient where files in the field are: blank lines anywhere, comments before
    the record line, numbers left out at the end of a line, a time of day and a
    date in either order, an unreadable time or date (dropped).

    Raises:
        FormatError: with file and line, when a line does not say what header(5) asks for.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    text = text.removeprefix("\ufeff")
    lines: list[tuple[int, str]] = []
    comments: list[str] = []
    for number, untrimmed in enumerate(text.split("\n"), 1):
        line = untrimmed.strip("\0").strip()
        if not line:
            continue
        if line[0] == "#":
            comments.append(line.strip("# \t"))
        else:
            lines.append((number, line))
    if not lines:
        raise FormatError(f"{path} holds no record line; a WFDB header begins with the record's name and signal count.")
    return _assemble(lines, comments, path)


def _assemble(lines: list[tuple[int, str]], comments: list[str], path: str) -> Header:
    number, line = lines[0]
    tokens = line.split()
    where = (path, number)
    name, n_segments = _name(tokens[0], path)
    n_signals = _count(tokens[1] if len(tokens) > 1 else "", "number of signals", where)
    fs = _frequency(tokens[2]) if len(tokens) > 2 else _DEFAULT_FS
    if fs is None:
        raise FormatError(
            f"{path}, line {number}: the sampling frequency is {tokens[2][:40]!r}; "
            "expected Hz above 0, such as 250 or 250/360."
        )
    fs_source = "header" if len(tokens) > 2 else "default"
    n_frames = None
    rest = tokens[3:]
    if rest and (rest[0].isdigit() or (":" not in rest[0] and not _is_date(rest[0]))):
        # 0 means "not said", as does nothing.
        n_frames = _count(rest[0], "number of samples", where) or None
        rest = rest[1:]
    timestamp, base_time, unread = _moment(rest) if rest else (None, None, None)
    signals: tuple[Signal, ...] = ()
    segments: tuple[Segment, ...] = ()
    if n_segments:
        n = _count(n_segments, "number of segments", where)
        _enough(n, "segment", lines, path)
        segments = tuple([_segment(text, (path, at)) for at, text in lines[1 : n + 1]])
    else:
        _enough(n_signals, "signal", lines, path)
        signals = tuple([_signal(text, i, at, path) for i, (at, text) in enumerate(lines[1 : n_signals + 1])])
    return Header(name, fs, n_frames, timestamp, base_time, signals, segments, tuple(comments), fs_source, unread)


def _name(token: str, path: str) -> tuple[str, str]:
    """Return the name of a record and its number of segments, empty for a plain one.

    A name may have folders (PTB-XL+: ``records500/00000/00001_hr``). What is
    behind the last ``/`` is the number of segments, unless it is not a number, or
    is the name of the header itself.
    """
    name, _, last = token.rpartition("/")
    if name and not (last.isdigit() and not path.removesuffix(".hea").endswith((f"/{last}", f"\\{last}"))):
        return token, ""
    return (name, last) if name else (token, "")


def _enough(n: int, kind: str, lines: list[tuple[int, str]], path: str) -> None:
    if len(lines) - 1 < n:
        raise FormatError(
            f"{path} says that it has {n} {kind}s, but only {len(lines) - 1} {kind} lines follow. "
            "The header was cut short; fetch it again."
        )


def _count(token: str, what: str, where: tuple[str, int]) -> int:
    if not (token.isascii() and token.isdigit() and len(token) < 19):
        path, number = where
        raise FormatError(
            f"{path}, line {number}: the {what} is {token[:40]!r}; expected a whole number that is not negative."
        )
    return int(token)


@lru_cache(maxsize=1024)
def _frequency(token: str) -> float | None:
    match = _FS.fullmatch(token) if len(token) < 80 else None
    fs = float(match[1]) if match else 0.0
    return fs if 0.0 < fs < 1e9 else None


@lru_cache(maxsize=1024)
def _format(token: str) -> tuple[int, int, int, int] | None:
    match = _FMT.fullmatch(token) if len(token) < 40 else None
    if match is None:
        return None
    fmt, per_frame, skew, offset = (int(v) if v else 0 for v in match.groups())
    if max(fmt, per_frame, skew) >= 2**31 or offset >= 2**53:
        return None
    return fmt, (1 if match[2] is None else per_frame), skew, offset


@lru_cache(maxsize=4096)
def _gain(token: str) -> tuple[float, int | None, str] | None:
    match = _GAIN.fullmatch(token) if len(token) < 80 else None
    if match is None:
        return None
    return float(match[1]), (int(match[2]) if match[2] else None), match[3] or "mV"


@lru_cache(maxsize=8192)
def _kind(form: str, calibration: str | None, zero: int, name: str) -> Kind | None:
    """Return the kind of a signal by the words of its line; ``None`` when they do not describe a signal."""
    shape = _format(form)
    if shape is None:
        return None
    gain, baseline, units = (_gain(calibration) if calibration is not None else None) or (0.0, None, "mV")
    if not math.isfinite(gain) or (baseline is not None and abs(baseline) >= 2**53):
        return None
    return Kind(
        *shape,
        gain=gain if gain != 0.0 else _DEFAULT_GAIN,
        calibrated=gain != 0.0,
        baseline=zero if baseline is None else baseline,
        units=units,
        name=name,
    )


def _signal(line: str, index: int, number: int, path: str) -> Signal:
    tokens = line.split(None, 8)
    calibration = tokens[2] if len(tokens) > 2 and _gain(tokens[2]) is not None else None
    at = 2 if calibration is None else 3
    (_, zero, initial, checksum, _), description = _numbers(tokens[at:], line, at)
    if _DAMAGED_GAIN.match(description):
        raise FormatError(
            f"{path}, line {number}: the gain {description.split()[0][:40]!r} is not written as header(5) says; "
            "expected a number, a whole baseline in brackets and a unit, such as '200', '200/mV' or '200(-5)/uV'."
        )
    kind = _kind(tokens[1], calibration, zero or 0, description or f"signal {index}") if len(tokens) > 1 else None
    if kind is None:
        raise FormatError(
            f"{path}, line {number}: {line[:80]!r} is not a signal line; "
            "expected a file name, a format and a finite gain, as in '100.dat 212 200(0)/mV 11 1024 995 -22131 0 MLII'."
        )
    return Signal(tokens[0], kind, (zero or 0) if initial is None else initial, checksum or None)


def _numbers(tokens: list[str], line: str, at: int) -> tuple[list[int | None], str]:
    """Return resolution, zero, initial value, checksum and block size, and the description after them.

    What is left out is ``None``; the first word that is not a number begins the
    description (some writers leave out numbers in the middle).
    """
    numbers: list[int | None] = []
    for token in tokens[:5]:
        try:
            value = int(token)
        except ValueError:
            break
        if abs(value) >= 2**53:
            break
        numbers.append(value)
    found = len(numbers)
    description = ""
    if len(tokens) > found:
        rest = line.split(None, at + found)
        description = rest[-1].strip()
    return numbers + [None] * (5 - found), description


def _segment(line: str, where: tuple[str, int]) -> Segment:
    tokens = line.split()
    if len(tokens) < 2:
        raise FormatError(
            f"{where[0]}, line {where[1]}: {line[:80]!r} is not a segment line; "
            "expected a record name and its sample count."
        )
    return Segment(tokens[0], _count(tokens[1], "number of samples", where))


_USUAL_MOMENT = re.compile(r"(\d\d?):(\d\d):(\d\d) +(\d\d?)/(\d\d?)/(\d{4})", re.ASCII)


def _moment(tokens: list[str]) -> tuple[datetime | None, time | None, str | None]:
    """Return date and time of day, and a word that is neither; in CinC 2017 as first published the two are swapped.

    With a word that is neither ("PM", or a time with dots) there is no date, because it might be hours wrong.
    """
    usual = _USUAL_MOMENT.fullmatch(" ".join(tokens))
    if usual:
        hour, minute, second, day, month, year = map(int, usual.groups())
        if hour < 24 and minute < 60 and second < 60 and 0 < day <= 28 and 0 < month <= 12 and year:
            return datetime(year, month, day, hour, minute, second), None, None  # noqa: DTZ001 -- the format has none
    at: time | None = None
    on: date | None = None
    for token in tokens:
        if on is None and _is_date(token):
            on = _day(token)
            unread = on is None
        else:
            unread = at is not None or (at := _time(token)) is None
        if unread:
            return None, at, token
    if on is None:
        return None, at, None
    return datetime.combine(on, at or time()), None, None


def _is_date(token: str) -> bool:
    return "/" in token or bool(written_dates(token.strip("[]")))


def _time(token: str) -> time | None:
    parts = token.strip("[]").split(":")
    try:
        seconds = float(parts[-1])
        minute = int(parts[-2]) if len(parts) > 1 else 0
        hour = int(parts[-3]) if len(parts) > 2 else 0
        whole = math.floor(seconds)
        return time(hour, minute, whole, min(round((seconds - whole) * 1e6), 999999))
    except (ValueError, OverflowError):
        return None


def _day(token: str) -> date | None:
    """Return a date: dd/mm/yyyy, as header(5) says, mm/dd/yyyy where only that is one, or what is plain otherwise."""
    token = token.strip("[]")
    found = written_dates(token)
    # header(5) settles which of the two dates with strokes is meant; of 05-06-2020 it cannot be told.
    return found[0] if found and ("/" in token or len(found) == 1) else None
