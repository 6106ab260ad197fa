"""Values in FHIR by hand: intervals from marks, rates from beats, and reasons where there is none."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cardioflow.analysis.beats.beats import Beats
from cardioflow.analysis.waves.results import Delineation, LeadWaves, WaveMarks
from cardioflow.bundle import BundleDescription, Reason, RecordPrediction
from cardioflow.report.fhir import diagnostic_report

BARE = BundleDescription(name="plain", release="7", output="waves", method="waves")
PR, QRS, QT, RATE = "8625-6", "8633-0", "8634-8", "8867-4"


def marks(onset, end) -> WaveMarks:
    on, off = np.asarray(onset, np.int64), np.asarray(end, np.int64)
    return WaveMarks(on, (on + off) // 2, off, np.full(on.size, -1), np.ones(on.size))


def waves(p, qrs, t, fs=500.0) -> RecordPrediction:
    own = LeadWaves(marks(*p), marks(*qrs), marks(*t), ())
    return RecordPrediction("r", None, (), {}, waves=Delineation(fs, 5000, ("I",), (own,), own))


def beats(samples, fs=250.0) -> RecordPrediction:
    at = np.asarray(samples, np.int64)
    return RecordPrediction("r", None, (), {}, beats=Beats(at, np.ones(at.size), 0 * at, np.ones(at.size), fs))


def found(answer, described=BARE) -> dict[str, dict]:
    report = diagnostic_report(answer, described)
    # JSON has no NaN, and a receiver refuses a report with one.
    json.dumps(report, allow_nan=False)
    return {own["code"]["coding"][0]["code"]: own for own in report["contained"] if "coding" in own["code"]}


def test_intervals_are_the_medians_of_the_beats_in_milliseconds():
    # At 500 Hz a sample is 2 ms. PR 80, 80, 90 samples; QRS 45, 50, 45; QT 200, 210, 190.
    onset = np.array([500, 1000, 1500])
    pr, qrs, qt = np.array([80, 80, 90]), np.array([45, 50, 45]), np.array([200, 210, 190])
    answer = waves((onset - pr, onset - 30), (onset, onset + qrs), (onset + 120, onset + qt))
    values = {code: own["valueQuantity"]["value"] for code, own in found(answer).items()}
    assert values == {PR: 160.0, QRS: 90.0, QT: 400.0}


def test_the_rate_of_the_signal_is_that_of_the_marks():
    onset = np.array([100, 400])
    answer = waves((onset - 40, onset - 10), (onset, onset + 25), (onset + 60, onset + 100), fs=250.0)
    assert found(answer)[QRS]["valueQuantity"] == {
        "value": 100.0, "unit": "ms", "system": "http://unitsofmeasure.org", "code": "ms",
    }  # fmt: skip
    assert found(answer)[PR]["valueQuantity"]["value"] == 160.0


def test_an_interval_without_its_wave_has_a_reason_and_no_value():
    onset = np.array([500, 1000])
    none = np.empty(0, np.int64)
    without_p = found(waves((none, none), (onset, onset + 45), (onset + 120, onset + 200)))
    assert "valueQuantity" not in without_p[PR]
    assert without_p[PR]["dataAbsentReason"]["text"] == "No beat shows both waves."
    assert without_p[QT]["valueQuantity"]["value"] == 400.0
    nothing = found(waves((none, none), (none, none), (none, none)))
    assert all("dataAbsentReason" in own and "valueQuantity" not in own for own in nothing.values())
    assert nothing.keys() == {PR, QRS, QT}


@pytest.mark.parametrize(
    ("samples", "rate"), [([0, 250], 60.0), ([0, 200, 400, 1400], 75.0), ([0, 100, 300, 500, 600], 100.0)]
)
def test_the_heart_rate_is_that_of_the_median_interval(samples, rate):
    # At 250 Hz; a pause, as of beats that were not found, does not change the median. The last: 0.4, 0.8, 0.8, 0.4 s.
    assert found(beats(samples))[RATE]["valueQuantity"]["value"] == rate


@pytest.mark.parametrize("samples", [[], [100]])
def test_fewer_than_two_beats_have_no_rate(samples):
    own = found(beats(samples))[RATE]
    assert own["dataAbsentReason"]["text"] == "Fewer than two beats were found."
    assert "valueQuantity" not in own


def test_a_label_without_a_meaning_is_its_own_and_none_is_said_as_such():
    described = BundleDescription(name="b", classes=("A", "B"), meanings={"A": "one"}, output="independent", method="x")
    both = diagnostic_report(RecordPrediction("r", None, ("A", "B"), {"A": 0.9, "B": 0.8}), described)
    assert both["contained"][0]["valueCodeableConcept"] == {
        "text": "one; B",
        "coding": [{"code": "A", "display": "one"}, {"code": "B", "display": "B"}],
    }
    assert both["conclusion"] == "one; B Computed, not reviewed by a physician."
    none = diagnostic_report(RecordPrediction("r", None, (), {"A": 0.1, "B": 0.2}), described)
    # R4 does not allow an empty list of codings.
    assert none["contained"][0]["valueCodeableConcept"] == {"text": "none of the labels"}
    assert none["conclusion"] == "Computed, not reviewed by a physician."


def test_probabilities_keep_six_digits_and_their_unit_is_one():
    described = BundleDescription(name="b", classes=("A",), output="independent", method="x")
    (own,) = diagnostic_report(RecordPrediction("r", None, ("A",), {"A": 0.123456789}), described)["contained"]
    assert own["component"][0]["valueQuantity"] == {
        "value": 0.123457, "unit": "1", "system": "http://unitsofmeasure.org", "code": "1",
    }  # fmt: skip


def test_values_of_a_regression_are_components_in_order():
    answer = RecordPrediction("r", None, (), {}, (61.5, -0.25))
    (own,) = diagnostic_report(answer, BundleDescription(name="age", output="value", method="x"))["contained"]
    assert [(c["code"]["text"], c["valueQuantity"]["value"]) for c in own["component"]] == [
        ("value 0", 61.5), ("value 1", -0.25),
    ]  # fmt: skip


def test_a_report_names_the_bundle_and_its_release_and_what_was_noted():
    answer = RecordPrediction(
        "r", "Miller.edf", (), {}, notes=(Reason("paced", "Spikes."),), beats=beats([0, 250]).beats
    )
    report = diagnostic_report(answer, BARE)
    assert {own["method"]["text"] for own in report["contained"]} == {"CardioFlow bundle plain 7"}
    assert report["conclusion"] == "Spikes. Computed, not reviewed by a physician."
    assert "Miller" not in json.dumps(report)


def test_both_versions_of_fhir_read_what_is_written():
    """R4 has ``period`` in ``SampledData`` and R5 ``interval``; ``DiagnosticReport.note`` is of R5 alone."""
    onset = np.array([500, 1000])
    for answer in (
        beats([0, 250, 500]),
        waves((onset - 80, onset - 30), (onset, onset + 45), (onset + 120, onset + 200)),
    ):
        report = diagnostic_report(answer, BARE)
        assert "note" not in report
        assert not any("valueSampledData" in own for own in report["contained"])
        assert [own["reference"] for own in report["result"]] == [f"#{own['id']}" for own in report["contained"]]


@pytest.mark.parametrize(
    ("person", "known"),
    [
        ({}, None),
        ({"name": ""}, None),
        ({"patient_id": "7"}, {"identifier": [{"value": "7"}]}),
        ({"name": "A B"}, {"name": [{"text": "A B"}]}),
        ({"birth_date": "1950-02-03T10:00:00"}, {"birthDate": "1950-02-03"}),
        ({"timestamp": "2026-01-02T03:04:05"}, None),
    ],
)
def test_of_the_patient_only_what_was_asked_for_and_is_known_is_given(person, known):
    report = diagnostic_report(beats([0, 250]), BARE, person)
    patients = [own for own in report["contained"] if own["resourceType"] == "Patient"]
    assert patients == ([] if known is None else [{"resourceType": "Patient", "id": "patient", **known}])
    assert ("subject" in report) is (known is not None)
    assert report.get("effectiveDateTime") == ("2026-01-02" if "timestamp" in person else None)
