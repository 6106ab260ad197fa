"""Sections 1, 7 and 8: patient, time and device; measurements; statements."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any, Literal

from cardioflow.io._join_words import join_words
from cardioflow.io._person import person_meta, sex_letter, unsigned, years, years_between
from cardioflow.io._scp.sections import Sections
from cardioflow.io._source import Cursor
from cardioflow.io.base import ReadRequest

__all__ = ["read_measurements", "read_metadata", "read_statements"]

_AGE_UNITS = {0: "Y", 1: "Y", 2: "M", 3: "W", 4: "D", 5: "H"}
_PLACEMENTS = {1: "standard", 2: "mason-likar", 3: "mason-likar individual", 4: "one pad", 5: "all leads from xyz"}
# Stands for a value that was not measured (clause 5.10.3).
_NOT_MEASURED = 29999
_NOT_VALID = 19999


def read_metadata(sections: Sections, request: ReadRequest) -> dict[str, Any]:
    """Return the metadata of section 1."""
    tags = _tags(sections.cursor(1))
    at = _moment(tags, "big" if sections.healforce else "little")
    birth = _date(tags.get(5, b""))
    name = (_text(tags.get(1)), _text(tags.get(0)), _text(tags.get(3)))
    return {
        "age": _age(tags.get(4, b"")) if tags.get(4) else years_between(birth, at),
        "sex": sex_letter({1: "M", 2: "F"}.get(_number(tags.get(8)), "")),
        "timestamp": at,
        "device": _device(tags.get(14, b"")),
        # 0 means no filter, or an unknown one.
        "highpass_hz": _number(tags.get(27)) / 100 or None,
        "lowpass_hz": float(_number(tags.get(28))) or None,
        "electrode_placement": _PLACEMENTS.get((tags.get(33) or b"\0")[0]),
        **person_meta(
            request,
            name=join_words(*name),
            patient_id=_text(tags.get(2)),
            birth_date=birth,
            institution=_text(tags.get(16)),
            free_text=_text(tags.get(30)),
        ),
    }


def _tags(cursor: Cursor | None) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while cursor is not None and cursor.left >= 3:
        tag, length = cursor.u8(), cursor.u16()
        if tag == 255:
            break
        # Only the first entry of a tag that may be repeated (drugs, diagnoses) is kept.
        found.setdefault(tag, cursor.take(length))
    return found


def _text(raw: bytes | None) -> str | None:
    text = (raw or b"").split(b"\0")[0].decode("latin-1")
    return "".join(letter for letter in text if letter.isprintable()).strip() or None


def _number(raw: bytes | None) -> int:
    return int.from_bytes((raw or b"")[:2], "little")


def _date(raw: bytes, order: Literal["little", "big"] = "little") -> date | None:
    try:
        return date(int.from_bytes(raw[:2], order), raw[2], raw[3])
    except (IndexError, ValueError):
        return None


def _moment(tags: dict[int, bytes], order: Literal["little", "big"]) -> datetime | None:
    day, clock, zone = _date(tags.get(25, b""), order), tags.get(26, b""), tags.get(34, b"")
    if day is None:
        return None
    try:
        at = datetime(day.year, day.month, day.day, *clock[:3])  # noqa: DTZ001 -- the zone follows, if any
        minutes = int.from_bytes(zone[:2], "little", signed=True) if len(zone) >= 2 else None
        # 0x7FFF means that the zone is unknown.
        return at if minutes in (None, 0x7FFF) else at.replace(tzinfo=timezone(timedelta(minutes=minutes or 0)))
    except ValueError:
        return None


def _age(raw: bytes) -> int | float | None:
    return years(float(_number(raw)), _AGE_UNITS.get(raw[2], "")) if len(raw) >= 3 and _number(raw) else None


def _device(raw: bytes) -> str | None:
    """Return maker and model from tag 14: the model in bytes 9 to 14, the maker as the fifth text from byte 37 on."""
    model = _text(raw[8:14])
    texts = raw[36:].split(b"\0")
    maker = _text(texts[4]) if len(texts) > 4 else None
    return join_words(maker, model)


def read_measurements(sections: Sections) -> dict[str, float]:
    """Return the global measurements of section 7: intervals in milliseconds, axes in degrees."""
    cursor = sections.cursor(7)
    if cursor is None or cursor.left < 22:
        return {}
    count, spikes, rr, pp = cursor.u8(), cursor.u8(), cursor.u16(), cursor.u16()
    found: dict[str, float | None] = {"rr_ms": _valid(rr), "pp_ms": _valid(pp)}
    if count:
        p_on, p_off, qrs_on, qrs_off, t_off = (_valid(cursor.u16()) for _ in range(5))
        for name in ("p_axis", "qrs_axis", "t_axis"):
            angle = cursor.i16()
            found[name] = float(angle) if abs(angle) <= 180 else None
        spans = {"p_ms": (p_on, p_off), "pr_ms": (p_on, qrs_on), "qrs_ms": (qrs_on, qrs_off), "qt_ms": (qrs_on, t_off)}
        for name, (begin, end) in spans.items():
            found[name] = end - begin if begin is not None and end is not None else None
        _rates(cursor, 16 * (count - 1) + 10 * spikes, found)
    return {name: value for name, value in found.items() if value is not None}


def _rates(cursor: Cursor, skipped: int, found: dict[str, float | None]) -> None:
    """Read the rates after the blocks of single beats and pacemaker spikes, if the section is long enough."""
    if cursor.left < skipped + 2:
        return
    cursor.take(skipped)
    types = cursor.u16()
    if cursor.left < types + 6:
        return
    cursor.take(types)
    for name in ("ventricular_rate", "atrial_rate", "qtc_ms"):
        found[name] = _valid(cursor.u16())


def _valid(value: int) -> float | None:
    return None if value in (0, _NOT_MEASURED, _NOT_VALID, 999) else float(value)


def read_statements(sections: Sections, request: ReadRequest) -> tuple[str, ...]:
    """Return the statements of section 8."""
    cursor = sections.cursor(8)
    if cursor is None or cursor.left < 9:
        return ()
    cursor.take(8)
    found = []
    for _ in range(cursor.u8()):
        if cursor.left < 3:
            break
        cursor.u8()
        found.append(_text(cursor.take(cursor.u16())) or "")
    return unsigned(found, request)
