"""From members to an answer: weights, segments, calibration, and the forms in which answers are given."""

from __future__ import annotations

import csv
import io
import json
import math
import threading
from dataclasses import dataclass

import numpy as np
import pytest

from cardioflow import Pipeline
from cardioflow.analysis.beats.beats import Beats, Unmeasured
from cardioflow.analysis.waves.results import Delineation, LeadWaves, NotMeasured, WaveMarks
from cardioflow.batch import EcgBatch
from cardioflow.bundle import Bundle, BundleDescription, MemberDescription, Predictions, Reason, RecordPrediction
from cardioflow.bundle.decision import Decision
from cardioflow.bundle.interpretation import interpret
from cardioflow.bundle.json_form import as_json, skipped_as_json
from cardioflow.bundle.judge import ModelJudge
from cardioflow.bundle.members import Member, Mixture
from cardioflow.bundle.predictions import LeadQuality, SkippedRecord
from cardioflow.bundle.preparation import Preparation
from cardioflow.bundle.running import answers_in_order
from cardioflow.bundle.table import as_csv, as_rows, write_parquet
from cardioflow.calibration import ConformalSets, TemperatureScaling, to_json
from cardioflow.errors import DumpError, InputError, ModelError

CLASSES = ("A", "N", "O")
WHOLE = Preparation()
CUT = Preparation.from_json(Pipeline().split_signals(100, 100).to_json())


@dataclass(frozen=True)
class Means:
    """Three numbers from the mean of each row: shares m, (1 - m) / 2 and (1 - m) / 2, times ``scale``."""

    scale: float = 1.0

    def predict(self, rows):
        m = np.array([float(np.mean(x)) for x in rows.component("signal")])
        return self.scale * np.stack([m, (1 - m) / 2, (1 - m) / 2], axis=1)


def batch(*levels, ids=None):
    """Records of one lead whose hundreds of samples have the levels given."""
    arrays = [np.repeat(np.atleast_1d(level), 100)[None].astype(np.float32) for level in levels]
    made = EcgBatch.from_arrays(arrays, fs=100.0, leads=("I",), units="mV")
    return made if ids is None else made.replace(ids=ids)


def described(*members, **more):
    made = members or (MemberDescription.of("a", Pipeline(), onnx="a.onnx"),)
    return BundleDescription(**{"name": "b", "classes": CLASSES, "members": made, **more})


def bundle(*members, **more):
    return Bundle(
        described(**more), ModelJudge(Mixture(members or (Member(Means(), WHOLE),)), Decision.of(described(**more)))
    )


# -- the mean over members and segments --------------------------------------


@pytest.mark.parametrize(
    ("weights", "scales", "first"),
    [
        ((1.0, 1.0), (1.0, 0.5), 0.3),
        ((3.0, 1.0), (1.0, 0.5), 0.35),
        ((0.3, 0.1), (1.0, 0.5), 0.35),
        ((1.0, 0.0), (1.0, 0.5), 0.4),
    ],
)
def test_the_mean_over_members_is_weighted_by_their_ratio(weights, scales, first):
    members = tuple(Member(Means(scale), WHOLE, weight) for scale, weight in zip(scales, weights, strict=True))
    found, left_out = Mixture(members).outputs(batch(0.4))
    assert found["0"][0] == pytest.approx(first)
    assert left_out == {}


@pytest.mark.parametrize(("how", "first"), [("mean", 0.5), ("median", 0.3), ("max", 0.9)])
def test_segments_of_a_record_become_one_answer(how, first):
    found, _ = Mixture((Member(Means(), CUT, aggregate=how),)).outputs(batch([0.3, 0.9, 0.3], [0.2, 0.2]))
    assert found["0"][0] == pytest.approx(first)
    assert found["1"][0] == pytest.approx(0.2)


def test_a_record_that_one_member_leaves_out_has_no_mean_over_the_others():
    some = Preparation.from_json(Pipeline().drop_short_signals(200).to_json())
    mixture = Mixture((Member(Means(), WHOLE), Member(Means(), some)))
    found, left_out = mixture.outputs(batch(0.4, [0.2, 0.2]))
    assert list(found) == ["1"]
    assert list(left_out) == ["0"]
    assert "drop_short_signals" in left_out["0"]


