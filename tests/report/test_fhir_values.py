"""The values of a FHIR report: computed by hand, valid as JSON, and absent where they are not known."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from cardioflow.analysis.beats.beats import Beats
from cardioflow.analysis.waves.results import Delineation, LeadWaves, WaveMarks
from cardioflow.bundle import BundleDescription, Reason, RecordPrediction
from cardioflow.report.fhir import diagnostic_report

METHOD = BundleDescription(name="b", release="2", method="beats", output="beats", title="Beats of <all>")
MODEL = BundleDescription(
    name="m", method="beats", classes=("A", "N"), meanings={"A": "atrial fibrillation"}, output="exclusive"
)


def answer(**more):
    return RecordPrediction(**{"id": "r", "file": "Miller.edf", "labels": (), "probabilities": {}, **more})


def observations(report):
    return [own for own in report["contained"] if own["resourceType"] == "Observation"]


def coded(report):
    return {own["code"]["coding"][0]["code"]: own for own in observations(report) if "coding" in own["code"]}


def beats(samples, fs):
    n = len(samples)
    return Beats(np.array(samples, np.int64), np.ones(n), np.zeros(n, np.int64), np.ones(n), fs)


def marks(onset, end):
    n = len(onset)
    on, off = np.array(onset, np.int64), np.array(end, np.int64)
    return WaveMarks(on, (on + off) // 2, off, np.full(n, -1), np.ones(n))


def waves(p, qrs, t, fs):
    whole = LeadWaves(marks(*p), marks(*qrs), marks(*t))
    return Delineation(fs, 5000, ("I",), (whole,), whole)


# -- the heart rate ----------------------------------------------------------


@pytest.mark.parametrize(
    ("samples", "fs", "rate"),
    [
        pytest.param([0, 250, 500], 250.0, 60.0, id="a second apart"),
        pytest.param([0, 500, 1000], 500.0, 60.0, id="at another rate of samples"),
        pytest.param([0, 200, 400, 1000], 250.0, 75.0, id="the median leaves a pause out"),
        pytest.param([0, 300], 250.0, 50.0, id="two beats are enough"),
        pytest.param([0, 173, 349], 250.0, 86.0, id="rounded to a tenth"),
    ],
)
def test_the_rate_is_sixty_over_the_median_interval(samples, fs, rate):
    found = coded(diagnostic_report(answer(beats=beats(samples, fs)), METHOD))["8867-4"]
    assert found["valueQuantity"]["value"] == rate
    assert found["method"]["text"] == "CardioFlow bundle b 2"


@pytest.mark.parametrize("samples", [[], [100]])
def test_fewer_than_two_beats_have_no_rate_but_a_reason(samples):
    found = coded(diagnostic_report(answer(beats=beats(samples, 250.0)), METHOD))["8867-4"]
    assert "valueQuantity" not in found
    assert found["dataAbsentReason"]["text"] == "Fewer than two beats were found."


# -- intervals ---------------------------------------------------------------


@pytest.mark.parametrize("fs", [250.0, 500.0, 1000.0])
def test_intervals_are_medians_over_the_beats_in_milliseconds(fs):
    k = int(fs / 250)
    found = waves(
        ([60 * k, 310 * k, 560 * k], [80 * k, 330 * k, 580 * k]),
        ([100 * k, 352 * k, 604 * k], [125 * k, 375 * k, 625 * k]),
        ([150 * k, 400 * k, 650 * k], [200 * k, 452 * k, 705 * k]),
        fs,
    )
    own = coded(diagnostic_report(answer(waves=found), METHOD))
    # PR 160, 168, 176; QRS 100, 92, 84; QT 400, 400, 404 ms.
    assert [own[code]["valueQuantity"]["value"] for code in ("8625-6", "8633-0", "8634-8")] == [168.0, 92.0, 400.0]


def test_a_beat_without_p_or_t_counts_for_the_qrs_alone():
    found = waves(([60], [80]), ([100, 350, 600], [125, 375, 650]), ([150], [200]), 250.0)
    own = coded(diagnostic_report(answer(waves=found), METHOD))
    assert own["8625-6"]["valueQuantity"]["value"] == 160.0
    assert own["8633-0"]["valueQuantity"]["value"] == 100.0
    assert own["8634-8"]["valueQuantity"]["value"] == 400.0


def test_an_interval_that_no_beat_has_is_absent_with_the_reason():
    own = coded(diagnostic_report(answer(waves=waves(([], []), ([100], [125]), ([], []), 250.0)), METHOD))
    for code in ("8625-6", "8634-8"):
        assert "valueQuantity" not in own[code]
        assert own[code]["dataAbsentReason"]["text"] == "No beat shows both waves."
    assert own["8633-0"]["valueQuantity"]["value"] == 100.0


# -- labels and numbers ------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "text", "conclusion"),
    [
        (("A",), "atrial fibrillation", "atrial fibrillation Computed"),
        (("N",), "N", "N Computed"),
        (("A", "N"), "atrial fibrillation; N", "atrial fibrillation; N Computed"),
        ((), "none of the labels", "Computed"),
    ],
)
def test_labels_are_said_by_their_meaning(labels, text, conclusion):
    report = diagnostic_report(answer(labels=labels, probabilities={"A": 0.4, "N": 0.6}), MODEL)
    (own,) = observations(report)
    assert own["valueCodeableConcept"]["text"] == text
    assert [c["code"] for c in own["valueCodeableConcept"].get("coding", ())] == list(labels)
    assert report["conclusion"].startswith(conclusion)
    assert [c["valueQuantity"]["value"] for c in own["component"]] == [0.4, 0.6]


def test_a_probability_keeps_six_digits():
    report = diagnostic_report(answer(labels=("A",), probabilities={"A": 1 / 3}), MODEL)
    assert observations(report)[0]["component"][0]["valueQuantity"]["value"] == 0.333333


def test_the_numbers_of_a_regression_are_components_in_their_order():
    described = BundleDescription(name="age", method="beats", output="value")
    (own,) = observations(diagnostic_report(answer(values=(41.5, -2.0)), described))
    assert [(c["code"]["text"], c["valueQuantity"]["value"]) for c in own["component"]] == [
        ("value 0", 41.5),
        ("value 1", -2.0),
    ]


def test_several_reasons_are_one_text_and_no_observation_pretends_a_value():
    reasons = (Reason("flat", "The signal is flat."), Reason("noise", "No beats."))
    report = diagnostic_report(answer(labels=("A",), probabilities={"A": 0.9}, reasons=reasons), MODEL)
    (own,) = observations(report)
    assert own["dataAbsentReason"]["text"] == "The signal is flat. No beats."
    assert not {"valueCodeableConcept", "component"} & own.keys()
    assert "atrial fibrillation" not in json.dumps(report)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_number_that_is_not_one_leaves_valid_json_and_says_that_it_is_absent(value):
    given = answer(labels=("A",), probabilities={"A": value, "N": 0.5}, values=(value,))
    report = diagnostic_report(given, MODEL)
    text = json.dumps(report, allow_nan=False)
    assert "NaN" not in text
    first, second = observations(report)[0]["component"]
    assert "valueQuantity" not in first
    assert first["dataAbsentReason"]["text"] == "The model gives no number."
    assert second["valueQuantity"]["value"] == 0.5


def test_the_title_is_the_name_of_what_is_observed_or_the_name_of_the_bundle():
    assert observations(diagnostic_report(answer(labels=("A",)), MODEL))[0]["code"] == {"text": "m"}
    titled = BundleDescription(name="m", title="Rhythm", method="beats", classes=("A",))
    assert observations(diagnostic_report(answer(labels=("A",)), titled))[0]["code"] == {"text": "Rhythm"}


# -- the person --------------------------------------------------------------


@pytest.mark.parametrize(
    ("timestamp", "date"),
    [
        ("2026-01-02T03:04:05", "2026-01-02"),
        ("2026-01-02 03:04:05", "2026-01-02"),
        ("2026-01", "2026-01"),
        ("2026", "2026"),
        ("03:04:05", None),
        ("02.01.2026", None),
        ("20260102", None),
        ("", None),
    ],
)
def test_a_time_that_is_not_a_date_of_fhir_is_left_out(timestamp, date):
    report = diagnostic_report(answer(labels=("A",)), MODEL, {"timestamp": timestamp})
    assert report.get("effectiveDateTime") == date
    assert observations(report)[0].get("effectiveDateTime") == date


@pytest.mark.parametrize(
    ("born", "date"), [("1950-02-03", "1950-02-03"), ("1950", "1950"), ("03/02/1950", None), ("19500203", None)]
)
def test_a_birth_date_that_is_not_a_date_of_fhir_is_left_out(born, date):
    report = diagnostic_report(answer(labels=("A",)), MODEL, {"name": "Anna", "birth_date": born})
    assert report["contained"][0].get("birthDate") == date
    assert report["contained"][0]["name"] == [{"text": "Anna"}]


@pytest.mark.parametrize("person", [None, {}, {"name": ""}, {"timestamp": "2026-01-02"}])
def test_without_a_name_an_id_or_a_birth_date_there_is_no_patient(person):
    report = diagnostic_report(answer(labels=("A",)), MODEL, person)
    assert {own["resourceType"] for own in report["contained"]} == {"Observation"}
    assert "subject" not in report


def test_the_file_and_the_id_of_the_record_are_never_repeated():
    report = json.dumps(diagnostic_report(answer(id="Miller", labels=("A",)), MODEL, {"name": "Anna"}))
    assert "Miller" not in report
