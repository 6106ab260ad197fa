"""Quality is measured, and added hum and disconnected leads are detected."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
import scipy.stats

from cardioflow.errors import InputError


def test_quality_consists_of_kurtosis_and_two_power_ratios(records):
    done = records.signal_quality()
    for i, x in enumerate(records.signal):
        wide = x[0].astype(np.float64)
        f, p = scipy.signal.periodogram(wide, 300, window="hann", detrend="constant")
        expected = [
            scipy.stats.kurtosis(wide, fisher=False),
            p[(f >= 5) & (f <= 15)].sum() / p[(f >= 5) & (f <= 40)].sum(),
            1 - p[f <= 1].sum() / p[f <= 40].sum(),
        ]
        np.testing.assert_allclose(done.quality[i][0], expected, rtol=1e-4)
    assert done.signal is records.signal


def test_noise_wander_and_a_flat_lead_are_distinguished_from_an_ecg(twelve, make):
    clean = twelve.keep_channels("V5").take([0])
    n, fs = int(clean.signal.lengths[0]), 500
    x = clean.signal[0][0].astype(float)
    wander = x + 3 * np.sin(2 * np.pi * 0.3 * np.arange(n) / fs)
    noise = np.random.default_rng(0).standard_normal(n)
    ecg, slow, white, flat = make(np.stack([x, wander, noise, np.zeros(n)]), fs=fs).signal_quality().quality[0]
    assert ecg[0] > 5 > white[0] == pytest.approx(3, abs=0.3)
    assert ecg[1] > white[1]
    assert ecg[2] > slow[2]
    assert flat.tolist() == [0, 0, 0]


@pytest.mark.parametrize(("hum", "expected"), [(0.0, 0.0), (50.0, 50.0), (60.0, 60.0)])
def test_hum_is_detected_at_its_frequency(records, hum, expected):
    few = records.take(range(6))
    loud = [x + 0.05 * np.sin(2 * np.pi * hum * np.arange(x.shape[-1]) / 300) for x in few.signal]
    batch = few.replace(signal=type(few.signal).from_arrays(loud))
    assert batch.detect_powerline().powerline.tolist() == [expected] * 6
    if hum:
        assert batch.notch_signals(hum).detect_powerline().powerline.tolist() == [0.0] * 6


def test_signals_that_are_too_short_or_sampled_too_slowly_have_no_hum(make):
    x = np.sin(2 * np.pi * 50 * np.arange(1000) / 250)
    assert make(x[None, :400]).detect_powerline().powerline.tolist() == [0.0]
    assert make(x[None], fs=100).detect_powerline().powerline.tolist() == [0.0]


def test_leads_that_are_flat_saturated_or_missing_are_off(make):
    rng = np.random.default_rng(0)
    good = 0.3 * rng.standard_normal(1000)
    half = good.copy()
    half[:400] = 1.5
    x = np.stack([good, np.full(1000, 0.2), np.full(1000, 12.0) + good, np.full(1000, np.nan), half])
    assert make(x).detect_lead_off().lead_off == ((False, True, True, True, False),)
    assert make(x).detect_lead_off(share=0.2).lead_off[0][4] is True
    assert make(x).split_signals(250).detect_lead_off().lead_off == ((False, True, True, True, False),)


@pytest.mark.parametrize("name", ["signal_quality", "detect_powerline", "detect_lead_off"])
def test_measuring_quality_does_not_overwrite_the_signals(make, name):
    with pytest.raises(InputError, match="would write over the signals"):
        getattr(make(np.ones((1, 9))), name)(dst="signal")
