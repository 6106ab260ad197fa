"""The task ``rhythm``: episodes and durations of fibrillation counted as epicmp counts them."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from cardioflow.batch.annotation import Annotation
from cardioflow.errors import InputError, UnknownNameError
from cardioflow.io._wfdb.write_marks import annotation_bytes
from cardioflow.referee import benchmark
from cardioflow.referee.episodes import outside, overlap, score_episodes, tidy
from cardioflow.referee.records import records_of
from cardioflow.referee.tasks.rhythm import rhythm_episodes

FS = 100
FOUND = [(350.0, 420.0), (500.0, 510.0), (620.0, 640.0), (100.0, 110.0)]


def some(signal, fs, beats):
    """Episodes that a test works out by hand; the beats are those of the reference."""
    assert (fs, beats.tolist()) == (FS, list(range(50, 70000, 80)))
    return FOUND


def none(signal, fs, beats):
    return []


def three_numbers(signal, fs, beats):
    return [(1.0, 2.0, 3.0)]


def write(folder, n, beats, rhythms):
    """Write a flat record of ``n`` samples at 100 Hz with beats and, by second, labels of rhythms."""
    marks = [(int(beat), "N", "") for beat in beats]
    marks += [(round(start * FS) + 1, "+", label) for start, label in rhythms.items()]
    sample, symbol, note = zip(*sorted(marks), strict=True)
    (folder / "r.hea").write_text(f"r 1 {FS} {n}\nr.dat 16 200/mV 16 0 0 0 0 II\n")
    (folder / "r.dat").write_bytes(bytes(2 * n))
    (folder / "r.atr").write_bytes(annotation_bytes(Annotation(np.array(sample), np.array(symbol), note)))


@pytest.fixture
def here(monkeypatch):
    monkeypatch.setitem(sys.modules, "mine", sys.modules[__name__])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """700 s: fibrillation at 200–310, 390–450 and 690–700 s, flutter at 600–630 s."""
    path = tmp_path_factory.mktemp("rhythms")
    rhythms = {0: "(N", 200: "(AFIB", 310: "(N", 390: "(AFIB", 450: "(N", 600: "(AFL", 630: "(N", 690: "(AFIB"}
    write(path, 700 * FS, range(50, 70000, 80), rhythms)
    return path


def _rows(report, title):
    return next(t["rows"] for t in report.to_dict()["tables"] if t["title"].startswith(title))


def test_a_rhythm_lasts_from_its_label_to_the_next_one_and_the_last_to_the_end(folder):
    (record,) = records_of(folder)
    found = rhythm_episodes(record, "(AFIB")
    assert found == [(200.01, 310.01), (390.01, 450.01), (690.01, 700.0)]
    assert rhythm_episodes(record, "(AFL") == [(600.01, 630.01)]


def test_episodes_and_seconds_are_those_of_a_count_by_hand(folder, here):
    report = benchmark("rhythm", folder, ["mine:some"], positions="reference")
    rows = {(r["span"], r["flutter"]): r for r in _rows(report, "Gross")}
    # After 300 s: reference 300–310, 390–450, 690–700 (80 s); found 350–420, 500–510, 620–640 (100 s); shared 390–420.
    own = rows["EC57", "is not AF"]
    assert own["episodes"] == 3
    assert own["minutes"] == pytest.approx(80 / 60)
    assert own["episode Se %"] == pytest.approx(100 / 3)
    assert own["episode PPV %"] == pytest.approx(100 / 3)
    assert own["duration Se %"] == pytest.approx(100 * 30 / 80, abs=0.02)
    assert own["duration PPV %"] == pytest.approx(100 * 30 / 100, abs=0.02)
    # Without the 10 s of flutter, 90 s were found, in as many episodes: 630–640 is left.
    assert rows["EC57", "left out"]["duration PPV %"] == pytest.approx(100 * 30 / 90, abs=0.02)
    # From the start on, 200–310 counts in full, and 100–110 is false too.
    whole = rows["whole", "is not AF"]
    assert whole["duration Se %"] == pytest.approx(100 * 30 / 180, abs=0.02)
    assert whole["episode PPV %"] == 25.0
    (record,) = _rows(report, "mine:some, records")
    assert (record["found"], record["of found met"], record["of these met"]) == (3, 1, 1)


def test_a_method_that_finds_nothing_has_no_sensitivity_and_no_precision(folder, here):
    report = benchmark("rhythm", folder, ["mine:none"], positions="reference")
    row = _rows(report, "Gross")[0]
    assert row["episode Se %"] == row["duration Se %"] == 0
    assert row["episode PPV %"] is None
    assert row["duration PPV %"] is None
    assert row["episode Se 95 %"] == [None, None], "one record has no spread"


def test_episodes_that_touch_are_one_and_what_is_excluded_splits_one():
    assert tidy([(5, 9), (0, 2), (2, 4), (8, 30), (50, 60)], 1, 20) == ((1, 4), (5, 20))
    assert outside([(0, 10), (20, 30)], [(2, 4), (8, 25)]) == ((0, 2), (4, 8), (25, 30))
    assert overlap([(0, 10)], [(2, 4), (8, 25)]) == 4
    score = score_episodes([(0, 10), (20, 30)], [(9, 21), (40, 50)])
    assert (score.reference_met, score.found_met) == (2, 1), "one found episode meets two"
    # Flutter inside a found episode takes its time away, and the episode is still one, as epicmp -x counts.
    score = score_episodes([(0, 10)], [(5, 40), (50, 55)], [(20, 30), (48, 60)])
    assert (score.found, score.found_met, score.found_s, score.shared_s) == (1, 1, 25, 5)


def test_ours_finds_irregular_beats_and_leaves_regular_ones_alone(tmp_path):
    random = np.random.default_rng(0)
    rr = np.concatenate([np.full(400, 0.8), random.uniform(0.4, 1.2, 250)])
    beats = np.round(FS * np.cumsum(rr)).astype(int)
    write(tmp_path, beats[-1] + FS, beats, {0: "(N", beats[399] / FS: "(AFIB"})
    row = _rows(benchmark("rhythm", tmp_path, ["ours"], positions="reference"), "Gross")[0]
    assert row["episode Se %"] == row["episode PPV %"] == 100
    assert row["duration Se %"] > 95
    assert row["duration PPV %"] > 90


def test_what_is_asked_wrongly_is_answered_in_one_sentence(data, folder, here):
    with pytest.raises(UnknownNameError, match=r"There is no detector of rhythms 'ours-p'.* 'ours-p-waves'"):
        benchmark("rhythm", folder, ["ours-p"])
    with pytest.raises(InputError, match=r"mine:three_numbers returned float64 of shape \(1, 3\)\. Return a list of"):
        benchmark("rhythm", folder, ["mine:three_numbers"], positions="reference")
    with pytest.raises(InputError, match="positions='all' is not one of"):
        benchmark("rhythm", folder, positions="all")
    with pytest.raises(InputError, match=r"No record of .* has rhythm labels such as \(AFIB"):
        benchmark("rhythm", data / "ludb", ["mine:none"], ann_ext="ii", positions="reference")
