"""The median beat: which beats it is of, where they are aligned, and what it looks like."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.analysis.measure.median_beat import align

FS = 500.0
BEFORE, AFTER = 225, 350  # 0.45 and 0.7 s


def shape(gain: float = 1.0, width: float = 1.0) -> np.ndarray:
    """Return a beat of 0.9 s whose R peak is at sample 150."""
    t = (np.arange(450) - 150) / FS
    return gain * (
        0.1 * np.exp(-0.5 * ((t + 0.16) / 0.02) ** 2)
        + np.exp(-0.5 * (t / (0.012 * width)) ** 2)
        - 0.25 * np.exp(-0.5 * ((t - 0.035 * width) / (0.012 * width)) ** 2)
        + 0.3 * np.exp(-0.5 * ((t - 0.28) / 0.045) ** 2)
    )


def record(peaks, *, leads=(1.0,), other=(), noise=0.002, n=6000, seed=0) -> np.ndarray:
    """Return beats of one shape at ``peaks``; those numbered in ``other`` are wide and inverted."""
    x = np.zeros((len(leads), n))
    for k, at in enumerate(peaks):
        own = shape(-0.8, 4.0) if k in other else shape()
        first, last = max(at - 150, 0), min(at + 300, n)
        x[:, first:last] += np.outer(leads, own[first - at + 150 : last - at + 150])
    return (x + noise * np.random.default_rng(seed).standard_normal(x.shape)).astype(np.float32)


PEAKS = np.arange(400, 5600, 500)


def test_the_median_of_equal_beats_is_that_beat_with_its_peak_at_the_alignment():
    found = align(record(PEAKS, leads=(1.0, -0.5)), FS, PEAKS)
    assert found.used.all()
    assert found.at == BEFORE
    # The period of 500 samples is shorter than 0.45 + 0.7 s.
    assert found.signal.shape == (2, 500)
    expected = np.zeros(500)
    expected[BEFORE - 150 : BEFORE + 275] = shape()[:425]
    expected -= np.median(expected)
    np.testing.assert_allclose(found.signal[0], expected, atol=0.006)
    np.testing.assert_allclose(found.signal[1], -0.5 * expected, atol=0.006)


@pytest.mark.parametrize("jitter", [1, 5, 9])
def test_peaks_that_are_off_by_some_samples_are_moved_to_where_the_beats_fit(jitter):
    moved = PEAKS + np.random.default_rng(1).integers(-jitter, jitter + 1, PEAKS.size)
    found = align(record(PEAKS), FS, moved)
    assert found.used.all()
    # All by the same distance, at which the beats lie on one another.
    assert np.ptp(found.places - PEAKS) <= 1
    assert found.signal[0].max() == pytest.approx(1.0, abs=0.03), "a median of beats beside one another is lower"


def test_a_beat_is_moved_by_20_ms_at_most():
    moved = PEAKS.copy()
    moved[3] += 30
    found = align(record(PEAKS), FS, moved)
    assert abs(int(found.places[3]) - moved[3]) <= 10
    assert not found.used[3]


@pytest.mark.parametrize("wide", [(2,), (0, 5), (1, 4, 7)])
def test_wide_beats_are_left_out_and_do_not_change_the_median(wide):
    expected = align(record(PEAKS), FS, PEAKS).signal
    found = align(record(PEAKS, other=wide), FS, PEAKS)
    assert set(np.flatnonzero(~found.used)) == set(wide)
    np.testing.assert_allclose(found.signal, expected, atol=0.006)


def test_a_premature_beat_of_the_usual_shape_is_left_out_in_a_regular_rhythm_alone():
    early = PEAKS.copy()
    early[5] -= 100
    found = align(record(early), FS, early)
    assert np.flatnonzero(~found.used).tolist() == [5]
    slightly = PEAKS.copy()
    slightly[5] -= 60  # 88 % of the usual interval
    assert align(record(slightly), FS, slightly).used.all()
    irregular = np.array([400, 1000, 1380, 2100, 2500, 3200, 3600, 4300, 4700, 5300])
    assert align(record(irregular), FS, irregular).used.sum() == irregular.size


def test_beats_that_reach_beyond_the_record_are_left_out():
    peaks = np.array([60, 560, 1060, 1560, 2060, 2460])
    found = align(record(peaks, n=2500), FS, peaks)
    assert found.used.tolist() == [False, True, True, True, True, False]


def test_a_gap_costs_the_beats_in_it_only_where_no_lead_is_whole():
    x = record(PEAKS, leads=(1.0, 0.6))
    one = x.copy()
    one[0, PEAKS[4] - 20 : PEAKS[4] + 20] = np.nan
    assert align(one, FS, PEAKS).used.all(), "the other lead has the beat"
    both = one.copy()
    both[1, PEAKS[4] + 5] = np.nan
    found = align(both, FS, PEAKS)
    assert np.flatnonzero(~found.used).tolist() == [4]
    assert np.isfinite(found.signal).all()


def test_a_step_of_the_baseline_does_not_change_the_shape():
    x = record(PEAKS)
    expected = align(x, FS, PEAKS).signal
    x[:, 2600:] += 1.7
    np.testing.assert_allclose(align(x, FS, PEAKS).signal, expected, atol=0.02)


def test_a_lead_without_a_sample_stays_missing_and_the_others_have_a_beat():
    x = record(PEAKS, leads=(1.0, 1.0))
    x[1] = np.nan
    found = align(x, FS, PEAKS)
    assert found.used.all()
    assert np.isfinite(found.signal[0]).all()
    assert np.isnan(found.signal[1]).all()


def test_noise_has_no_common_shape():
    x = np.random.default_rng(2).standard_normal((1, 6000)).astype(np.float32)
    found = align(x, FS, PEAKS)
    assert not found.used.any()
    assert found.signal.shape == (1, 0)


@pytest.mark.parametrize("peaks", [[], [30], [5990]], ids=["none", "at the start", "at the end"])
def test_without_a_whole_beat_there_is_no_median(peaks):
    found = align(record(PEAKS, leads=(1.0, 1.0)), FS, np.array(peaks, np.int64))
    assert found.signal.shape == (2, 0)
    assert not found.used.any()
    assert found.used.size == len(peaks)


def test_one_beat_is_its_own_median():
    found = align(record([3000]), FS, np.array([3000]))
    assert found.used.tolist() == [True]
    assert found.signal.shape == (1, BEFORE + AFTER)
    assert int(found.signal[0].argmax()) == BEFORE


@pytest.mark.parametrize("gain", [1e-3, 1.0, 1e3])
def test_which_beats_are_used_does_not_depend_on_the_gain(gain):
    x = record(PEAKS, other=(3,))
    found, expected = align((gain * x).astype(np.float32), FS, PEAKS), align(x, FS, PEAKS)
    assert found.used.tolist() == expected.used.tolist()
    np.testing.assert_allclose(found.signal, gain * expected.signal, rtol=1e-4, atol=1e-6 * gain)


def test_beats_of_a_fast_heart_do_not_reach_into_one_another():
    peaks = np.arange(300, 5700, 200)  # 150 per minute
    found = align(record(peaks), FS, peaks)
    assert found.signal.shape == (1, 200)
    assert found.at == 100
