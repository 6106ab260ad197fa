"""Fingerprints outlast gain, polarity, offset, rate and cuts, and two hearts do not share them."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.dsp.fingerprint import FS, correlations, fingerprints
from cardioflow.dsp.simulate import simulate_ecg

RATE = 250.0


@pytest.fixture(scope="module")
def ecg() -> np.ndarray:
    return simulate_ecg(3, fs=RATE, duration_s=40, leads=("II",), rhythm="AF").signal[0]


def prints(*signals: np.ndarray, fs: float | list[float] = RATE):
    lengths = np.array([s.size for s in signals], np.int64)
    data = np.concatenate(signals).astype(np.float32)
    return fingerprints(
        data, np.cumsum(lengths) - lengths, lengths, np.broadcast_to(np.asarray(fs, float), lengths.size)
    )


def shared(found) -> float:
    """Return the share of the second signal's hashes that the first one has."""
    first, second = np.split(found.hashes, [found.counts[0]])
    return float(np.isin(second, first).mean()) if second.size else 0.0


@pytest.mark.parametrize(
    "change",
    [lambda x: 0.2 * x, lambda x: 30 * x, lambda x: -x, lambda x: x + 5, lambda x: x + np.linspace(0, 2, x.size)],
    ids=["quieter", "louder", "upside down", "with an offset", "with a drift"],
)
def test_what_a_device_changes_changes_few_hashes(ecg, change):
    found = prints(ecg, change(ecg).astype(np.float32))
    assert found.counts[0] > 40
    assert shared(found) > 0.85


def test_another_heart_shares_none(ecg):
    other = simulate_ecg(4, fs=RATE, duration_s=40, leads=("II",), rhythm="AF").signal[0]
    assert shared(prints(ecg, other)) < 0.05


@pytest.mark.parametrize("fs", [125.0, 360.0, 500.0])
def test_another_rate_keeps_most_hashes(ecg, fs):
    t = np.arange(0, 40, 1 / fs)
    other = np.interp(t, np.arange(ecg.size) / RATE, ecg)
    found = prints(ecg, other, fs=[RATE, fs])
    assert shared(found) > 0.7
    assert found.lengths.tolist() == [4000, 4000]


def test_a_cut_keeps_the_hashes_that_lie_within_it_and_says_where(ecg):
    begin = 2500
    found = prints(ecg, ecg[begin:7500])
    first, second = np.split(found.hashes, [found.counts[0]])
    at, later = np.split(found.at, [found.counts[0]])
    assert np.isin(second, first).mean() > 0.8
    both = [(at[i], later[j]) for i, a in enumerate(first) for j, b in enumerate(second) if a == b]
    lag = np.median([a - b for a, b in both])
    assert lag == pytest.approx(begin / RATE * FS, abs=1)


def test_pairs_are_compared_where_the_shared_hash_says(ecg):
    found = prints(ecg, -0.5 * ecg[2500:7500])
    begin = int(found.lengths[0])
    pair = (np.array([0]), np.array([begin]))
    lengths = (found.lengths[:1], found.lengths[1:])
    size, seconds = correlations(found.wave, *pair, lengths, np.array([1500.0]), np.array([-1000.0]))
    assert size[0] > 0.99, "upside down is as good"
    assert seconds[0] > 10
    size, _ = correlations(found.wave, *pair, lengths, np.array([1500.0]), np.array([-930.0]))
    assert size[0] < 0.8, "at another lag they have nothing in common"


@pytest.mark.parametrize(
    "x", [np.zeros(5000), np.full(5000, 2.0), np.ones(3), np.full(5000, np.nan)],
    ids=["zeros", "a level", "three samples", "missing"],
)  # fmt: skip
def test_what_has_no_waves_has_no_hash_and_does_not_disturb_its_neighbours(ecg, x):
    alone, among = prints(ecg), prints(x, ecg, x)
    assert among.counts[0] == among.counts[2] == 0
    assert among.counts[1] == alone.counts[0]
    np.testing.assert_array_equal(among.hashes, alone.hashes)
    assert np.abs(alone.wave.astype(int)).max() == 127


def test_nothing_makes_no_prints():
    none = np.empty(0, np.int64)
    found = fingerprints(np.empty(0, np.float32), none, none, np.empty(0))
    assert found.hashes.size == found.wave.size == found.counts.size == 0
