"""The rules after the network: no P in fibrillation, global boundaries on which leads agree, leads fused by weight."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.analysis.waves.atrial import without_invented_p
from cardioflow.analysis.waves.fusion import fused, with_global_boundaries
from cardioflow.analysis.waves.results import LeadWaves, WaveMarks


def marks(onset, length=20):
    onset = np.asarray(onset, np.int64)
    return WaveMarks(onset, onset + length // 2, onset + length, np.full(onset.size, -1), np.full(onset.size, 0.9))


def rhythm(rr, share):
    """Beats with these RR in samples, of which every so-many-th has a P wave 40 samples before it."""
    r = 100 + np.cumsum(np.asarray(rr))
    has_p = (np.arange(r.size) * share) % 1 < share
    return LeadWaves(marks(r[has_p] - 40), marks(r), marks(r + 60))


REGULAR = np.full(40, 200)
IRREGULAR = np.random.default_rng(0).integers(120, 280, 40)


@pytest.mark.parametrize(
    ("rr", "share", "kept"),
    [(REGULAR, 1.0, True), (REGULAR, 0.3, True), (IRREGULAR, 1.0, True), (IRREGULAR, 0.25, False)],
    ids=["sinus", "regular with few", "sinus arrhythmia", "fibrillation"],
)
def test_p_waves_go_only_where_the_rhythm_is_irregular_and_few_beats_have_one(rr, share, kept):
    waves = rhythm(rr, share)
    found = without_invented_p(waves)
    assert len(waves.p) > 0
    assert len(found.p) == (len(waves.p) if kept else 0)
    assert len(found.qrs) == len(waves.qrs)
    assert bool(found.notes) is not kept


def test_an_episode_of_fibrillation_does_not_cost_the_p_waves_of_the_sinus_rhythm_around_it():
    waves = rhythm(np.concatenate([np.full(60, 200), np.random.default_rng(1).integers(100, 300, 60)]), 1.0)
    in_sinus = waves.p.onset < waves.qrs.onset[60]
    episode = LeadWaves(waves.p.take(in_sinus | (np.arange(len(waves.p)) % 5 == 0)), waves.qrs, waves.t)
    found = without_invented_p(episode)
    assert (found.p.onset < waves.qrs.onset[60]).sum() >= in_sinus.sum() - 8
    assert (found.p.onset > waves.qrs.onset[75]).sum() == 0
    assert found.notes[0].start >= waves.qrs.onset[50]


def test_few_beats_are_not_a_rhythm():
    waves = rhythm([200, 120, 280], 0.4)
    assert len(without_invented_p(waves).p) == len(waves.p)


def lead(onset, end):
    one = WaveMarks(np.array([onset]), np.array([(onset + end) // 2]), np.array([end]), np.array([-1]), np.array([0.9]))
    return LeadWaves(WaveMarks.none(), one, WaveMarks.none())


def test_a_global_boundary_is_the_earliest_that_two_other_leads_follow():
    # At 1000 Hz, onsets 180, 200, 204, 206, 220: 180 stands alone, and 200 is followed by 204 and 206 within 10 ms.
    leads = [lead(a, b) for a, b in ((180, 300), (200, 302), (204, 305), (206, 340), (220, 298))]
    found = with_global_boundaries(lead(205, 300), leads, 1000.0).qrs
    assert found.onset.tolist() == [200]
    # Ends 298, 300, 302, 305, 340: 340 stands alone; 305 is preceded by 302 and 300.
    assert found.end.tolist() == [305]


def test_where_no_three_leads_agree_the_median_stands():
    leads = [lead(a, 300) for a in (100, 150, 200, 250)]
    assert with_global_boundaries(lead(205, 300), leads, 1000.0).qrs.onset.tolist() == [175]


def test_two_leads_leave_the_boundary_of_their_common_probabilities():
    leads = [lead(180, 310), lead(210, 290)]
    found = with_global_boundaries(lead(200, 300), leads, 1000.0).qrs
    assert (found.onset.tolist(), found.end.tolist()) == ([200], [300])


def test_a_lead_that_shows_no_qrs_does_not_outvote_one_that_does():
    p = np.zeros((2, 1000, 4), np.float32)
    p[:, :, 0] = 1.0
    p[0, 480:520] = (0.0, 0.0, 1.0, 0.0)
    together = fused(p, np.ones((2, 1000), np.bool_))
    assert together[500, 2] > 0.9
    assert together[100, 0] == pytest.approx(1.0)


def test_a_lead_without_samples_does_not_count():
    p = np.zeros((2, 1000, 4), np.float32)
    p[0, :, 2], p[1, :, 2] = 1.0, 0.5
    usable = np.stack([np.zeros(1000, np.bool_), np.ones(1000, np.bool_)])
    assert fused(p, usable)[500, 2] == pytest.approx(0.5, abs=1e-5)
