"""The referee's task ``waves`` on real records: ours, a peer, and a function of the user."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from cardioflow.cli.app import app
from cardioflow.errors import InputError, UnknownNameError
from cardioflow.referee import benchmark
from cardioflow.referee.tasks.waves import Waves
from cardioflow.referee.wave_reference import wave_records
from cardioflow.referee.wave_tally import spread_interval


def silent(lead, fs):
    """A delineator that finds nothing."""
    return {"P peak": [], "QRS peak": [], "T peak": []}


def eager(lead, fs):
    """A delineator that takes every 0.1 s for a P wave."""
    return {"P peak": np.arange(0, lead.size / fs, 0.1)}


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    path = tmp_path_factory.mktemp("split") / "split.csv"
    path.write_text("record,part\n146,few\n44,few\n7,other\n")
    return path


def table(report, title):
    (found,) = [t for t in report.tables if t.title == title]
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


@pytest.fixture(scope="module")
def report(data, split):
    names = ["ours", f"{__name__}:silent", f"{__name__}:eager"]
    return benchmark("waves", data / "ludb", names, split=split, part="few")


def test_ours_finds_the_qrs_of_every_lead(report):
    rows = {(r["method"], r["point"]): r for r in table(report, "Each lead alone")}
    qrs = rows["ours", "QRS on"]
    assert qrs["F1 %"] > 98
    assert abs(qrs["bias ms"]) < 12
    together = {r["point"]: r for r in table(report, "All leads together")}
    assert together["QRS on"]["F1 %"] > 98


def test_a_delineator_that_finds_nothing_has_no_sensitivity(report):
    rows = {(r["method"], r["point"]): r for r in table(report, "Each lead alone")}
    assert rows[f"{__name__}:silent", "QRS peak"]["Se %"] == 0.0
    assert np.isnan(rows[f"{__name__}:silent", "QRS peak"]["PPV %"])


def test_p_waves_invented_in_fibrillation_are_counted(report):
    rows = {
        (r["method"], r["P waves judged from"]): r for r in table(report, "Beats in leads without any marked P wave")
    }
    group = "1 lead, AF and flutter"
    assert rows["ours", group]["specificity %"] > 95
    assert rows[f"{__name__}:eager", group]["specificity %"] == 0.0
    assert rows[f"{__name__}:silent", group]["specificity %"] == 100.0
    # Record 44 has that many beats inside the marked spans of its twelve leads.
    assert rows["ours", group]["beats"] > 100


def test_the_qt_database_is_scored_by_the_lead_nearest_to_each_mark(data):
    report = benchmark("waves", data / "qtdb", ["ours"], ann_ext="q1c")
    rows = {r["point"]: r for r in table(report, "The lead nearest to each mark")}
    # 30 beats of each of sel230, sele0106 and 50 of sel16420 were marked.
    assert rows["QRS on"]["marks"] == 110
    assert rows["T end"]["Se %"] > 95
    assert rows["QRS on"]["SD of all ms"] < 25


def test_the_reference_holds_what_the_files_hold(data):
    (record,) = wave_records(data / "ludb", ["44"])
    assert record.rhythm == "Atrial fibrillation"
    assert len(record.by_lead) == record.signal.shape[0] == 12
    assert all(lead.points["P peak"].size == 0 for lead in record.by_lead)


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda d: benchmark("waves", d / "ludb", ["prominence"]), UnknownNameError, "There is no delineator"),
        (lambda d: next(wave_records(d / "ludb", ["1000"])), InputError, "has no record '1000'"),
        (lambda d: next(wave_records(d / "nowhere")), InputError, "is not a folder"),
        (lambda d: Waves(tolerance_ms=0), InputError, "tolerance_ms=0 is not above 0"),
    ],
)
def test_what_cannot_be_scored_is_named(data, call, error, said):
    with pytest.raises(error, match=said):
        call(data)


def test_the_command_scores_waves_too(data):
    call = ["benchmark", "waves", "--data", str(data / "qtdb"), "--ann-ext", "q1c", "--json"]
    done = CliRunner().invoke(app, call)
    assert done.exit_code == 0, done.output
    titles = [t["title"] for t in json.loads(done.stdout)["tables"]]
    assert titles == ["The lead nearest to each mark", "Speed"]


def test_the_interval_of_a_spread_is_that_of_its_standard_error_and_wider_by_records():
    random = np.random.default_rng(0)
    same = [random.normal(0, 10, 20) for _ in range(100)]
    low, high = spread_interval(same)
    # The standard error of an SD of 2 000 normal values is 10 / sqrt(4 000) = 0.158.
    assert (low, high) == pytest.approx((10 - 0.31, 10 + 0.31), abs=0.25)
    one_bad = [*same[:-1], random.normal(0, 60, 20)]
    low, high = spread_interval(one_bad)
    assert low < 10.5, "a resample may lack the bad record"
    assert high > 13
    assert np.isnan(spread_interval(same[:1])).all()


def test_rows_have_intervals_over_records(report):
    for row in table(report, "Each lead alone"):
        if row["method"] == "ours" and np.isfinite(row["F1 %"]):
            low, high = row["F1 95 %"]
            assert low <= row["F1 %"] <= high
    (absent,) = [
        r
        for r in table(report, "Beats in leads without any marked P wave")
        if (r["method"], r["P waves judged from"]) == (f"{__name__}:eager", "1 lead")
    ]
    assert absent["specificity %"] == 0
