"""Where a lead cannot be measured: gaps, flat stretches and rails, each from where to where, in samples."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.analysis.waves import unusable as module
from cardioflow.analysis.waves.prepare import bridged, centre, known
from cardioflow.analysis.waves.unusable import CLIPPED, unusable

FS = 500.0


def noise(n: int = 5000, fs: float = FS) -> np.ndarray:
    """Return what changes from sample to sample by far more than 2 µV, with one largest and one smallest value."""
    x = 0.1 * np.random.default_rng(0).standard_normal(n)
    x[10], x[20] = 5.0, -5.0
    return x


def spans(x: np.ndarray, fs: float = FS) -> list[tuple[int, int, str]]:
    return [(part.start, part.stop, part.reason) for part in unusable(x, fs)]


def test_a_lead_that_moves_can_be_measured():
    assert spans(noise()) == []


@pytest.mark.parametrize("fs", [250.0, 500.0, 1000.0])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e13])
def test_samples_that_are_not_there_or_cannot_be_are_named(bad, fs):
    x = noise(round(10 * fs))
    a, b = round(2 * fs), round(3 * fs)
    x[a:b] = bad
    ((start, stop, reason),) = spans(x, fs)
    assert reason == "no samples"
    assert start == pytest.approx(a, abs=fs / 250)
    assert stop == pytest.approx(b, abs=fs / 250)


@pytest.mark.parametrize(("n", "told"), [(1, False), (8, False), (12, True)])
def test_a_gap_shorter_than_20_ms_is_bridged(n, told):
    x = noise()
    x[1000 : 1000 + n] = np.nan
    assert bool(spans(x)) is told


@pytest.mark.parametrize(("seconds", "told"), [(0.3, False), (0.39, False), (0.42, True), (3.0, True)])
def test_a_lead_that_stands_still_for_four_tenths_of_a_second_is_flat(seconds, told):
    x = noise()
    n = round(seconds * FS)
    x[1000 : 1000 + n] = 0.3
    found = spans(x)
    assert bool(found) is told
    if told:
        ((start, stop, reason),) = found
        assert reason == "flat"
        assert start == pytest.approx(1000, abs=4)
        assert stop == pytest.approx(1000 + n, abs=4)


def test_noise_of_one_microvolt_is_flat_and_of_ten_is_not():
    x = noise()
    x[1000:3000] = 1e-6 * np.random.default_rng(1).standard_normal(2000)
    assert [reason for *_, reason in spans(x)] == ["flat"]
    x[1000:3000] *= 1e4
    assert spans(x) == []


def test_a_lead_of_one_value_is_flat_and_not_clipped():
    assert spans(np.full(5000, 0.7)) == [(0, 5000, "flat")]
    assert spans(np.full(5000, np.nan)) == [(0, 5000, "no samples")]


@pytest.mark.parametrize(("seconds", "told"), [(0.03, False), (0.06, True)])
@pytest.mark.parametrize("sign", [-1, 1])
def test_the_largest_value_for_40_ms_is_a_rail(seconds, told, sign):
    x = np.clip(noise(), -0.5, 0.5)
    x[2000 : 2000 + round(seconds * FS)] = sign * 0.5
    assert [(reason, start) for start, _, reason in spans(x)] == ([(CLIPPED, 2000)] if told else [])


def test_a_number_that_cannot_be_does_not_hide_the_rails():
    x = np.clip(noise(), -0.5, 0.5)
    x[2000:2030] = 0.5
    x[4000] = 1e13
    assert spans(x) == [(2000, 2030, CLIPPED)]


def test_every_stretch_has_its_own_reason_in_order_of_time():
    x = noise()
    x[:500] = np.nan
    x[1000:1500] = 0.2
    x[4500:] = np.nan
    assert [(round(a, -1), round(b, -1), why) for a, b, why in spans(x)] == [
        (0, 500, "no samples"), (1000, 1500, "flat"), (4500, 5000, "no samples"),
    ]  # fmt: skip


def test_a_lead_in_blocks_has_the_stretches_of_the_whole(monkeypatch):
    x = noise()
    x[900:1900], x[2500:3500], x[4000:4100] = np.nan, 0.1, 5.0
    whole = spans(x)
    assert len(whole) == 3
    for size in (1000, 1024, 333):
        monkeypatch.setattr(module, "_BLOCK", size)
        assert spans(x) == whole


def test_short_gaps_become_straight_lines_and_long_ones_stay():
    x = np.array([[0.0, np.nan, np.nan, 3.0, np.nan, np.nan, np.nan, 7.0, np.nan]])
    np.testing.assert_allclose(bridged(x, 100.0, 0.02)[0, :4], [0, 1, 2, 3])
    assert np.isnan(bridged(x, 100.0, 0.02)[0, 4:7]).all()
    np.testing.assert_allclose(bridged(x, 100.0, 0.03)[0, 3:8], [3, 4, 5, 6, 7])
    assert np.isnan(bridged(x, 100.0, 1.0)[0, 8]), "nothing follows the last gap"
    assert np.isnan(x[0, 1]), "the input stays as it was"


def test_numbers_of_no_ecg_are_gaps_too():
    assert known(np.array([1.0, np.nan, np.inf, 2e12, -5e11])).tolist() == [True, False, False, False, True]
    np.testing.assert_allclose(bridged(np.array([[1.0, 1e15, 3.0]]), 100.0, 0.02), [[1, 2, 3]])


def test_the_centre_is_the_median_of_what_is_there():
    assert centre(np.array([5.0, np.nan, 1.0, 1e20, 3.0])) == 3
    assert centre(np.full(3, np.nan)) == 0
    assert centre(np.empty(0)) == 0
    assert centre(np.arange(3_000_001.0)) == pytest.approx(1_500_000, rel=1e-5)