def test_one_preparation_is_carried_out_once_for_all_members_that_share_it(monkeypatch):
    calls = []
    own = Preparation.apply
    monkeypatch.setattr(Preparation, "apply", lambda self, given: calls.append(self) or own(self, given))
    Mixture((Member(Means(), CUT), Member(Means(0.5), CUT), Member(Means(), WHOLE))).outputs(batch([0.1, 0.2]))
    assert len(calls) == 2


def test_a_record_that_the_preparation_leaves_out_is_skipped_with_its_step_and_the_others_are_answered():
    judged = bundle(Member(Means(), Preparation.from_json(Pipeline().drop_short_signals(200).to_json())))
    found = judged.predict(batch(0.4, [0.2, 0.2]))
    assert [own.id for own in found] == ["1"]
    (skipped,) = found.skipped
    assert skipped.id == "0"
    assert "drop_short_signals" in skipped.step
    assert "probably too short" in skipped.reason


# -- numbers that are not an answer ----------------------------------------------


@pytest.mark.parametrize("output", ["exclusive", "independent", "value"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_one_is_not_turned_into_a_label(output, bad):
    meaning = described(output=output)
    with pytest.raises(ModelError, match=r"for record 'r', which is not an answer\. Check its samples for NaN"):
        interpret("r", None, [bad, 0.2, 0.3], meaning, {})


def test_a_record_with_gaps_that_the_model_cannot_take_is_skipped_and_the_others_are_answered():
    found = bundle().predict(batch(0.9, np.nan, 0.1))
    assert [(own.id, own.labels) for own in found] == [("0", ("A",)), ("2", ("N",))]
    (skipped,) = found.skipped
    assert skipped.id == "1"
    assert "nan, nan, nan for record '1'" in skipped.reason


@pytest.mark.parametrize("numbers", [[0.5, 0.5], [0.1] * 4, []])
def test_more_or_fewer_numbers_than_classes_are_refused(numbers):
    with pytest.raises(ModelError, match=r"predicts \d numbers for record 'r', and its dump lists the 3 classes"):
        interpret("r", None, numbers, described(), {})


def test_two_records_of_one_id_are_refused_instead_of_given_one_answer():
    with pytest.raises(InputError, match=r"two records with the id 'a'\. Give each an id of its own"):
        bundle().predict(batch(0.9, 0.1, ids=("a", "a")))
    apart = bundle().predict(batch(0.9, 0.1, ids=("a", "b")))
    assert [own.labels for own in apart] == [("A",), ("N",)]


def test_rows_that_were_unstacked_are_answered_each_by_itself():
    rows = batch([0.9, 0.1], [0.2, 0.8]).split_signals(100, 100).unstack_signals()
    found = bundle().predict(rows)
    assert [own.id for own in found] == list(rows.ids)
    assert [own.labels[0] for own in found] == ["A", "N", "N", "A"]
    assert found.skipped == ()


def test_a_batch_that_is_cut_is_refused_instead_of_called_one_without_a_unit():
    with pytest.raises(InputError, match=r"The records of the batch are cut\. Pass them as they were read"):
        bundle().predict(batch([0.9, 0.1], [0.2, 0.8]).split_signals(100, 100))


# -- calibration and sets ----------------------------------------------------


def test_a_temperature_is_applied_to_the_mean_before_the_label_and_the_set():
    own = described(
        calibration=json.loads(to_json(TemperatureScaling(0.5))),
        conformal=json.loads(to_json(ConformalSets(0.1, (0.3, 0.3, 0.05), (9, 9, 9), True))),
        thresholds={"O": 0.15},
    )
    found = Decision.of(own).answer("r", "f", np.array([0.5, 0.25, 0.25]), own.thresholds)
    # Squares of the shares, made to add up to 1: 4 : 1 : 1.
    assert dict(found.probabilities) == pytest.approx({"A": 2 / 3, "N": 1 / 6, "O": 1 / 6})
    assert found.labels == ("O",)
    assert found.prediction_set == ("A", "O")
    assert (found.id, found.file) == ("r", "f")


@pytest.mark.parametrize("how", ["median", "max"])
def test_medians_and_maxima_of_segments_are_made_to_add_up_to_one(how):
    member = MemberDescription.of("a", Pipeline(), onnx="a.onnx", aggregate=how)
    own = described(member, calibration=json.loads(to_json(TemperatureScaling(1.0))))
    judge = ModelJudge(Mixture((Member(Means(), CUT, aggregate=how),)), Decision.of(own))
    (found,) = Bundle(own, judge).predict(batch([0.8, 0.4, 0.2]))
    raw = {"median": [0.4, 0.3, 0.3], "max": [0.8, 0.4, 0.4]}[how]
    assert list(found.probabilities.values()) == pytest.approx(np.array(raw) / sum(raw))


def test_independent_labels_need_not_add_up_to_one():
    member = MemberDescription.of("a", Pipeline(), onnx="a.onnx", aggregate="max")
    own = described(member, output="independent")
    found = Decision.of(own).answer("r", None, np.array([0.9, 0.8, 0.1]), {})
    assert list(found.probabilities.values()) == [0.9, 0.8, 0.1]
    assert found.labels == ("A", "N")


@pytest.mark.parametrize(
    ("entry", "value", "text"),
    [
        ("calibration", {"kind": "none"}, "Entry 'calibration' is a dict; expected a Calibrator."),
        ("calibration", json.loads(to_json(ConformalSets(0.1, (0.2, 0.2, 0.2), (9, 9, 9)))), "expected a Calibrator."),
        ("conformal", json.loads(to_json(TemperatureScaling(2.0))), "expected a ConformalSets."),
        ("conformal", json.loads(to_json(ConformalSets(0.1, (0.2, 0.2), (9, 9)))), "does not fit the 3 classes."),
    ],
)
def test_a_fitted_object_of_another_kind_or_size_is_refused_when_the_bundle_is_loaded(entry, value, text):
    with pytest.raises(DumpError) as caught:
        Decision.of(described(**{entry: value}))
    assert text in str(caught.value)


# -- order and threads -------------------------------------------------------


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_answers_come_in_the_order_of_the_records_however_long_each_takes(jobs):
    first = threading.Event()

    def work(given):
        if given.ids[0] == "0" and jobs > 1:
            first.wait(5)  # until a later batch is done
        elif given.ids[0] != "0":
            first.set()
        return [RecordPrediction(record, None, (), {}) for record in given.ids]

    given = [batch(*range(3), ids=tuple(f"{k}{i}" if k else str(i) for i in range(3))) for k in range(6)]
    found = [own.id for own in answers_in_order(given, work, jobs)]
    assert found == [record for own in given for record in own.ids]


def test_a_record_at_fault_is_named_alone_with_its_reason():
    def work(given):
        if "1" in given.ids:
            raise InputError("It is at fault.")
        return [RecordPrediction(record, None, (), {}) for record in given.ids]

    found = list(answers_in_order([batch(0.1, 0.2, 0.3)], work, 1))
    assert [own.id for own in found] == ["0", "1", "2"]
    assert isinstance(found[1], SkippedRecord)
    assert (found[1].reason, found[1].file) == ("It is at fault.", None)
    assert isinstance(found[2], RecordPrediction)


def test_an_error_that_is_not_one_of_the_package_is_not_hidden():
    def work(_):
        raise ZeroDivisionError

    for jobs in (1, 2):
        with pytest.raises(ZeroDivisionError):
            list(answers_in_order([batch(0.1)], work, jobs))


@pytest.mark.parametrize("given", [{"batch_size": 0}, {"batch_size": 1.5}, {"jobs": 0}, {"jobs": "2"}])
def test_a_number_of_records_or_jobs_below_one_is_refused(given):
    ((name, value),) = given.items()
    with pytest.raises(InputError) as caught:
        bundle().predict(np.zeros((1, 100)), fs=100.0, **given)
    assert str(caught.value) == f"predict({name}={value!r}): expected a whole number from 1 on."


@pytest.mark.parametrize("given", [{"fs": 100.0}, {"leads": ["I"]}, {"units": "mV"}])
def test_a_batch_describes_itself(given):
    with pytest.raises(InputError, match="describe arrays, and files have their own"):
        bundle().predict(batch(0.5), **given)


def test_predictions_are_a_sequence_of_answers_with_the_skipped_ones_beside():
    answers = tuple(RecordPrediction(str(k), None, (), {}) for k in range(3))
    found = Predictions(answers, (SkippedRecord("x", None, None, "why"),))
    assert (len(found), found[1].id, [own.id for own in found[1:]]) == (3, "1", ["1", "2"])
    assert [own.id for own in found] == ["0", "1", "2"]


def test_thresholds_of_labels_that_do_not_exist_are_refused_and_others_change_the_answer():
    judged = bundle()
    assert judged.predict(batch(0.5))[0].labels == ("A",)
    judged.thresholds = {"O": 0.2}
    assert judged.predict(batch(0.5))[0].labels == ("O",)
    with pytest.raises(DumpError, match="'VT', which entry 'classes' does not list"):
        judged.thresholds = {"VT": 0.5}
    with pytest.raises(DumpError, match="expected a number from 0 to 1"):
        judged.thresholds = {"O": math.nan}
    assert dict(judged.thresholds) == {"O": 0.2}


# -- tables and JSON ---------------------------------------------------------


def beats(*samples, fs=250.0):
    n = len(samples)
    lost = (Unmeasured(0, 50, 0, "flat"),)
    return Beats(np.array(samples, np.int64), np.full(n, 1 / 3), np.zeros(n, np.int64), np.ones(n), fs, lost)


def marks(*spans):
    on, end = (np.array(v, np.int64) for v in zip(*spans, strict=True)) if spans else (np.empty(0, np.int64),) * 2
    return WaveMarks(on, (on + end) // 2, end, np.full(on.size, -1), np.full(on.size, 0.5))


def waves(fs=500.0):
    lead = LeadWaves(marks((10, 50)), marks((90, 130)), marks(), (NotMeasured(0, 5, "flat"),))
    return Delineation(fs, 1000, ("I",), (lead,), lead)


def test_an_answer_is_plain_json_without_entries_that_it_does_not_have():
    plain = as_json(RecordPrediction("r", "f", ("A",), {"A": 0.7, "N": 0.3}, notes=(Reason("flat", "n"),)))
    assert json.loads(json.dumps(plain)) == plain == {
        "file": "f",
        "judged": True,
        "labels": ["A"],
        "probabilities": {"A": 0.7, "N": 0.3},
        "reasons": [],
        "notes": [{"code": "flat", "text": "n"}],
    }  # fmt: skip
    assert as_json(RecordPrediction("r", None, (), {}, prediction_set=()))["prediction_set"] == []
    assert as_json(RecordPrediction("r", None, (), {}, values=(1.5,)))["values"] == [1.5]
    assert as_json(RecordPrediction("r", None, (), {}, reasons=(Reason("flat", "t"),)))["judged"] is False
    assert skipped_as_json(SkippedRecord("r", "f", "2, x", "why")) == {"file": "f", "step": "2, x", "reason": "why"}


def test_beats_and_waves_in_json_count_samples_and_seconds():
    found = as_json(RecordPrediction("r", None, (), {}, beats=beats(25, 300), waves=waves()))
    assert json.loads(json.dumps(found)) == found
    assert found["beats"]["sample"] == [25, 300]
    assert found["beats"]["time_s"] == [0.1, 1.2]
    assert found["beats"]["confidence"] == [0.333333] * 2
    assert found["beats"]["unmeasured"] == [{"start": 0, "stop": 50, "lead": 0, "reason": "flat"}]
    assert found["waves"]["whole"] == found["waves"]["leads"]["I"]
    assert found["waves"]["whole"]["P"] == {"onset": [10], "peak": [30], "end": [50], "confidence": [0.5]}
    assert found["waves"]["whole"]["T"]["onset"] == []


LABELLED = RecordPrediction("r", "a.hea", ("A", "O"), {"A": 0.7, "N": 0.1, "O": 0.6}, prediction_set=("A",))


def rows(answers, own=None):
    return list(csv.DictReader(io.StringIO(as_csv(answers, own or described()))))


def test_a_record_is_a_row_with_a_column_for_each_probability():
    (row,) = rows([LABELLED])
    assert row == {
        "file": "a.hea", "judged": "True", "reasons": "", "notes": "", "labels": "A; O", "p_A": "0.7", "p_N": "0.1",
        "p_O": "0.6",
    }  # fmt: skip
    sets = described(conformal=json.loads(to_json(ConformalSets(0.1, (0.2,) * 3, (9,) * 3))))
    assert rows([LABELLED], sets)[0]["prediction_set"] == "A"


def test_a_record_that_cannot_be_judged_or_read_has_a_row_with_the_reasons_and_no_numbers():
    refused = RecordPrediction("r", "b.hea", (), {}, reasons=(Reason("flat", "Flat."), Reason("noise", "a, b")))
    skipped = SkippedRecord("s", "c.hea", None, 'It says "no".')
    found = rows([LABELLED, refused, skipped])
    assert [row["file"] for row in found] == ["a.hea", "b.hea", "c.hea"]
    assert [row["reasons"] for row in found] == ["", "Flat.; a, b", 'It says "no".']
    assert [row["judged"] for row in found] == ["True", "False", "False"]
    assert [row["p_A"] for row in found] == ["0.7", "", ""]


def test_each_beat_is_a_row_with_its_time():
    own = BundleDescription(name="beats", method="beats", output="beats")
    found = rows([RecordPrediction("r", "a", (), {}, beats=beats(25, 300))], own)
    assert [(row["sample"], row["time_s"]) for row in found] == [("25", "0.1"), ("300", "1.2")]
    assert {row["file"] for row in found} == {"a"}
    none = rows([RecordPrediction("r", "a", (), {}, beats=beats())], own)
    assert [row["file"] for row in none] == ["a"]  # a record without beats is not lost


def test_each_wave_is_a_row_for_all_leads_together_and_for_each():
    own = BundleDescription(name="waves", method="waves", output="waves")
    found = rows([RecordPrediction("r", "a", (), {}, waves=waves())], own)
    assert [(row["lead"], row["wave"]) for row in found] == [("all", "P"), ("all", "QRS"), ("I", "P"), ("I", "QRS")]
    assert [(row["onset_s"], row["peak_s"], row["end_s"]) for row in found[:2]] == [
        ("0.02", "0.06", "0.1"),
        ("0.18", "0.22", "0.26"),
    ]
    lead = LeadWaves(marks(), marks(), marks())
    empty = Delineation(500.0, 1000, ("I",), (lead,), lead)
    assert len(rows([RecordPrediction("r", "a", (), {}, waves=empty)], own)) == 1


def test_values_and_the_quality_of_leads_are_columns():
    value = BundleDescription(name="age", method="beats", output="value")
    assert rows([RecordPrediction("r", "a", (), {}, values=(41.5, 2.0))], value)[0]["value_1"] == "2.0"
    quality = {"II": LeadQuality(True, 0.9), "V1": LeadQuality(False, 0.2, ("flat",))}
    (row,) = rows([RecordPrediction("r", "a", (), {}, lead_quality=quality)], value)
    assert (row["lead_II"], row["lead_V1"]) == ("0.9", "0.2")


def test_no_answers_are_a_table_of_one_name_and_a_parquet_file_keeps_types(tmp_path):
    import pyarrow.parquet

    assert as_rows([], described()) == (["file"], [])
    assert as_csv([], described()) == "file\n"
    write_parquet(tmp_path / "a.parquet", [LABELLED, SkippedRecord("s", "c", None, "why")], described())
    found = pyarrow.parquet.read_table(tmp_path / "a.parquet").to_pylist()
    assert [(row["judged"], row["p_A"]) for row in found] == [(True, 0.7), (False, None)]
