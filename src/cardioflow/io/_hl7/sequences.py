"""Sequence sets of an aECG: one sequence of time, and one of values per lead."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.units import millivolts_per
from cardioflow.errors import FormatError
from cardioflow.io._leadcodes import lead_number, name_by_code
from cardioflow.io._record import Waveform
from cardioflow.io._time import moment
from cardioflow.io._xml import number, numbers, text

__all__ = ["Clock", "read_set"]

_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "min": 60.0, "h": 3600.0}


class Clock(NamedTuple):
    """When the first sample was taken: at a moment, or so many seconds after the series began."""

    at: datetime | None
    seconds: float

    def seconds_of(self, boundary: Element | None) -> float | None:
        """Return when a ``low``, ``high`` or ``center`` is, in seconds from the first sample."""
        if boundary is None:
            return None
        if boundary.get("unit"):
            return seconds(boundary, "a boundary") - self.seconds
        when = moment(boundary.get("value"))
        if when is None or self.at is None or (when.tzinfo is None) != (self.at.tzinfo is None):
            return None
        return (when - self.at).total_seconds()


def read_set(element: Element) -> tuple[Clock, Waveform]:
    """Decode one ``sequenceSet``: values are digits × scale + origin, in the units of each."""
    clock, fs = None, 0.0
    rows: list[NDArray[np.float32]] = []
    names: list[str] = []
    units: list[str] = []
    steps: list[float] = []
    for sequence in element.findall("component/sequence"):
        code, value = _attribute(sequence, "code", "code"), sequence.find("value")
        if value is None:
            raise FormatError(f"holds a sequence {code!r} without a value.")
        if code.startswith("TIME_"):
            clock, fs = _time(value)
            continue
        row, unit, step = _values(value, code)
        rows.append(row)
        steps.append(step)
        names.append(name_by_code(lead_number("MDC", code), code))
        units.append(unit)
    if clock is None:
        raise FormatError("holds a sequence set without a sequence of time; expected TIME_ABSOLUTE or TIME_RELATIVE.")
    if len({row.size for row in rows}) > 1:
        sizes = ", ".join(f"{name} {row.size}" for name, row in zip(names, rows, strict=True))
        raise FormatError(f"holds sequences with different lengths in one set: {sizes}.")
    signal = np.stack(rows) if rows else np.empty((0, 0), np.float32)
    return clock, Waveform(signal, fs, tuple(names), tuple(units), tuple(steps) if all(steps) else ())


def _time(value: Element) -> tuple[Clock, float]:
    """Return the clock and the rate of a GLIST_TS (moments) or GLIST_PQ (seconds)."""
    head, increment = value.find("head"), value.find("increment")
    if head is None or increment is None:
        raise FormatError(f"gives its times as {value.get('type')!r}; expected GLIST_TS or GLIST_PQ.")
    step = seconds(increment, "the increment of time")
    if step <= 0:
        raise FormatError(f"gives {step:g} s from sample to sample; expected more than 0.")
    # 1/0.002 is exact enough, 1/0.003 is not what a device samples with: nine digits keep both.
    fs = float(f"{1 / step:.9g}")
    if head.get("unit"):
        return Clock(None, seconds(head, "the head of time")), fs
    return Clock(moment(head.get("value")), 0.0), fs


def seconds(quantity: Element, what: str) -> float:
    """Return a quantity of time (``value``, ``unit``) in seconds."""
    factor = _SECONDS.get(quantity.get("unit") or "s")
    if factor is None:
        raise FormatError(f"gives {what} in {quantity.get('unit')!r}; expected one of {sorted(_SECONDS)}.")
    return number(quantity.get("value"), what) * factor


def _values(value: Element, code: str) -> tuple[NDArray[np.float32], str, float]:
    """Return the samples of a SLIST_PQ, or of a SLIST_INT, which has no unit; the unit; the step, 0 where none fits."""
    digits = numbers(text(value, "digits") or "", f"the digits of {code}")
    if value.find("scale") is None:
        return digits.astype(np.float32), "adu", 0.0
    unit = _attribute(value, "scale", "unit")
    if not unit:
        raise FormatError(f"gives {code} a scale without a unit; expected one such as uV.")
    scale = number(_attribute(value, "scale", "value"), f"the scale of {code}")
    if scale == 0:
        raise FormatError(f"gives {code} the scale 0, which leaves no signal.")
    per_unit = millivolts_per(unit)
    factor = 1.0 if per_unit is None else per_unit
    origin, of_origin = 0.0, factor
    if value.find("origin") is not None:
        origin = number(_attribute(value, "origin", "value") or "0", f"the origin of {code}")
        of_origin = millivolts_per(_attribute(value, "origin", "unit")) or factor
    step = scale * factor
    is_whole = per_unit is not None and origin == 0 and bool((digits == np.rint(digits)).all())
    signal = (digits * step + origin * of_origin).astype(np.float32)
    return signal, "mV" if per_unit else unit, step if is_whole else 0.0


def _attribute(element: Element, child: str, name: str) -> str:
    found = element.find(child)
    return (found.get(name) or "").strip() if found is not None else ""
