"""Quality of beats and seconds: high where the lead is clean, low where it is noise."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.analysis.beat_quality import beat_quality
from cardioflow.analysis.beats import Beats, detect_beats
from cardioflow.errors import InputError

FS = 250.0


@pytest.fixture(scope="module")
def half_noisy() -> np.ndarray:
    """A minute with a beat per 0.8 s, its second half under noise as high as the QRS."""
    t = np.arange(round(60 * FS)) / FS
    x = sum(np.exp(-0.5 * ((t - at) / 0.012) ** 2) for at in np.arange(0.5, 60, 0.8))
    noise = np.random.default_rng(0).standard_normal(t.size)
    return x + np.where(t < 30, 0.01, 0.5) * noise


def _at(samples) -> Beats:
    samples = np.asarray(samples, np.int64)
    n = len(samples)
    return Beats(samples, np.ones(n), np.zeros(n, np.int64), np.ones(n), FS)


def test_clean_seconds_are_told_from_noisy_ones(half_noisy):
    found = beat_quality(half_noisy, FS, detect_beats(half_noisy, FS))
    clean, noisy = slice(8, 24), slice(36, 54)
    assert len(found.bsqi_per_s) == 60
    assert found.bsqi_per_s[clean].min() == 1.0
    assert found.template_per_s[clean].min() > 0.98
    assert found.kurtosis_per_s[clean].min() > 5
    assert np.nanmean(found.bsqi_per_s[noisy]) < 0.8
    assert np.abs(found.kurtosis_per_s[noisy] - 3).max() < 2


def test_agreement_is_the_share_of_beats_that_both_found():
    # Within 5 s of the second at 5.5 s: four of ours, three of theirs, two in common: 2 / (4 + 3 - 2).
    ours, theirs = _at(FS * np.array([2, 4, 6, 8])), _at(FS * np.array([2.1, 5, 8.1]))
    found = beat_quality(np.random.default_rng(1).standard_normal(round(11 * FS)), FS, ours, theirs)
    assert found.bsqi_per_s[5] == pytest.approx(2 / 5)
    assert len(found.bsqi) == 4


def test_kurtosis_is_scipys_of_the_window():
    import scipy.stats

    x = np.random.default_rng(2).gamma(2.0, size=round(30 * FS)) + 100
    found = beat_quality(x, FS, _at([3000]), _at([3000]))
    window = x[3000 - 1250 : 3000 + 1251]
    assert found.kurtosis[0] == pytest.approx(scipy.stats.kurtosis(window, fisher=False), rel=1e-6)


def test_an_odd_beat_is_unlike_the_template(half_noisy):
    x = half_noisy[: round(30 * FS)].copy()
    beats = detect_beats(x, FS)
    x[beats.sample[10] - 25 : beats.sample[10] + 26] *= -1
    found = beat_quality(x, FS, beats)
    assert found.template[10] < -0.9
    assert np.nanmin(np.delete(found.template, 10)) > 0.95


def test_what_cannot_be_computed_is_nan():
    flat = beat_quality(np.zeros(2500), FS, Beats.none(FS))
    assert np.isnan(flat.kurtosis_per_s).all()
    assert np.isnan(flat.bsqi_per_s).all()
    gap = beat_quality(np.full(2500, np.nan), FS, _at([1000]))
    assert np.isnan([gap.kurtosis[0], gap.template[0]]).all()
    assert gap.bsqi[0] == 0.0, "the other detector found none"
    with pytest.raises(InputError, match=r"Pass one lead"):
        beat_quality(np.zeros((2, 100)), FS, Beats.none(FS))
