"""Answers as FHIR R4: a DiagnosticReport with the Observations that it rests on.

R5 differs in the following: ``DiagnosticReport.note`` exists only there, and in
``SampledData`` R5 has ``interval`` and ``intervalUnit`` where R4 has ``period``
in milliseconds. Both versions read what is written here, which has neither.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from cardioflow.bundle.description import BundleDescription
from cardioflow.bundle.predictions import RecordPrediction

__all__ = ["diagnostic_report"]

_DATE: Final = re.compile(r"\d{4}(-\d{2}){0,2}(?![\d.:/])")
_LOINC: Final = "http://loinc.org"
_UCUM: Final = "http://unitsofmeasure.org"
_ABSENT: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_ABSENCE: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
_VITAL: Final = {"coding": [{"system": _CATEGORY, "code": "vital-signs", "display": "Vital Signs"}]}
_SERVICE: Final = "http://terminology.hl7.org/CodeSystem/v2-0074"
_INTERVALS: Final = {
    "pr": ("8625-6", "P-R Interval"),
    "qrs": ("8633-0", "QRS duration"),
    "qt": ("8634-8", "Q-T interval"),
}


def diagnostic_report(
    answer: RecordPrediction, described: BundleDescription, person: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return a ``DiagnosticReport`` of FHIR R4 (4.0.1) as JSON values.

    Its status is ``preliminary``, because it has not been reviewed. Observations are contained: probabilities as
    components of one of the classification, the heart rate from beats, intervals from waves. A record that cannot be
    judged has ``dataAbsentReason`` with the reason as text. Free text of the file and its name are never given.

    Args:
        answer: The answer for one record.
        described: The bundle that gave it.
        person: ``name``, ``patient_id``, ``birth_date``, ``timestamp``, where they were asked for; a contained
            ``Patient`` is then the subject.
    """
    known = person or {}
    subject = _patient(known)
    at = _date(known.get("timestamp", ""))
    common = {"effectiveDateTime": at} if at else {}
    of: dict[str, Any] = {"subject": {"reference": "#patient"}} if subject else {}
    observations = [
        {**own, "id": f"o{number}", **common, **of} for number, own in enumerate(_observations(answer, described), 1)
    ]
    for own in observations:
        if _VITAL in own["category"]:
            _say_what_is_left_out(own, "unknown" if known else "masked")
    report: dict[str, Any] = {
        "resourceType": "DiagnosticReport",
        "status": "preliminary",
        "category": [
            {"coding": [{"system": _SERVICE, "code": "EC", "display": "Electrocardiac (e.g., EKG, EEC, Holter)"}]}
        ],
        "code": {"coding": [{"system": _LOINC, "code": "11524-6", "display": "EKG study"}]},
        "contained": [*([subject] if subject else []), *observations],
        "result": [{"reference": f"#{own['id']}"} for own in observations],
        "conclusion": _conclusion(answer, described),
        **common,
        **of,
    }
    return report


def _observations(answer: RecordPrediction, described: BundleDescription) -> list[dict[str, Any]]:
    if not answer.judged:
        return [_observation(_named(described), described) | _absent(_reasons(answer))]
    found: list[dict[str, Any]] = []
    if answer.probabilities or answer.labels:
        found.append(_classification(answer, described))
    if answer.values:
        components = [
            {"code": {"text": f"value {i}"}} | _number(value, {"value": value}) for i, value in enumerate(answer.values)
        ]
        found.append(_observation(_named(described), described) | {"component": components})
    if answer.beats is not None:
        found.append(_heart_rate(answer.beats.rr_s, described))
    if answer.waves is not None:
        found += _of_waves(answer, described)
    return found


def _heart_rate(rr_s: Any, described: BundleDescription) -> dict[str, Any]:
    """Return the heart rate by the profile ``heartrate`` of R4, which holds for whatever has this code of LOINC."""
    rate = _rate(rr_s)
    value = (
        _absent("Fewer than two beats were found.")
        if rate is None
        else {"valueQuantity": _quantity(rate, "beats/minute", "/min")}
    )
    made = _observation(_coded("8867-4", "Heart rate"), described)
    return made | {"category": [_VITAL, *made["category"]]} | value


def _say_what_is_left_out(observation: dict[str, Any], reason: str) -> None:
    """Give the reason for a missing subject and time, which the profiles of vital signs require."""
    absent = {"extension": [{"url": _ABSENCE, "valueCode": reason}]}
    observation.setdefault("subject", absent)
    if "effectiveDateTime" not in observation:
        observation["_effectiveDateTime"] = absent


