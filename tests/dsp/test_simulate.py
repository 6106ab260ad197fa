from __future__ import annotations

import numpy as np
import pytest

from cardioflow.dsp.simulate import SIMULATED_LEADS, simulate_ecg
from cardioflow.errors import InputError


def test_the_samples_depend_on_the_key():
    first, again, other = (simulate_ecg(key, duration_s=5).signal for key in (7, 7, 8))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_signal_is_float32_millivolts_of_shape_lead_time():
    signal = simulate_ecg(1, fs=250, duration_s=4, leads=("I", "V2")).signal
    assert signal.dtype == np.float32
    assert signal.shape == (2, 1000)
    assert 0.5 < np.ptp(signal[0]) < 4.0


def test_a_lead_is_the_same_alone_and_among_twelve():
    alone = simulate_ecg(4, duration_s=5, leads=("II",)).signal[0]
    among = simulate_ecg(4, duration_s=5, leads=SIMULATED_LEADS).signal[1]
    np.testing.assert_allclose(alone, among, atol=1e-6)


def test_einthovens_law_and_goldbergers_leads_hold():
    i, ii, iii, avr, avl, avf = simulate_ecg(5, duration_s=5, rhythm="AF", leads=SIMULATED_LEADS[:6]).signal
    np.testing.assert_allclose(iii, ii - i, atol=1e-5)
    np.testing.assert_allclose(avr, -(i + ii) / 2, atol=1e-5)
    np.testing.assert_allclose(avl, i - ii / 2, atol=1e-5)
    np.testing.assert_allclose(avf, ii - i / 2, atol=1e-5)


def test_the_r_peaks_lie_on_the_maxima_of_the_qrs_complexes():
    simulation = simulate_ecg(6, leads=("V5",), noise_mv=0.0)
    signal = simulation.signal[0]
    inner = [p for p in simulation.r_peaks if 30 < p < signal.size - 30]
    tops = [p - 30 + int(np.argmax(signal[p - 30 : p + 30])) for p in inner]
    assert np.max(np.abs(np.array(tops) - inner)) <= 3  # the neighbours Q and S move the top by up to 10 ms


@pytest.mark.parametrize("heart_rate", [40.0, 75.0, 180.0])
def test_the_mean_heart_rate_is_the_given_one(heart_rate):
    peaks = simulate_ecg(2, heart_rate=heart_rate, duration_s=60).r_peaks
    assert 60 * 300 / np.diff(peaks).mean() == pytest.approx(heart_rate, rel=0.03)


def test_the_rr_intervals_of_af_vary_several_times_more_than_those_of_sinus_rhythm():
    def variation(rhythm):
        rr = [np.diff(simulate_ecg(k, rhythm=rhythm, duration_s=40).r_peaks) for k in range(5)]
        return np.array([r.std() / r.mean() for r in rr])

    assert variation("SR").max() < 0.08
    assert variation("AF").min() > 0.12


def test_the_rr_spectrum_of_sinus_rhythm_peaks_at_a_tenth_and_a_quarter_of_a_hertz():
    """McSharry et al. 2003, equation 2."""
    peaks = simulate_ecg(3, heart_rate=70, duration_s=600).r_peaks / 300
    t = np.arange(peaks[1], peaks[-1], 0.25)
    rr = np.interp(t, peaks[1:], np.diff(peaks))
    power, f = np.abs(np.fft.rfft(rr - rr.mean())) ** 2, np.fft.rfftfreq(t.size, 0.25)
    in_peaks = ((np.abs(f - 0.1) < 0.04) | (np.abs(f - 0.25) < 0.04)) & (f > 0)
    assert power[in_peaks].sum() / power.sum() > 0.85


def test_sinus_beats_have_the_nine_annotations_in_order():
    simulation = simulate_ecg(9, duration_s=20)
    text = "".join(simulation.mark_symbol)
    assert text.count("(p)(N)(t)") >= len(simulation.r_peaks) - 2
    assert np.all(np.diff(simulation.mark_sample) >= 0)


def test_af_has_no_p_waves_and_f_waves_between_4_and_9_hz():
    for key in range(4):
        with_af = simulate_ecg(key, rhythm="AF", leads=("V1",), noise_mv=0.0, duration_s=30)
        assert "p" not in with_af.mark_symbol
        # Between T and the next QRS only the f-waves move.
        t_ends = [int(s) for s, c in zip(with_af.mark_sample, with_af.mark_symbol, strict=True) if c == "t"]
        gaps = [(t + 45, min(int(r) - 30 for r in with_af.r_peaks if r > t)) for t in t_ends[:-2]]
        a, b = max(gaps, key=lambda g: g[1] - g[0])
        part = with_af.signal[0, a:b] - np.linspace(with_af.signal[0, a], with_af.signal[0, b], b - a)
        power = np.abs(np.fft.rfft((part - part.mean()) * np.hanning(part.size), 4096)) ** 2
        f = np.fft.rfftfreq(4096, 1 / 300)
        strongest = f[f > 2.5][np.argmax(power[f > 2.5])]
        assert 3.5 < strongest < 9.5


def test_the_noise_has_the_given_root_mean_square():
    noisy, clean = (simulate_ecg(1, noise_mv=n).signal[0] for n in (0.1, 0.0))
    assert np.std(noisy - clean) == pytest.approx(0.1, rel=0.05)


def test_a_low_sampling_rate_gives_the_same_beats():
    slow, fast = (simulate_ecg(11, fs=fs).r_peaks / fs for fs in (50, 1000))
    assert len(slow) == len(fast)
    np.testing.assert_allclose(slow, fast, atol=0.011)


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"rhythm": "afib"}, "simulate_ecg(rhythm='afib') is not a rhythm. Available: 'AF', 'SR'."),
        ({"leads": ("avF",)}, "simulate_ecg() has no lead 'avF'. Did you mean 'aVF'?"),
        ({"leads": ()}, "simulate_ecg(leads=()) names no lead."),
        ({"fs": 0.0}, "simulate_ecg(fs=0.0) is not between 20 and 10000 Hz."),
        ({"fs": float("nan")}, "simulate_ecg(fs=nan) is not between 20 and 10000 Hz."),
        ({"heart_rate": 0.0}, "simulate_ecg(heart_rate=0.0) is not between 20 and 250 beats per minute."),
        (
            {"duration_s": 86400.0, "fs": 1e4},
            "simulate_ecg(duration_s=86400.0, fs=10000.0) is more than 50000000 samples. Lower one of them.",
        ),
        ({"duration_s": -1.0}, "simulate_ecg(duration_s=-1.0) is not between 0 and 86400 s."),
    ],
)
def test_a_parameter_out_of_range_says_what_came_and_what_was_expected(parameters, text):
    with pytest.raises(InputError) as caught:
        simulate_ecg(1, **parameters)
    assert text in str(caught.value)
