"""The task ``model``: labels scored against a table, with intervals, and test parts only when asked for."""

from __future__ import annotations

import csv
import json
import sys

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score
from typer.testing import CliRunner

from cardioflow.calibration import calibration_error
from cardioflow.cli.app import app
from cardioflow.errors import InputError
from cardioflow.referee import benchmark
from cardioflow.referee.class_scores import class_scores, weighted_auroc
from cardioflow.referee.label_table import read_labels
from cardioflow.referee.label_table import test_parts as parts_for_tests


def spread(signal, fs):
    """A probability of AF that any array gives, so that a test can work it out again."""
    p = float(np.clip(np.std(signal) * 2, 0.01, 0.99))
    return {"A": p, "N": 1 - p}


def silent(signal, fs):
    return None


def always_normal(signal, fs):
    return "N"


def wrong_label(signal, fs):
    return {"A": 0.5, "X": 0.5}


@pytest.fixture
def here(monkeypatch):
    monkeypatch.setitem(sys.modules, "mine", sys.modules[__name__])


@pytest.fixture(scope="module")
def records(cinc):
    found = sorted(path.stem for path in cinc.rglob("*.hea"))[:12]
    assert len(found) == 12
    return found


@pytest.fixture(scope="module")
def table(records, tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / "split.csv"
    labels = ["A", "N", "A", "N", "N", "N"] * 2
    rows = [f"{name},{label},{i % 3}" for i, (name, label) in enumerate(zip(records, labels, strict=True))]
    path.write_text("record,label,fold\n" + "\n".join(rows) + "\n")
    return path


def rows_of(report, title):
    return next(t["rows"] for t in report.to_dict()["tables"] if t["title"].startswith(title))


def test_scores_are_those_of_scikit_learn(cinc, table, here):
    report = benchmark("model", cinc, ["mine:spread"], split=table, test_part=True)
    from cardioflow import EcgDataset, Pipeline

    with table.open() as file:
        truth = {row["record"]: row["label"] for row in csv.DictReader(file)}
    files = EcgDataset([next(cinc.rglob(f"{name}.hea")) for name in truth])
    batch = (files >> Pipeline().load(fmt="wfdb")).next_batch(len(truth))
    p = np.array([spread(signal, 300)["A"] for signal in batch.signal])
    y = np.array([truth[name] == "A" for name in batch.ids])
    (mean,) = rows_of(report, "Means")
    assert mean["judged"] == 12
    assert mean["mean F1 %"] == pytest.approx(100 * f1_score(y, p > 0.5, average="macro"))
    assert mean["mean AUROC"] == pytest.approx(roc_auc_score(y, p))
    assert mean["ECE"] == pytest.approx(calibration_error(y.astype(int), np.stack([1 - p, p], axis=1)).value)
    low, high = mean["F1 95 %"]
    assert low < mean["mean F1 %"] < high
    by_class = {row["class"]: row for row in rows_of(report, "By class")}
    assert by_class["A"]["records"] == 4
    assert by_class["A"]["AUROC"] == pytest.approx(roc_auc_score(y, p))


def test_a_record_that_is_not_judged_is_missed_and_listed(cinc, table, here):
    report = benchmark("model", cinc, ["mine:silent", "mine:always_normal"], split=table, part="0")
    silent_row, normal = rows_of(report, "Means")
    assert (silent_row["judged"], silent_row["mean F1 %"], silent_row["mean AUROC"]) == (0, 0.0, None)
    # Fold 0 has records 0, 3, 6, 9: A, N, A, N.
    assert normal["mean F1 %"] == pytest.approx(100 * (0 + 2 * 2 / (2 * 2 + 2)) / 2)
    assert normal["mean AUROC"] is None
    assert normal["ECE"] is None
    assert "mine:silent did not judge 4 records: 4 × The function returned None." in report.notes
    confusion = rows_of(report, "mine:silent: label by row")
    assert confusion == [{"": "A", "A": 0, "N": 0, "-": 2}, {"": "N", "A": 0, "N": 0, "-": 2}]


def test_a_test_part_is_scored_only_when_it_is_asked_for_and_the_report_says_so(cinc, table, here):
    for part in ("2", None):
        with pytest.raises(InputError, match=r"split\.csv: .* is a test part, which scores a finished model once"):
            benchmark("model", cinc, ["mine:spread"], split=table, part=part)
    report = benchmark("model", cinc, ["mine:spread"], split=table, part="2", test_part=True)
    assert report.protocol["test part"] == "yes: 2"
    assert report.notes[0] == "Part 2 is a test part: from here on, nothing may be chosen by it."
    assert benchmark("model", cinc, ["mine:spread"], split=table, part="1").protocol["test part"] == "no"


def test_test_parts_are_told_by_their_names():
    assert parts_for_tests(["train", "test"]) == ("test",)
    assert parts_for_tests(["DS1", "DS2", "paced"]) == ("DS2",)
    assert parts_for_tests([str(i) for i in range(1, 11)]) == ("10",)
    assert parts_for_tests(["train", "valid"]) == ()


def test_the_area_under_the_curve_counts_ties_as_one_half_and_drawn_records_as_often_as_drawn():
    random = np.random.default_rng(0)
    truth, score = random.random(80) < 0.3, np.round(random.random(80), 1)
    times = random.integers(0, 3, size=(3, 80))
    found = weighted_auroc(truth, score, times.astype(float))
    for own, value in zip(times, found, strict=True):
        rows = np.repeat(np.arange(80), own)
        assert value == pytest.approx(roc_auc_score(truth[rows], score[rows]))
    assert np.isnan(weighted_auroc(np.ones(3, bool), np.arange(3.0), np.ones((1, 3))))[0]


def test_the_interval_of_a_sensitivity_is_that_of_the_binomial_and_wider_by_patients():
    truth = np.ones((400, 1), bool)
    answer = np.arange(400)[:, None] % 5 > 0  # 80 %
    p = np.full((400, 1), np.nan)
    alone = class_scores(truth, answer, p).sensitivity[0]
    assert alone.value == pytest.approx(0.8)
    # The standard error is 2 %.
    assert (alone.low, alone.high) == pytest.approx((0.761, 0.839), abs=0.004)
    # In 40 patients whose 10 records are alike, it is the root of 10 times as much.
    same = np.repeat(np.arange(40) % 5 > 0, 10)[:, None]
    grouped = class_scores(truth, same, p, [str(i) for i in np.repeat(np.arange(40), 10)]).sensitivity[0]
    assert (grouped.low, grouped.high) == pytest.approx((0.676, 0.924), abs=0.03)


def test_several_labels_of_a_record_are_scored_one_by_one(tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text("record,part,findings,patient\na,x,AF;LBBB,p1\nb,x,,p1\nc,y,AF,p2\n")
    found = read_labels(table, "x", column="findings")
    assert found.labels == {"a": ("AF", "LBBB"), "b": ()}
    assert found.patients == {"a": "p1", "b": "p1"}
    assert not found.exclusive
    assert found.classes == ("AF", "LBBB")


def test_the_bundle_of_the_package_is_scored_with_what_it_states_of_its_data(cinc, records, tmp_path):
    with (cinc / "REFERENCE.csv").open() as file:
        labels = dict(csv.reader(file))
    table = tmp_path / "few.csv"
    table.write_text("record,label\n" + "".join(f"{name},{labels[name]}\n" for name in records[:4]))
    call = ["benchmark", "model", "--data", str(cinc), "--method", "af", "--split", str(table), "--json"]
    done = CliRunner().invoke(app, [*call, "--html", str(tmp_path / "m.html")], catch_exceptions=False)
    found = json.loads(done.stdout)
    assert found["protocol"]["test part"] == "no"
    assert found["tables"][0]["rows"][0]["judged"] == 4
    assert found["tables"][0]["rows"][0]["ECE raw"] >= 0
    assert any("af: made from CinC 2017 training set" in note for note in found["notes"])
    assert "<caption>By class</caption>" in (tmp_path / "m.html").read_text()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"split": None}, "needs the labels"),
        ({"part": "9"}, r"has no part '9'\. It has: 0, 1, 2\."),
        ({"column": "rhythm"}, r"has no column 'rhythm'\. It has: record, label, fold"),
        ({"classes": "A,B"}, "no record has 'B'"),
        ({"methods": ["mine:wrong_label"]}, r"returned the label 'X', and the table has A, N"),
        ({"methods": ["beats"]}, "gives beats, and not labels"),
        ({"data": "docs"}, "has no file of record"),
    ],
)
@pytest.mark.usefixtures("here")
def test_what_is_asked_wrongly_is_answered_in_one_sentence(cinc, table, tmp_path, options, said):
    given = {"split": table, "part": "0"} | options
    methods = given.pop("methods", ["mine:spread"])
    if given["split"] is None:
        given["part"] = None
    with pytest.raises(InputError, match=said):
        benchmark("model", tmp_path if given.pop("data", None) else cinc, methods, **given)


def test_a_table_with_a_record_twice_is_refused(tmp_path):
    table = tmp_path / "twice.csv"
    table.write_text("record,label\na,N\na,A\n")
    with pytest.raises(InputError, match=r"twice\.csv has record 'a' twice"):
        read_labels(table, None)
