"""What a simulated ECG says of itself: marks, rates and heights that the model knows."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from cardioflow.dsp.simulate import SIMULATED_LEADS, _f_wave, check_simulation, simulate_ecg
from cardioflow.errors import InputError


def groups(simulation):
    """The marked waves as ``{"p": [(on, peak, end), …], …}``, of beats that are there whole."""
    symbol, sample = "".join(simulation.mark_symbol.tolist()), simulation.mark_sample
    found = {"p": [], "N": [], "t": []}
    for i in range(1, len(symbol) - 1):
        if symbol[i] in found and symbol[i - 1] == "(" and symbol[i + 1] == ")":
            found[symbol[i]].append(tuple(sample[i - 1 : i + 2].tolist()))
    return found


@pytest.mark.parametrize("heart_rate", [45.0, 75.0, 120.0])
def test_waves_begin_before_their_peak_and_have_durations_of_a_heart(heart_rate):
    found = groups(simulate_ecg(3, heart_rate=heart_rate, fs=1000, duration_s=20))
    n_beats = 20 * heart_rate / 60
    for waves in found.values():
        assert abs(len(waves) - n_beats) < 3
        assert all(on <= peak <= end for on, peak, end in waves)
        assert all(a[2] <= b[0] for a, b in pairwise(waves)), "waves of a kind do not overlap"
    qrs = np.array([end - on for on, _, end in found["N"]])
    assert ((qrs > 60) & (qrs < 180)).all()
    pr = np.array([q[0] - p[0] for p in found["p"] for q in found["N"] if 0 < q[0] - p[0] < 400])
    assert len(pr) >= len(found["p"]) - 1
    assert ((pr > 60) & (pr < 320)).all()


def test_the_qt_shortens_as_the_heart_gets_faster():
    def qt(heart_rate):
        found = groups(simulate_ecg(3, heart_rate=heart_rate, fs=1000, duration_s=20))
        ends = [t[2] for t in found["t"]]
        return np.median([min(e - on for e in ends if e > end) for on, _, end in found["N"] if ends[-1] > end])

    # T ends at (π/2 · RR^-¼ + 2 · 0.4 · RR^-½) / 2π of a beat after R, and the QRS begins (π/12 + 2 · 0.1) · RR^-½ / 2π
    # before it: 507 ms at 50 beats a minute, and 307 ms at 110.
    assert qt(50.0) == pytest.approx(507, rel=0.03)
    assert qt(110.0) == pytest.approx(307, rel=0.03)


@pytest.mark.parametrize("fs", [100.0, 250.0, 360.0, 1000.0])
def test_marks_lie_at_the_same_seconds_at_any_rate(fs):
    reference, other = (simulate_ecg(5, fs=own, duration_s=10, heart_rate=70) for own in (2000.0, fs))
    n = min(len(reference.mark_sample), len(other.mark_sample))
    assert abs(len(reference.mark_sample) - len(other.mark_sample)) <= 1
    seconds = reference.mark_sample[:n] / 2000
    np.testing.assert_allclose(other.mark_sample[:n] / fs, seconds, atol=1.0 / fs + 0.003)
    assert other.mark_symbol[:n].tolist() == reference.mark_symbol[:n].tolist()


@pytest.mark.parametrize("rhythm", ["SR", "AF"])
def test_marks_are_in_order_and_inside_the_signal_and_beats_are_the_r_peaks(rhythm):
    made = simulate_ecg(8, rhythm=rhythm, duration_s=15)
    assert (np.diff(made.mark_sample) >= 0).all()
    assert made.mark_sample[0] >= 0
    assert made.mark_sample[-1] < made.signal.shape[1]
    beats = made.mark_sample[made.mark_symbol == "N"]
    assert np.array_equal(beats, made.r_peaks)


def test_t_waves_of_v1_point_down_and_those_of_ii_up_as_in_an_adult():
    made = simulate_ecg(4, leads=("II", "V1"), noise_mv=0.0, duration_s=12, fs=500)
    t = np.array([peak for _, peak, _ in groups(made)["t"]])
    level = np.median(made.signal, axis=1)
    assert np.median(made.signal[0, t]) - level[0] > 0.1
    assert np.median(made.signal[1, t]) - level[1] < 0


def test_the_r_wave_grows_from_v1_to_v4_and_s_is_deepest_in_v1_to_v3():
    v = simulate_ecg(2, leads=[f"V{k}" for k in range(1, 7)], noise_mv=0.0, duration_s=10).signal
    r, s = v.max(axis=1), v.min(axis=1)
    assert r[0] < r[2] < r[3]
    assert s[:3].max() < s[3:].min()


@pytest.mark.parametrize("key", [0, 1, 2**63, 2**64 - 1, np.uint64(7)])
def test_any_number_of_64_bits_is_a_key(key):
    made = simulate_ecg(key, duration_s=2)
    assert made.signal.shape == (1, 600)
    assert np.isfinite(made.signal).all()


def test_a_heart_rate_that_is_not_given_is_drawn_between_55_and_95():
    rates = []
    for key in range(12):
        peaks = simulate_ecg(key, duration_s=20).r_peaks
        rates.append(60 * 300 / np.diff(peaks).mean())
    assert 52 < min(rates) < max(rates) < 98
    assert np.ptp(rates) > 10


@pytest.mark.parametrize("heart_rate", [20.0, 250.0])
def test_the_slowest_and_the_fastest_heart_are_simulated(heart_rate):
    made = simulate_ecg(1, heart_rate=heart_rate, duration_s=30)
    assert np.isfinite(made.signal).all()
    assert len(made.r_peaks) == pytest.approx(heart_rate / 2, abs=2)


def test_the_shortest_signal_has_one_sample():
    made = simulate_ecg(1, duration_s=0)
    assert made.signal.shape == (1, 1)
    assert made.mark_sample.size <= 1


@pytest.mark.parametrize("seed", range(4))
def test_at_a_low_rate_the_harmonics_of_f_waves_do_not_fold_back(seed):
    # At 20 Hz the second harmonic of 5 Hz and more has no place; folded back, it would hold a fifth of the power.
    wave = _f_wave(np.random.default_rng(seed), 1200, 20.0)
    power = np.abs(np.fft.rfft(wave)) ** 2
    hz = np.fft.rfftfreq(1200, 1 / 20)
    own = hz[power.argmax()]
    assert 4.5 < own < 8.6
    assert power[np.abs(hz - own) < 1.5].sum() > 0.97 * power.sum()


def test_one_name_is_one_lead_and_not_its_letters():
    # "II" is a sequence of two leads I, and "III" of three.
    for text in ("II", "III", "I"):
        with pytest.raises(InputError, match=rf"simulate_ecg\(leads='{text}'\) is a text\. Pass a list"):
            simulate_ecg(1, leads=text, duration_s=2)


@pytest.mark.parametrize("leads", [["II", "II"], ("V1", "aVR", "V1")])
def test_a_lead_asked_for_twice_has_the_same_samples_twice(leads):
    signal = simulate_ecg(1, leads=leads, duration_s=2).signal
    np.testing.assert_array_equal(signal[0], signal[-1])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"leads": ["V7"]}, r"has no lead 'V7'\. .*V1"),
        ({"leads": ["ii"]}, r"has no lead 'ii'\. .*II"),
        ({"heart_rate": True}, r"heart_rate=True\) is not between 20 and 250 beats per minute"),
        ({"heart_rate": 0}, r"heart_rate=0\) is not between"),
        ({"fs": "300"}, r"fs='300'\) is not between 20 and 10000 Hz"),
        ({"duration_s": float("inf")}, r"duration_s=inf\) is not between 0 and 86400 s"),
        ({"noise_mv": -0.1}, r"noise_mv=-0\.1\) is not between 0 and 10 mV"),
        ({"duration_s": 80_000.0, "fs": 1000.0}, r"is more than 50000000 samples\. Lower one of them"),
    ],
)
def test_parameters_are_checked_without_simulating(given, said):
    with pytest.raises(InputError, match=said):
        check_simulation("SR", **given)
    check_simulation("SR", leads=SIMULATED_LEADS)
