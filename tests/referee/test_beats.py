"""The task ``beats``: classes counted against the reference, with beats of the reference or of a detector."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from cardioflow.analysis.beat_classes.classify import CLASSES
from cardioflow.datasets.aami import AAMI
from cardioflow.errors import InputError, UnknownNameError
from cardioflow.referee import benchmark
from cardioflow.referee.records import records_of
from cardioflow.referee.tasks.beats import _confusion, _counts, _groups, _Result


@pytest.fixture
def here(monkeypatch):
    monkeypatch.setitem(sys.modules, "mine", sys.modules[__name__])


def all_ventricular(signal, fs, beats):
    return np.full(len(beats), "V")


def numbers(signal, fs, beats):
    return np.arange(len(beats))


def rows_of(report, title):
    return next(t["rows"] for t in report.to_dict()["tables"] if t["title"] == title)


def test_one_class_for_all_has_the_precision_of_its_share(data, here):
    report = benchmark("beats", data / "mitdb", ["mine:all_ventricular"])
    truth = [AAMI[s] for r in records_of(data / "mitdb") for s in r.marks.symbol.tolist() if s in AAMI]
    rows = {row["class"]: row for row in rows_of(report, "Gross")}
    assert set(rows) == set(CLASSES)
    assert rows["V"]["beats"] == truth.count("V") == 444 + 992
    assert rows["V"]["Se %"] == 100
    assert rows["V"]["PPV %"] == pytest.approx(100 * truth.count("V") / len(truth))
    assert rows["N"]["Se %"] == 0
    assert rows["F"]["beats"] == 373


def test_the_trees_separate_the_beats_that_they_were_trained_on_and_the_report_says_so(data):
    report = benchmark("beats", data / "mitdb", ["ours"])
    rows = {row["class"]: row for row in rows_of(report, "Gross")}
    assert rows["V"]["Se %"] > 97
    assert rows["V"]["PPV %"] > 93
    assert any("trained on 2 of these records" in note for note in report.to_dict()["notes"])


def test_missed_beats_count_against_their_class_and_false_ones_against_that_which_they_were_given(data):
    record = next(iter(records_of(data / "mitdb", only=["119"])))
    beats, truth = np.array([1000, 2000, 3000]), np.array(["N", "V", "S"])
    given, found = np.array([1010, 3010, 5000]), np.array(["N", "V", "V"])
    result = _Result("119", "mitdb/119", _confusion(record, beats, truth, given, found))
    assert result.confusion == {("N", "N"): 1, ("V", "-"): 1, ("S", "V"): 1, ("-", "V"): 1}
    ventricular = _counts(result, "V")
    assert (ventricular.true, ventricular.missed, ventricular.false) == (0, 1, 2)


def test_ds2_is_also_scored_without_the_records_that_decide_it():
    results = [_Result(name, f"mitdb/{'201' if name == '202' else name}", {}) for name in ("100", "202", "232")]
    groups = {name: [r.record for r in own] for name, own in _groups(results).items()}
    assert groups == {
        "all": ["100", "202", "232"],
        "without 232": ["100", "202"],
        "without 202": ["100", "232"],
        "without 232 and 202": ["100"],
    }


def test_what_a_method_must_return_is_said(data, here):
    with pytest.raises(InputError, match=r"mine:numbers returned int64 of shape .* Return N, S, V, F or Q"):
        benchmark("beats", data / "mitdb", ["mine:numbers"])
    with pytest.raises(UnknownNameError, match=r"There is no classifier of beats 'theirs'"):
        benchmark("beats", data / "mitdb", ["theirs"])
    with pytest.raises(InputError, match=r"positions='mine' is not one of"):
        benchmark("beats", data / "mitdb", positions="mine")
