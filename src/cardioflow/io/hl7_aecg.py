"""HL7 annotated ECG (aECG, ANSI/HL7 V3 ECG R1-2004), which the FDA takes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, final
from xml.etree.ElementTree import Element

from cardioflow.errors import FormatError
from cardioflow.io._hl7.annotations import Findings, read_findings
from cardioflow.io._hl7.sequences import Clock, read_set
from cardioflow.io._join_words import join_words
from cardioflow.io._marks import annotation_of, with_owners
from cardioflow.io._person import person_meta, sex_letter, unsigned, years, years_between
from cardioflow.io._record import Waveform, make_record
from cardioflow.io._source import naming
from cardioflow.io._time import day, moment
from cardioflow.io._timeline import join_waves
from cardioflow.io._xml import number, parse_xml, root_name, text
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["Hl7Aecg"]

_SUBJECT = "componentOf/timepointEvent/componentOf/subjectAssignment/subject/trialSubject"
_DEVICE = "author/seriesAuthor"
_FILTERS = {
    "MDC_ECG_CTL_VBL_ATTR_FILTER_HIGH_PASS": "highpass_hz",
    "MDC_ECG_CTL_VBL_ATTR_FILTER_LOW_PASS": "lowpass_hz",
    "MDC_ECG_CTL_VBL_ATTR_FILTER_NOTCH": "notch_hz",
}
_AGE_UNITS = {"a": "Y", "mo": "M", "wk": "W", "d": "D", "h": "H"}


@final
class Hl7Aecg(Format):
    """HL7 annotated ECG.

    Read: the rhythm series (``Hl7Aecg(series="REPRESENTATIVE_BEAT")`` reads a derived one) with all its sequence
    sets on one time line, NaN where a lead was not recorded; SLIST_PQ as digits × scale + origin in any voltage;
    times absolute (GLIST_TS) or relative (GLIST_PQ); leads by MDC code; P, QRS and T waves as onset and end marks
    with ``num`` 0, 1, 2, for all leads or one; rhythm as a ``+`` mark; measurements of the series or its derived
    series; filters; age, sex, time with zone, device.

    Not read: wave types inside a QRS (Q, R, S), measurements of single beats, several series beyond the first of the
    kind, relations between drug and time point. Free text on the subject is left out.

    Checked on the example of the implementation guide (Mortara ELI 250) and an FDA file: Einthoven and Goldberger
    hold among the 12 stored leads to the steps; the P, QRS, T marks against the intervals in the file; every sample
    against the SCP-ECG file of the same recording.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".xml", ".aecg")

    def __init__(self, series: str = "RHYTHM") -> None:
        self.series = series

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return root_name(head) == "AnnotatedECG"

    def read(self, path: Path, request: ReadRequest) -> Record:
        with naming(path):
            root = parse_xml(path, "AnnotatedECG", "an HL7 aECG")
            outer, series = self._series(root)
            clock, wave = _read_series(series)
            found = read_findings(series, clock, wave.fs, wave.names)
            meta = {**_meta(root, outer, clock, request), **_filters(outer), **_said(outer, series, found, request)}
            marks = with_owners(annotation_of(found.marks), len(wave.names), wave.fs, stated=True)
            return make_record(wave, request, meta, marks)

    def _series(self, root: Element) -> tuple[Element, Element]:
        """Return the series that is recorded, and the one to read: the same, or derived from it."""
        kinds = []
        for outer in root.findall("component/series"):
            for series in (outer, *outer.findall("derivation/derivedSeries")):
                code = series.find("code")
                kinds.append((code.get("code") or "") if code is not None else "")
                if kinds[-1] == self.series:
                    return outer, series
        raise FormatError(f"holds no series {self.series!r}; it has {kinds}.")


def _read_series(series: Element) -> tuple[Clock, Waveform]:
    sets = [read_set(element) for element in series.findall("component/sequenceSet")]
    if not sets:
        raise FormatError("holds a series without a sequence set, and so no signal.")
    first = min((clock for clock, _ in sets), key=lambda c: (c.at is not None, str(c.at), c.seconds))
    begins = []
    for clock, _ in sets:
        moved = clock.seconds - first.seconds
        if clock.at is not None and first.at is not None and (clock.at.tzinfo is None) == (first.at.tzinfo is None):
            moved += (clock.at - first.at).total_seconds()
        begins.append(moved)
    written = sum(len(digits.text or "") for digits in series.iter("digits"))
    return first, join_waves(list(zip(begins, [wave for _, wave in sets], strict=True)), written)


def _said(outer: Element, series: Element, found: Findings, request: ReadRequest) -> dict[str, Any]:
    """Return statements and measurements: of the series itself, or of what was derived from it."""
    measurements = dict(found.measurements)
    statements = list(found.statements)
    for derived in outer.findall("derivation/derivedSeries"):
        if derived is not series:
            more = read_findings(derived, Clock(None, 0.0), 0.0, ())
            measurements = {**more.measurements, **measurements}
            statements.extend(more.statements)
    return {"comments": unsigned(dict.fromkeys(statements), request), "measurements": measurements}


def _meta(root: Element, series: Element, clock: Clock, request: ReadRequest) -> dict[str, Any]:
    subject = root.find(_SUBJECT)
    person = subject.find("subjectDemographicPerson") if subject is not None else None
    at = clock.at or _effective(series) or _effective(root)
    birth = day(_attribute(person, "birthTime", "value"))
    device = (
        text(series, f"{_DEVICE}/manufacturerOrganization/name"),
        text(series, f"{_DEVICE}/manufacturedSeriesDevice/manufacturerModelName"),
    )
    name = person.find("name") if person is not None else None
    return {
        "age": _age(root, birth, at),
        "sex": sex_letter(_attribute(person, "administrativeGenderCode", "code")),
        "timestamp": at,
        "device": join_words(*device),
        **person_meta(
            request,
            name=" ".join("".join(name.itertext()).split()) or None if name is not None else None,
            patient_id=_attribute(subject, "id", "extension") or _attribute(subject, "id", "root"),
            birth_date=birth,
        ),
    }


def _age(root: Element, birth: Any, at: datetime | None) -> int | float | None:
    for observation in root.iter("relatedObservation"):
        value = observation.find("value")
        # LOINC 21612-7 is the reported age, 30525-0 the age, 29553-5 the calculated one.
        is_age = _attribute(observation, "code", "code") in ("21612-7", "30525-0", "29553-5")
        # An age not known has no value, but a nullFlavor.
        if is_age and value is not None and value.get("value"):
            return years(number(value.get("value"), "the age"), _AGE_UNITS.get(value.get("unit") or "a", ""))
    return years_between(birth, at)


def _effective(element: Element) -> datetime | None:
    found = (moment(_attribute(element, f"effectiveTime/{name}", "value")) for name in ("low", "center"))
    return next((at for at in found if at is not None), None) or moment(_attribute(element, "effectiveTime", "value"))


def _filters(series: Element) -> dict[str, float | None]:
    found: dict[str, float | None] = dict.fromkeys(_FILTERS.values())
    for variable in series.findall("controlVariable/controlVariable"):
        name = _FILTERS.get(_attribute(variable, "code", "code") or "")
        for part in variable.findall("component/controlVariable"):
            value = part.find("value")
            if name and value is not None and value.get("unit") == "Hz":
                found[name] = number(value.get("value"), name)
    return found


def _attribute(element: Element | None, child: str, name: str) -> str | None:
    found = element.find(child) if element is not None else None
    return (found.get(name) or "").strip() or None if found is not None else None
