"""Resampling equals SciPy's polyphase filter for rational ratios, and evaluates the same filter for others."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from cardioflow.dsp import resampling
from cardioflow.dsp.resampling import resampled


def flat(lengths: list[int], seed: int = 0):
    rng = np.random.default_rng(seed)
    data = rng.standard_normal(sum(lengths)).astype(np.float32)
    data.flags.writeable = False
    lengths_ = np.array(lengths, np.int64)
    return data, np.cumsum(lengths_) - lengths_, lengths_


@pytest.mark.parametrize(
    ("old", "new", "up", "down"),
    [
        (300, 250, 5, 6),
        (250, 300, 6, 5),
        (360, 250, 25, 36),
        (500, 100, 1, 5),
        (100, 500, 5, 1),
        (257, 250, 250, 257),
        (250, 312.5, 5, 4),
        (1000, 1, 1, 1000),
    ],
)
def test_a_whole_ratio_equals_resample_poly(old, new, up, down):
    data, starts, lengths = flat([1500, 1, 2, 37, 800, 0, 2999])
    out, counts = resampled(data, starts, lengths, np.full(7, float(old)), np.full(7, float(new)))
    assert counts.tolist() == [-(-n * up // down) for n in lengths.tolist()]
    ends = np.cumsum(counts)
    for k, (a, n) in enumerate(zip(starts, lengths, strict=True)):
        if n:
            expected = scipy.signal.resample_poly(data[a : a + n].astype(np.float64), up, down)
            np.testing.assert_allclose(out[ends[k] - counts[k] : ends[k]], expected, atol=2e-6)


def test_each_run_uses_its_own_ratio_and_one_at_the_target_rate_is_unchanged():
    data, starts, lengths = flat([600, 700, 800])
    out, counts = resampled(data, starts, lengths, np.array([300.0, 250, 500]), np.full(3, 250.0))
    assert counts.tolist() == [500, 700, 400]
    np.testing.assert_array_equal(out[500:1200], data[600:1300])
    np.testing.assert_allclose(out[1200:], scipy.signal.resample_poly(data[1300:], 1, 2), atol=2e-6)


@pytest.mark.parametrize("ratio", [5 / 6, 6 / 5, 1 / 5, 25 / 36])
def test_the_windowed_sinc_agrees_with_the_polyphase_filter_within_the_stated_error(ratio, monkeypatch):
    data, starts, lengths = flat([2000])
    old, new = np.array([300.0]), np.array([300.0 * ratio])
    exact, _ = resampled(data, starts, lengths, old, new)
    monkeypatch.setattr(resampling, "LARGEST", 0)
    resampling._plan.cache_clear()
    loose, _ = resampled(data, starts, lengths, old, new)
    resampling._plan.cache_clear()
    # 3e-5: firwin scales its samples of the sinc to unit gain, the table its integral.
    assert np.abs(exact - loose).max() < 3e-5 * np.abs(data).max()


def test_the_table_of_the_sinc_errs_by_less_than_a_millionth():
    table = resampling._table()
    x = np.linspace(0, 9.999, 100_001)
    window = np.i0(5.0 * np.sqrt(1 - (x / 10) ** 2)) / np.i0(5.0)
    read = np.interp(x * 1024, np.arange(table.size), table)
    assert np.abs(read - np.sinc(x) * window * table[0]).max() < 1e-6


def test_an_irrational_ratio_keeps_a_slow_sine_and_removes_what_would_alias():
    time = np.arange(6000) / 300
    new = 300 * np.pi / 10
    for frequency, gain in ((5.0, 1.0), (80.0, 0.0)):
        x = np.sin(2 * np.pi * frequency * time).astype(np.float32)
        out, counts = resampled(x, np.zeros(1, int), np.array([6000]), np.array([300.0]), np.array([new]))
        expected = gain * np.sin(2 * np.pi * frequency * np.arange(counts[0]) / new)
        # Away from the ends, outside of which both filters see zeros; Kaiser's beta of 5 lets -53 dB through.
        assert np.abs(out - expected)[100:-100].max() < 10 ** (-53 / 20)


@pytest.mark.parametrize("new", [1234.567891, 99.999999, 250.00001])
def test_half_an_hour_at_an_odd_rate_has_the_right_number_of_samples(new):
    data = np.zeros(650_000, np.float32)
    _, counts = resampled(data, np.zeros(1, int), np.array([650_000]), np.array([360.0001]), np.array([new]))
    assert abs(counts[0] - 650_000 * new / 360.0001) <= 1


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 300), min_size=1, max_size=8), st.sampled_from([100.0, 250.0, 360.0, 311.1327]))
def test_neighbouring_runs_do_not_affect_a_run(lengths, new):
    data, starts, lengths_ = flat(lengths)
    out, counts = resampled(data, starts, lengths_, np.full(len(lengths), 300.0), np.full(len(lengths), new))
    ends = np.cumsum(counts)
    for k, (a, n) in enumerate(zip(starts, lengths_, strict=True)):
        alone, _ = resampled(data[a : a + n], np.zeros(1, int), np.array([n]), np.array([300.0]), np.array([new]))
        np.testing.assert_array_equal(out[ends[k] - counts[k] : ends[k]], alone)
