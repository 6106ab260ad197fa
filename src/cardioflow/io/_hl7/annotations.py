"""Annotation sets of an aECG: rhythm, waves, measurements and statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element

from cardioflow.io._hl7.sequences import Clock
from cardioflow.io._leadcodes import lead_number, name_by_code
from cardioflow.io._marks import OFFSET, ONSET, Mark
from cardioflow.io._xml import number, text

__all__ = ["Findings", "read_findings"]

_WAVES = {"MDC_ECG_WAVC_PWAVE": 0, "MDC_ECG_WAVC_QRSWAVE": 1, "MDC_ECG_WAVC_TWAVE": 2}
_PEAKS = ("p", "N", "t")
_MEASURED = {
    "MDC_ECG_HEART_RATE": "ventricular_rate",
    "MDC_ECG_TIME_PD_RR": "rr_ms",
    "MDC_ECG_TIME_PD_P": "p_ms",
    "MDC_ECG_TIME_PD_PR": "pr_ms",
    "MDC_ECG_TIME_PD_PQ": "pr_ms",
    "MDC_ECG_TIME_PD_QRS": "qrs_ms",
    "MDC_ECG_TIME_PD_QT": "qt_ms",
    "MDC_ECG_TIME_PD_QTC": "qtc_ms",
    "MDC_ECG_TIME_PD_QTCB": "qtc_ms",
    "MDC_ECG_ANGLE_P_FRONT": "p_axis",
    "MDC_ECG_ANGLE_QRS_FRONT": "qrs_axis",
    "MDC_ECG_ANGLE_T_FRONT": "t_axis",
}
_MS = {"ms": 1.0, "s": 1000.0, "us": 0.001}


class Findings(NamedTuple):
    """What was said about a series."""

    statements: list[str]
    measurements: dict[str, float]
    marks: list[Mark]
    """``channel`` counts the leads from 1; 0 is all of them."""


def read_findings(series: Element, clock: Clock, fs: float, leads: Sequence[str]) -> Findings:
    """Read the annotation sets of a series; marks are placed by ``clock``."""
    found = Findings([], {}, [])
    for annotation in series.findall("subjectOf/annotationSet/component/annotation"):
        _tell(annotation, found)
        for part in _deep(annotation):
            found.marks.extend(_marks(part, clock, fs, leads))
    return found


def _deep(annotation: Element) -> Iterator[Element]:
    yield annotation
    for part in annotation.findall("component/annotation"):
        yield from _deep(part)


def _tell(annotation: Element, found: Findings) -> None:
    """Take what an annotation says of the whole series: a measurement, a rhythm, a statement."""
    code, value = _code(annotation, "code"), annotation.find("value")
    if value is None:
        return
    if value.get("type") == "PQ" and value.get("value") is not None:
        name = _MEASURED.get(code.upper(), code)
        factor = _MS.get(value.get("unit") or "", 1.0) if name.endswith("_ms") else 1.0
        found.measurements.setdefault(name, number(value.get("value"), code) * factor)
    elif code == "MDC_ECG_RHY" or "INTERPRETATION" in code:
        said = value.get("displayName") or text(value, ".") or value.get("code")
        if said:
            found.statements.append(said)
    for part in annotation.findall("component/annotation"):
        # An interpretation holds its statements inside; a beat holds measurements of that beat alone.
        if "INTERPRETATION" in code:
            _tell(part, found)


def _marks(annotation: Element, clock: Clock, fs: float, leads: Sequence[str]) -> list[Mark]:
    kind = _code(annotation, "value")
    is_rhythm = _code(annotation, "code") == "MDC_ECG_RHY"
    if kind not in _WAVES and not is_rhythm:
        return []
    boundary, channel = None, 0
    for item in annotation.findall("support/supportingROI/component/boundary"):
        code = _code(item, "code")
        if code.startswith("TIME_"):
            boundary = item.find("value")
        elif (name := name_by_code(lead_number("MDC", code), code)) in leads:
            channel = leads.index(name) + 1
    if boundary is None:
        return []
    places = [(name, clock.seconds_of(boundary.find(name))) for name in ("low", "center", "high")]
    rhythm = _name(annotation)
    if is_rhythm:
        return [Mark(_sample(at, fs), "+", rhythm, 0, channel) for name, at in places if name == "low" and _is(at)]
    wave = _WAVES[kind]
    symbols = {"low": ONSET, "center": _PEAKS[wave], "high": OFFSET}
    return [Mark(_sample(at, fs), symbols[name], "", wave, channel) for name, at in places if _is(at)]


def _is(at: float | None) -> bool:
    # A century is beyond any recording and within what an index can be.
    return at is not None and 0 <= at < 3.2e9


def _sample(at: float | None, fs: float) -> int:
    return round((at or 0.0) * fs)


def _name(annotation: Element) -> str:
    value = annotation.find("value")
    return "" if value is None else value.get("displayName") or value.get("code") or ""


def _code(element: Element, child: str) -> str:
    found = element.find(child)
    return (found.get("code") or "") if found is not None else ""
