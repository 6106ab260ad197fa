"""Detectors as a drawer: what every one promises, and the second detector's own rules."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.analysis.beats import detect_beats
from cardioflow.analysis.detectors.curve_length import CurveLength
from cardioflow.analysis.detectors.two_pass import TwoPass
from cardioflow.errors import InputError

DETECTORS = (TwoPass(), CurveLength())


def beats_at(times, fs: float, seconds: float, noise_mv: float = 0.01) -> np.ndarray:
    t = np.arange(round(seconds * fs)) / fs
    x = noise_mv * np.random.default_rng(0).standard_normal(t.size)
    for at in times:
        for height, shift, width in ((0.12, -0.16, 0.025), (1.2, 0.0, 0.012), (-0.25, 0.032, 0.012), (0.3, 0.28, 0.05)):
            x += height * np.exp(-0.5 * ((t - at - shift) / width) ** 2)
    return x


@pytest.mark.parametrize("detector", DETECTORS, ids=["two_pass", "curve_length"])
class TestEveryDetector:
    @pytest.mark.parametrize("fs", [100.0, 250.0, 360.0, 1000.0])
    def test_beats_are_found_where_they_are_at_every_rate(self, detector, fs):
        # The second detector learns its threshold in the first seconds.
        times = np.arange(1.0, 29.0, 0.83)
        found = detector(beats_at(times, fs, 30.0), fs).sample / fs
        apart = np.abs(found[:, None] - times[None, :])
        assert len(found) == len(times)
        assert apart.min(axis=1).max() < 0.02

    def test_one_lead_may_have_one_axis_or_two(self, detector):
        x = beats_at(np.arange(1.0, 19.0, 0.8), 250.0, 20.0)
        assert np.array_equal(detector(x, 250.0).sample, detector(x[None], 250.0).sample)

    def test_samples_are_in_order_and_inside_the_signal(self, detector):
        x = beats_at(np.arange(0.05, 20.0, 0.7), 250.0, 20.0)
        found = detector(x, 250.0).sample
        assert (np.diff(found) > 0).all()
        assert found[0] >= 0
        assert found[-1] < x.size
        assert found.dtype == np.int64

    def test_direction_and_gain_do_not_matter(self, detector):
        x = beats_at(np.arange(1.0, 19.0, 0.8), 250.0, 20.0)
        for own in (-x, 3 * x, x + 1.0):
            assert np.abs(detector(own, 250.0).sample - detector(x, 250.0).sample).max() <= 2

    def test_later_by_whole_seconds_is_later_by_as_many_samples(self, detector):
        x = beats_at(np.arange(1.0, 29.0, 0.8), 256.0, 30.0)
        late = np.concatenate([np.full(4 * 256, x[0]), x])
        early = detector(x, 256.0).sample
        own = detector(late, 256.0).sample - 4 * 256
        assert np.abs(own[:, None] - early[None, :]).min(axis=0).max() <= 3

    @pytest.mark.parametrize("x", [np.zeros(5000), np.empty(0), np.full(5000, np.nan), np.zeros((0, 100))])
    def test_nothing_has_no_beats(self, detector, x):
        assert len(detector(x, 250.0)) == 0

    def test_missing_samples_cost_only_the_beats_in_them(self, detector):
        times = np.arange(1.0, 39.0, 0.8)
        x = beats_at(times, 250.0, 40.0)
        x[10 * 250 : 14 * 250] = np.nan
        found = detector(x, 250.0).sample / 250
        outside = times[(times < 9.8) | (times > 14.5)]
        assert np.abs(found[:, None] - outside[None, :]).min(axis=0).max() < 0.03
        assert not ((found > 10.1) & (found < 13.9)).any()

    def test_read_only_and_whole_numbers_are_taken(self, detector):
        x = np.rint(1000 * beats_at(np.arange(1.0, 19.0, 0.8), 250.0, 20.0)).astype(np.int16)
        x.flags.writeable = False
        assert len(detector(x, 250.0)) == 23

    def test_a_rate_below_80_hz_is_refused(self, detector):
        with pytest.raises(InputError, match=r"at least 80 Hz, but got fs=60"):
            detector(np.zeros(5000), 60.0)


def test_the_second_detector_reads_the_first_lead_and_gives_no_confidence():
    x = beats_at(np.arange(1.0, 19.0, 0.8), 250.0, 20.0)
    found = CurveLength()(np.stack([x, np.random.default_rng(1).standard_normal(x.size)]), 250.0)
    assert np.array_equal(found.sample, CurveLength()(x, 250.0).sample)
    assert np.isnan(found.confidence).all()
    assert (found.lead == 0).all()
    with pytest.raises(InputError, match=r"Pass \(lead, time\) in mV"):
        CurveLength()(np.zeros((2, 2, 100)), 250.0)


def test_the_second_detector_finds_small_beats_after_large_ones_once_the_threshold_has_fallen():
    times = np.arange(1.0, 39.0, 0.8)
    x = beats_at(times, 250.0, 40.0, noise_mv=0.0)
    x[20 * 250 :] *= 0.4
    found = CurveLength()(x, 250.0).sample / 250
    assert np.abs(found[:, None] - times[times > 24][None, :]).min(axis=0).max() < 0.03


def test_options_of_the_detector_are_those_of_the_function():
    x = 0.02 * beats_at(np.arange(1.0, 19.0, 0.8), 250.0, 20.0, noise_mv=0.001)
    assert len(TwoPass()(x, 250.0)) == 0, "15 µV is not a QRS by default"
    assert len(TwoPass(least_mv=0.005)(x, 250.0)) == len(detect_beats(x, 250.0, least_mv=0.005)) == 23


def test_a_higher_threshold_gives_a_subset_of_beats():
    rng = np.random.default_rng(4)
    x = beats_at(np.arange(1.0, 59.0, 0.8), 250.0, 60.0) + 0.6 * rng.standard_normal(15_000)
    many, some, few = (set(TwoPass(threshold=t)(x, 250.0).sample.tolist()) for t in (-3.0, -0.3, 3.0))
    assert few <= some <= many
    assert len(few) < len(many) - 10


def test_confidence_is_the_probability_at_the_threshold():
    x = beats_at(np.arange(1.0, 59.0, 0.8), 250.0, 60.0) + 0.25 * np.random.default_rng(4).standard_normal(15_000)
    found = TwoPass(threshold=1.0)(x, 250.0)
    # Log-odds above 1 are a probability above 1 / (1 + 1/e).
    assert found.confidence.min() > 1 / (1 + np.exp(-1))
    assert found.confidence.max() <= 1


def test_the_deflection_has_the_sign_of_the_qrs_and_grows_with_it():
    times = np.arange(1.0, 19.0, 0.8)
    x = beats_at(times, 250.0, 20.0, noise_mv=0.0)
    up, down, double = (detect_beats(own, 250.0).deflection_mv for own in (x, -x, 2 * x))
    assert (up > 0.4).all()
    np.testing.assert_allclose(down, -up, rtol=1e-5)
    np.testing.assert_allclose(double, 2 * up, rtol=1e-5)


def test_intervals_are_seconds_from_beat_to_beat():
    times = np.arange(1.0, 19.0, 0.8)
    found = detect_beats(beats_at(times, 500.0, 20.0, noise_mv=0.0), 500.0)
    np.testing.assert_allclose(found.rr_s, 0.8, atol=0.005)
    assert len(found.rr_s) == len(found) - 1


def test_the_order_of_leads_changes_where_a_beat_is_measured_and_not_whether():
    times = np.arange(1.0, 39.0, 0.8)
    one = beats_at(times, 250.0, 40.0)
    two = -0.6 * one + 0.02 * np.random.default_rng(2).standard_normal(one.size)
    a, b = detect_beats(np.stack([one, two]), 250.0), detect_beats(np.stack([two, one]), 250.0)
    assert len(a) == len(b) == len(times)
    assert (a.lead == 0).all()
    assert (b.lead == 0).all()
    assert np.abs(a.sample - b.sample).max() <= 2


def test_a_beat_that_only_one_of_two_leads_shows_is_found():
    times = np.arange(1.0, 39.0, 0.8)
    whole = beats_at(times, 250.0, 40.0)
    half = beats_at(times[times < 20], 250.0, 40.0)
    half[20 * 250 :] = np.nan
    found = detect_beats(np.stack([half, whole]), 250.0)
    assert len(found) == len(times)
    assert set(found.lead[found.sample < 19 * 250]) == {0}
    assert set(found.lead[found.sample > 21 * 250]) == {1}
