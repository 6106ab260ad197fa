"""Pairs of events, checked by hand and against WFDB's own comparison."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.analysis.matching import match_events
from cardioflow.errors import InputError
from cardioflow.referee.counts import Counts, gross
from cardioflow.referee.methods.base import peer


def _pairs(reference: list[int], detected: list[int], window: int = 54) -> list[tuple[int, int]]:
    found = match_events(reference, detected, window)
    pairs = [(reference[i], detected[j]) for i, j in enumerate(found.reference.tolist()) if j >= 0]
    assert [(reference[i], detected[j]) for j, i in enumerate(found.detected.tolist()) if i >= 0] == pairs
    return pairs


@pytest.mark.parametrize(
    ("reference", "detected", "pairs"),
    [
        ([100, 200, 300], [100, 200, 300], [(100, 100), (200, 200), (300, 300)]),
        ([100], [154], [(100, 154)]),
        ([100], [155], []),
        ([100], [], []),
        ([], [100], []),
        # Two detections of one beat: the nearer one is true, the other false.
        ([100], [90, 101], [(100, 101)]),
        ([100], [99, 120], [(100, 99)]),
        # Two beats and one detection between them: it belongs to the nearer one.
        ([100, 150], [140], [(150, 140)]),
        ([100, 150], [110], [(100, 110)]),
        # Each takes its own, although the second beat's detection is nearer to the first beat than its own.
        ([100, 130], [60, 120], [(100, 60), (130, 120)]),
        # A bias shifts all pairs alike and makes no errors.
        ([100, 200, 300], [140, 240, 340], [(100, 140), (200, 240), (300, 340)]),
    ],
)
def test_events_are_paired_one_to_one_with_the_nearest(reference, detected, pairs):
    assert _pairs(reference, detected) == pairs


def test_equal_distances_pair_the_earlier_one():
    assert _pairs([100], [90, 110]) == [(100, 90)]


@pytest.mark.parametrize("seed", range(5))
def test_counts_agree_with_wfdb_on_beats_with_jitter_misses_and_extra_detections(seed):
    random = np.random.default_rng(seed)
    reference = np.cumsum(random.integers(120, 400, 500))
    kept = reference[random.random(500) > 0.05]
    detected = np.unique(
        np.concatenate([kept + random.integers(-30, 31, kept.size), random.integers(0, reference[-1], 20)])
    )
    theirs = peer("wfdb.processing").compare_annotations(reference, detected, 54)
    ours = match_events(reference, detected, 54)
    assert abs(int((ours.reference >= 0).sum()) - theirs.tp) <= 1
    assert abs(int((ours.detected < 0).sum()) - theirs.fp) <= 1


def test_lists_out_of_order_are_refused():
    with pytest.raises(InputError, match=r"match_events\(detected=…\) is not a list of samples in order of time"):
        match_events([1, 2], [2, 1], 5)
    with pytest.raises(InputError, match=r"match_events\(window=-1\) is below 0"):
        match_events([1], [1], -1)


def test_sensitivity_ppv_and_f1_by_hand():
    counts = Counts(true=90, missed=10, false=30)
    assert counts.sensitivity == 0.9
    assert counts.ppv == 0.75
    assert counts.f1 == pytest.approx(2 * 0.9 * 0.75 / (0.9 + 0.75))
    assert np.isnan(Counts(0, 0, 0).sensitivity)


def test_the_gross_value_weighs_beats_and_its_interval_weighs_records():
    alike = gross([Counts(90, 10, 0)] * 20)
    assert alike["sensitivity"] == (0.9, 0.9, 0.9), "records that are alike leave no doubt"
    value, low, high = gross([Counts(1000, 0, 0)] * 19 + [Counts(0, 1000, 0)])["sensitivity"]
    assert value == 0.95
    # 20 records of which one fails: the interval is that of the share of failures, 0 to 3 of 20 drawn.
    assert low == pytest.approx(0.85, abs=0.051)
    assert high == 1.0
    assert np.isnan(gross([Counts(1, 1, 1)])["ppv"][1]), "one record gives no interval"
