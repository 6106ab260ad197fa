"""Measurements as they are written, with their range and the device's value beside them."""

from __future__ import annotations

from typing import Final, NamedTuple

from cardioflow.analysis.measure.results import UNITS
from cardioflow.report.page.examination import Examination, step_of, verdict_on
from cardioflow.report.page.ranges import Range

__all__ = ["SHOWN", "Row", "rows_of", "written"]

SHOWN: Final = (
    "heart_rate", "rr", "p", "pr", "qrs", "qt", "qtc_bazett", "qtc_fridericia", "qtc_framingham", "qtc_hodges", "t",
    "p_axis", "qrs_axis", "t_axis",
)  # fmt: skip


class Row(NamedTuple):
    """A measurement in words."""

    name: str
    value: str
    """Empty where it was not measured."""
    reason: str
    range: str
    verdict: str
    """``"below"``, ``"within"``, ``"above"``, or empty where there is no value or no range."""
    device: str
    difference: str
    """Ours less the device's."""


def written(name: str, value: float) -> str:
    """Return a value with its unit: times in ms, rates per minute, angles in degrees."""
    return f"{_number(name, value)}{_unit(name)}"


def rows_of(seen: Examination) -> list[Row]:
    """Return the measurements in the order of the table."""
    found = []
    for name in SHOWN:
        value = seen.measured.whole[name]
        limits, device = seen.ranges.get(name), seen.device(name)
        known = value.known
        found.append(
            Row(
                name,
                written(name, value.value) if known else "",
                "" if known else value.reason,
                _range(name, limits) if limits else "",
                verdict_on(name, value.value, limits) if limits and known else "",
                "" if device is None else written(name, device),
                "" if device is None or not known else _difference(name, value.value - device),
            )
        )
    return found


def _difference(name: str, value: float) -> str:
    if name.endswith("_axis"):
        # Angles that lie on both sides of ±180° are close to each other.
        value = (value + 180.0) % 360.0 - 180.0
    size = _number(name, abs(value))
    sign = "" if size == "0" else "+" if value > 0 else "−"
    return f"{sign}{size}{_unit(name)}"


def _range(name: str, limits: Range) -> str:
    unit = _unit(name)
    if limits.low == float("-inf"):
        return f"≤ {_number(name, limits.high)}{unit}"
    return f"{_number(name, limits.low)} – {_number(name, limits.high)}{unit}"


def _number(name: str, value: float) -> str:
    shown = f"{value / step_of(name):.0f}"
    shown = "0" if shown == "-0" else shown
    return shown.replace("-", "−")


def _unit(name: str) -> str:
    return {"s": " ms", "1/min": " /min", "°": "°"}[UNITS[name]]
