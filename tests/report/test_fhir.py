"""Answers as FHIR R4: the entries that the specification requires, the codes, and nothing of the person unasked."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tiny_bundle import description

import cardioflow
from cardioflow.analysis.beats.beats import Beats
from cardioflow.bundle import Reason, RecordPrediction
from cardioflow.report.fhir import diagnostic_report

ANSWER = RecordPrediction(
    "r",
    "Miller.edf",
    ("A",),
    {"A": 0.75, "N": 0.25},
    notes=(Reason("substitute_lead", "Lead I is missing; II was used instead."),),
)


def codes(report) -> dict[str, dict]:
    return {own["code"]["coding"][0]["code"]: own for own in report["contained"] if "coding" in own.get("code", ())}


def test_a_classification_has_its_label_and_probabilities():
    report = diagnostic_report(ANSWER, description())
    assert report["resourceType"] == "DiagnosticReport"
    assert report["status"] == "preliminary"
    assert report["code"]["coding"][0] == {"system": "http://loinc.org", "code": "11524-6", "display": "EKG study"}
    assert report["conclusion"] == (
        "atrial fibrillation Lead I is missing; II was used instead. Computed, not reviewed by a physician."
    )
    (own,) = report["contained"]
    assert report["result"] == [{"reference": f"#{own['id']}"}]
    assert own["valueCodeableConcept"]["text"] == "atrial fibrillation"
    assert [(c["code"]["coding"][0]["code"], c["valueQuantity"]["value"]) for c in own["component"]] == [
        ("A", 0.75),
        ("N", 0.25),
    ]
    assert "Miller" not in json.dumps(report)
    assert "subject" not in report


def test_a_record_that_cannot_be_judged_has_no_value_and_the_reason():
    answer = RecordPrediction("r", None, (), {}, reasons=(Reason("flat", "The signal is flat."),))
    report = diagnostic_report(answer, description())
    (own,) = report["contained"]
    assert not [name for name in own if name.startswith("value")]
    assert own["dataAbsentReason"]["text"] == "The signal is flat."
    assert report["conclusion"].startswith("Cannot be judged: The signal is flat.")


def test_heart_rate_and_intervals_have_their_loinc_codes_and_units():
    file = "simulated:SR?duration_s=20&fs=500&heart_rate=75&leads=I,II"
    beats = codes(diagnostic_report(cardioflow.load("beats").predict(file)[0], cardioflow.load("beats").description))
    rate = beats["8867-4"]["valueQuantity"]
    assert rate["value"] == pytest.approx(75, abs=3)
    assert (rate["code"], rate["system"]) == ("/min", "http://unitsofmeasure.org")
    waves = codes(diagnostic_report(cardioflow.load("waves").predict(file)[0], cardioflow.load("waves").description))
    pr, qrs, qt = (waves[code]["valueQuantity"] for code in ("8625-6", "8633-0", "8634-8"))
    assert 40 < qrs["value"] < 140 < qt["value"] < 500
    assert 60 < pr["value"] < 300
    assert pr["code"] == qrs["code"] == qt["code"] == "ms"


def test_a_heart_rate_keeps_to_the_profile_of_r4_also_without_the_patient():
    # R4, profile heartrate: every Observation with LOINC 8867-4 has the category, one subject and one time.
    four = np.array([100, 300, 500, 700])
    beats = Beats(four, np.ones(4), np.zeros(4, np.int64), np.ones(4), 250.0)  # 0.8 s apart
    answer = RecordPrediction("r", None, (), {}, beats=beats)
    for person, subject, time, reason in (
        (None, None, None, "masked"),
        ({"name": "Anna Miller"}, "#patient", None, "unknown"),
        ({"name": "Anna Miller", "timestamp": "2026-01-02T03:04:05"}, "#patient", "2026-01-02", None),
    ):
        rate = codes(diagnostic_report(answer, description(), person))["8867-4"]
        assert [c["coding"][0]["code"] for c in rate["category"]] == ["vital-signs", "procedure"]
        assert rate["valueQuantity"] == {
            "value": 75.0,
            "unit": "beats/minute",
            "system": "http://unitsofmeasure.org",
            "code": "/min",
        }
        absent = {
            "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": reason}]
        }
        assert rate["subject"] == ({"reference": subject} if subject else absent)
        assert rate.get("effectiveDateTime") == time
        assert rate.get("_effectiveDateTime") == (None if time else absent)


def test_the_patient_is_the_subject_where_it_was_asked_for():
    person = {"name": "Anna Miller", "patient_id": "7", "birth_date": "1950-02-03", "timestamp": "2026-01-02T03:04:05"}
    report = diagnostic_report(ANSWER, description(), person)
    patient, own = report["contained"]
    assert patient == {
        "resourceType": "Patient",
        "id": "patient",
        "name": [{"text": "Anna Miller"}],
        "identifier": [{"value": "7"}],
        "birthDate": "1950-02-03",
    }
    assert report["subject"] == own["subject"] == {"reference": "#patient"}
    assert report["effectiveDateTime"] == "2026-01-02"


# Of R4: the fields that are written, the ones that are required, and those of which at most one may be there.
FIELDS = {
    "DiagnosticReport": {
        *("resourceType", "status", "category", "code", "contained", "result", "conclusion"),
        *("effectiveDateTime", "subject"),
    },
    "Observation": {
        *("resourceType", "id", "status", "category", "code", "method", "component", "effectiveDateTime", "subject"),
        *("valueQuantity", "valueCodeableConcept", "dataAbsentReason", "_effectiveDateTime"),
    },
    "Patient": {"resourceType", "id", "name", "identifier", "birthDate"},
}


@pytest.mark.parametrize("bundle", ["af", "beats", "waves", "quality"])
def test_every_answer_has_the_shape_of_r4(bundle, data):
    path = data / "formats" / "hl7_aecg" / "Example_aECG.xml"
    loaded = cardioflow.load(bundle)
    person = {"name": "Anna Miller", "birth_date": "1950-02-03T00:00:00", "timestamp": "2026-01-02T03:04:05"}
    report = diagnostic_report(loaded.predict(path)[0], loaded.description, person)
    for own in (report, *report["contained"]):
        assert own.keys() <= FIELDS[own["resourceType"]]
        if own["resourceType"] != "Patient":
            assert {"status", "code"} <= own.keys()
        # obs-6: a reason for the absence of a value stands only where there is none.
        assert ("dataAbsentReason" in own) + len([k for k in own if k.startswith("value")]) <= 1
    # dom-3: what is contained is referred to from the report.
    referred = {own["reference"] for own in (*report["result"], report["subject"])}
    assert referred == {f"#{own['id']}" for own in report["contained"]}
    patient = report["contained"][0]
    assert (patient["birthDate"], report["effectiveDateTime"]) == ("1950-02-03", "2026-01-02")