def _classification(answer: RecordPrediction, described: BundleDescription) -> dict[str, Any]:
    made = _observation(_named(described), described)
    text = "; ".join(described.meanings.get(label, label) for label in answer.labels) or "none of the labels"
    coding = [{"code": label, "display": described.meanings.get(label, label)} for label in answer.labels]
    made["valueCodeableConcept"] = {"text": text} | ({"coding": coding} if coding else {})
    made["component"] = [
        {"code": {"text": f"Probability of {described.meanings.get(label, label)}", "coding": [{"code": label}]}}
        | _number(p, _quantity(p, "1", "1", digits=6))
        for label, p in answer.probabilities.items()
    ]
    return made


def _of_waves(answer: RecordPrediction, described: BundleDescription) -> list[dict[str, Any]]:
    assert answer.waves is not None  # noqa: S101 -- asked by the caller
    whole, fs = answer.waves.whole, answer.waves.fs
    p, t = whole.p_of_beat(), whole.t_of_beat()
    has_p, has_t = p >= 0, t >= 0
    samples = {
        "pr": whole.qrs.onset[has_p] - whole.p.onset[p[has_p]],
        "qrs": whole.qrs.end - whole.qrs.onset,
        "qt": whole.t.end[t[has_t]] - whole.qrs.onset[has_t],
    }
    found = []
    for name, own in samples.items():
        made = _observation(_coded(*_INTERVALS[name]), described)
        value = (
            {"valueQuantity": _quantity(float(np.median(own)) * 1000 / fs, "ms", "ms", digits=1)}
            if len(own)
            else _absent("No beat shows both waves.")
        )
        found.append(made | value)
    return found


def _observation(code: dict[str, Any], described: BundleDescription) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "preliminary",
        "category": [{"coding": [{"system": _CATEGORY, "code": "procedure", "display": "Procedure"}]}],
        "code": code,
        "method": {"text": f"CardioFlow bundle {described.name} {described.release}"},
    }


def _named(described: BundleDescription) -> dict[str, Any]:
    return {"text": described.title or described.name}


def _coded(code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": _LOINC, "code": code, "display": display}], "text": display}


def _quantity(value: float, unit: str, code: str, *, digits: int = 1) -> dict[str, Any]:
    return {"value": round(value, digits), "unit": unit, "system": _UCUM, "code": code}


def _number(value: float, quantity: dict[str, Any]) -> dict[str, Any]:
    """Return the quantity, or where the value is NaN or infinite, which JSON does not have, that it is absent."""
    return {"valueQuantity": quantity} if math.isfinite(value) else _absent("The model gives no number.")


def _date(text: str) -> str:
    """Return the date that ``text`` begins with as FHIR writes it, or ``""`` for other notations."""
    found = _DATE.match(text)
    return found[0] if found else ""


def _absent(text: str) -> dict[str, Any]:
    return {
        "dataAbsentReason": {"coding": [{"system": _ABSENT, "code": "unknown", "display": "Unknown"}], "text": text}
    }


def _rate(rr_s: Any) -> float | None:
    return 60.0 / float(np.median(rr_s)) if len(rr_s) else None


def _reasons(answer: RecordPrediction) -> str:
    return " ".join(reason.text for reason in answer.reasons)


def _conclusion(answer: RecordPrediction, described: BundleDescription) -> str:
    notes: Sequence[str] = [note.text for note in answer.notes]
    said = f"Cannot be judged: {_reasons(answer)}" if not answer.judged else ""
    labels = "; ".join(described.meanings.get(label, label) for label in answer.labels)
    return " ".join(filter(None, (said or labels, *notes, "Computed, not reviewed by a physician.")))


def _patient(person: Mapping[str, str]) -> dict[str, Any]:
    """Return the patient, with what of the name, the id and the birth date is known."""
    known = {name: person[name] for name in ("name", "patient_id", "birth_date") if person.get(name)}
    if not known:
        return {}
    found: dict[str, Any] = {"resourceType": "Patient", "id": "patient"}
    if "name" in known:
        found["name"] = [{"text": known["name"]}]
    if "patient_id" in known:
        found["identifier"] = [{"value": known["patient_id"]}]
    if born := _date(known.get("birth_date", "")):
        found["birthDate"] = born
    return found
