"""What the recursive filters do to sines, pulses and missing samples; the values follow from Butterworth's formula."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.dsp.iir import butterworth, filtfilt, notch

FS = 500.0


def filtered(x, design, lengths=None):
    lengths = np.array([x.size] if lengths is None else lengths)
    return filtfilt(x, np.cumsum(lengths) - lengths, lengths, [design], np.zeros(lengths.size, int))


def gain(design, hz, seconds=20.0):
    """The amplitude of a sine of ``hz`` after the filter, away from the ends."""
    t = np.arange(int(seconds * FS)) / FS
    found = filtered(np.sin(2 * np.pi * hz * t).astype(np.float32), design)[t.size // 4 : -t.size // 4]
    inner = t[t.size // 4 : -t.size // 4]
    return 2 * np.hypot(
        (found * np.sin(2 * np.pi * hz * inner)).mean(), (found * np.cos(2 * np.pi * hz * inner)).mean()
    )


def squared_magnitude(order, hz, low, high):
    """|H|² of a Butterworth filter by the bilinear transform, which is the gain forward and backward."""
    w, a, b = (None if f is None else np.tan(np.pi * f / FS) for f in (hz, low, high))
    if low is None:
        return 1 / (1 + (w / b) ** (2 * order))
    if high is None:
        return 1 / (1 + (a / w) ** (2 * order))
    return 1 / (1 + ((w * w - a * b) / (w * (b - a))) ** (2 * order))


@pytest.mark.parametrize(
    ("order", "low", "high", "hz"),
    [
        (2, None, 40, 10),
        (2, None, 40, 40),
        (4, None, 40, 60),
        (4, 1, None, 1),
        (3, 2, None, 1),
        (4, 0.5, 40, 7),
        (4, 5, 15, 5),
        (2, 5, 15, 15),
        (2, 5, 15, 50),
    ],
)
def test_a_sine_keeps_the_square_of_butterworths_gain(order, low, high, hz):
    expected = squared_magnitude(order, hz, low, high)
    assert gain(butterworth(order, low, high, FS), hz) == pytest.approx(expected, rel=2e-3, abs=2e-4)
    if hz in (low, high):
        assert expected == pytest.approx(0.5), "at its edges a filter passes half, forward and backward"


@pytest.mark.parametrize("hz", [50.0, 60.0])
def test_a_notch_stops_its_frequency_and_passes_what_is_a_bandwidth_away(hz):
    design = notch((hz,), 30.0, FS)
    assert gain(design, hz) < 0.01
    width = hz / 30
    # At -3 dB once, half of the power is left, and forward and backward half of the amplitude.
    assert gain(design, hz + width / 2) == pytest.approx(0.5, abs=0.02)
    assert gain(design, hz + 5 * width) > 0.97
    assert gain(design, 10.0) > 0.999


def pulse(n=1001, at=500, width=8.0):
    return np.exp(-0.5 * ((np.arange(n) - at) / width) ** 2).astype(np.float32)


@pytest.mark.parametrize("edges", [(0.5, 40.0), (None, 20.0), (5.0, 15.0)])
def test_a_pulse_stays_in_its_place_and_symmetric(edges):
    # Long before and after, so that a slow filter has died away at both ends.
    found = filtered(pulse(10_001, 5000), butterworth(3, *edges, FS))
    assert int(np.argmax(found)) == 5000
    np.testing.assert_allclose(found, found[::-1], atol=2e-6)


def test_time_backward_gives_the_result_backward():
    x = np.cumsum(np.random.default_rng(0).standard_normal(9000)).astype(np.float32) / 10
    design = butterworth(2, 1.0, 30.0, FS)
    # Apart from the ends, from which the two passes start the other way round.
    here, there = filtered(x, design)[3000:-3000], filtered(x[::-1].copy(), design)[::-1][3000:-3000]
    np.testing.assert_allclose(here, there, atol=1e-5)


def test_a_filter_is_linear():
    random = np.random.default_rng(1)
    x, y = (random.standard_normal(800).astype(np.float32) for _ in range(2))
    design = butterworth(4, 0.5, 40.0, FS)
    both = filtered((2 * x - 3 * y).astype(np.float32), design)
    np.testing.assert_allclose(both, 2 * filtered(x, design) - 3 * filtered(y, design), atol=2e-5)


def test_an_offset_of_the_electrode_does_not_disturb_the_ends():
    x = 0.1 * pulse()
    here, there = (filtered(x + level, butterworth(2, 0.5, 40.0, FS)) for level in (np.float32(0), np.float32(300)))
    # float32 has steps of 30 nV at 1 mV and of 30 µV at 300 mV.
    np.testing.assert_allclose(here, there, atol=6e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_missing_sample_spoils_its_own_run_only(bad):
    x = np.random.default_rng(2).standard_normal(9 * 400).astype(np.float32)
    design = butterworth(2, 1.0, 30.0, FS)
    whole = filtered(x, design, [400] * 9)
    x[4 * 400 + 17] = bad
    found = filtered(x, design, [400] * 9)
    own = np.arange(x.size) // 400 == 4
    assert not np.isfinite(found[own]).any()
    np.testing.assert_array_equal(found[~own], whole[~own])


def test_a_flat_lead_stays_flat_and_zero_where_nothing_passes():
    for level in (0.0, 5.0):
        found = filtered(np.full(3000, level, np.float32), butterworth(2, 0.5, 40.0, FS))
        assert np.abs(found).max() < 1e-6
    # Numbers of 1e-30 keep the recursion from those that float64 computes slowly.
    assert np.abs(filtered(np.zeros(3000, np.float32), butterworth(2, None, 40.0, FS))).max() < 1e-29


@pytest.mark.parametrize("n", [1, 2, 3, 12])
def test_a_run_of_few_samples_has_as_many_and_a_constant_keeps_its_level(n):
    found = filtered(np.full(n, 2.0, np.float32), butterworth(2, None, 40.0, FS))
    np.testing.assert_allclose(found, np.full(n, 2.0), atol=1e-6)


def test_no_runs_give_no_samples():
    none = np.zeros(0, np.int64)
    assert filtfilt(np.empty(0, np.float32), none, none, [butterworth(2, 1.0, 30.0, FS)], none).size == 0


def test_the_input_is_not_written_to():
    x = pulse()
    kept = x.copy()
    filtered(x, butterworth(2, 1.0, 30.0, FS))
    np.testing.assert_array_equal(x, kept)
