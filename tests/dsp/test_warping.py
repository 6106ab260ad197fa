"""Time stretched and squeezed: from the first sample to the last, never backwards, at the speeds asked for."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.dsp.warping import warp_map, warped


@pytest.mark.parametrize("n", [2, 3, 100, 5001])
@pytest.mark.parametrize("speeds", [[1.0, 1.0], [0.5, 2.0], [1.2, 0.8, 1.1, 0.9], [3.0, 0.1, 3.0]])
def test_the_map_rises_from_the_first_sample_to_the_last(speeds, n):
    place = warp_map(np.array(speeds), n)
    assert place.size == n
    assert place[0] == 0
    assert place[-1] == pytest.approx(n - 1)
    assert (np.diff(place) > 0).all()


@pytest.mark.parametrize("speed", [0.2, 1.0, 7.0])
def test_one_speed_throughout_changes_nothing(speed):
    np.testing.assert_allclose(warp_map(np.full(4, speed), 50), np.arange(50), atol=1e-9)


def test_the_ratio_of_the_speeds_is_that_asked_for():
    step = np.diff(warp_map(np.array([1.0, 1.0, 2.0, 2.0]), 3001))
    assert step[2600:].mean() / step[:400].mean() == pytest.approx(2.0, rel=1e-3)


def test_the_speed_stays_between_its_values():
    step = np.diff(warp_map(np.array([1.0, 1.0, 1.5, 1.5]), 3001))
    assert step.max() / step.min() == pytest.approx(1.5, rel=1e-3)


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_samples_are_read_where_they_are(n):
    place = warp_map(np.array([1.0, 2.0]), n)
    assert place.tolist() == [0.0] * n
    x = np.arange(3.0, 3.0 + n)[None]
    np.testing.assert_array_equal(warped(x, place), x)


def test_reading_at_every_sample_returns_the_signal():
    x = np.random.default_rng(0).normal(size=(3, 200)).astype(np.float32)
    np.testing.assert_allclose(warped(x, np.arange(200.0)), x, atol=1e-12)


def test_between_samples_a_smooth_wave_is_read_by_its_shape():
    t = np.arange(400)
    at = np.linspace(10, 380, 777)
    np.testing.assert_allclose(warped(np.sin(2 * np.pi * t / 40)[None], at)[0], np.sin(2 * np.pi * at / 40), atol=1e-4)


def test_a_beat_moves_to_where_the_map_says():
    place = warp_map(np.array([0.7, 1.4]), 1000)
    x = np.exp(-0.5 * ((np.arange(1000) - 400) / 8.0) ** 2)
    moved = warped(x[None], place)[0]
    assert place[moved.argmax()] == pytest.approx(400, abs=1)
    assert moved.max() == pytest.approx(1.0, abs=0.01)


def test_leads_move_together():
    x = np.stack([np.sin(np.arange(300) / 9), np.cos(np.arange(300) / 9)])
    moved = warped(x, warp_map(np.array([0.8, 1.2, 1.0]), 300))
    np.testing.assert_allclose(moved[0] ** 2 + moved[1] ** 2, 1, atol=1e-3)
