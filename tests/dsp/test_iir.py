"""The recursive filters equal SciPy's to the precision of float32, independently of neighbouring runs."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from cardioflow.dsp import iir


def flat(lengths: list[int], seed: int = 0):
    rng = np.random.default_rng(seed)
    data = np.cumsum(rng.standard_normal(sum(lengths))).astype(np.float32) / 10
    data.flags.writeable = False
    lengths_ = np.array(lengths, np.int64)
    return data, np.cumsum(lengths_) - lengths_, lengths_


def reference(sos, x):
    taps = 2 * len(sos) + 1 - min((sos[:, 2] == 0).sum(), (sos[:, 5] == 0).sum())
    return scipy.signal.sosfiltfilt(sos, x.astype(np.float64), padlen=min(3 * int(taps), x.size - 1))


@pytest.mark.parametrize(
    ("low", "high", "order"), [(0.5, 40, 4), (None, 40, 4), (0.67, None, 2), (1, 30, 1), (None, 10, 3), (5, 15, 5)]
)
def test_a_butterworth_filter_equals_sosfiltfilt(low, high, order):
    data, starts, lengths = flat([3000, 1, 2, 700, 28, 29, 1500, 5000, 12, 640, 3])
    edges = [e for e in (low, high) if e is not None]
    kind = "lowpass" if low is None else "highpass" if high is None else "bandpass"
    sos = scipy.signal.butter(order, edges if len(edges) == 2 else edges[0], kind, fs=300, output="sos")
    out = iir.filtfilt(data, starts, lengths, [iir.butterworth(order, low, high, 300.0)], np.zeros(len(lengths), int))
    for a, n in zip(starts, lengths, strict=True):
        expected = reference(sos, data[a : a + n])
        np.testing.assert_allclose(out[a : a + n], expected, atol=2e-6 * max(1, np.abs(data).max()), rtol=1e-5)


def test_notches_equal_sosfiltfilt_of_their_sections():
    data, starts, lengths = flat([2000, 900, 1111])
    sos = np.array([np.concatenate(scipy.signal.iirnotch(f, 30, fs=360)) for f in (50, 100, 150)])
    out = iir.filtfilt(data, starts, lengths, [iir.notch((50.0, 100.0, 150.0), 30.0, 360.0)], np.zeros(3, int))
    for a, n in zip(starts, lengths, strict=True):
        np.testing.assert_allclose(out[a : a + n], reference(sos, data[a : a + n]), atol=2e-6, rtol=1e-5)


def test_each_run_uses_the_filter_for_its_sampling_rate():
    data, starts, lengths = flat([800, 900, 1000, 1100])
    designs = [iir.butterworth(4, 0.5, 40, 250.0), iir.butterworth(4, 0.5, 40, 500.0)]
    which = np.array([0, 1, 1, 0])
    out = iir.filtfilt(data, starts, lengths, designs, which)
    for k in range(4):
        one = slice(starts[k], starts[k] + lengths[k])
        alone = iir.filtfilt(data[one], np.zeros(1, int), lengths[k : k + 1], [designs[which[k]]], np.zeros(1, int))
        np.testing.assert_allclose(out[one], alone, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=20), st.integers(0, 99))
def test_neighbouring_runs_do_not_affect_a_run(lengths, seed):
    data, starts, lengths_ = flat(lengths, seed)
    chosen = iir.butterworth(2, 1.0, 30.0, 250.0)
    out = iir.filtfilt(data, starts, lengths_, [chosen], np.zeros(len(lengths), int))
    for a, n in zip(starts, lengths_, strict=True):
        alone = iir.filtfilt(data[a : a + n], np.zeros(1, int), np.array([n]), [chosen], np.zeros(1, int))
        np.testing.assert_array_equal(out[a : a + n], alone)


def test_writable_and_read_only_data_share_one_compiled_function():
    data, starts, lengths = flat([300, 200])
    chosen, which = [iir.butterworth(2, 1.0, 30.0, 250.0)], np.zeros(2, int)
    expected = iir.filtfilt(data, starts, lengths, chosen, which)
    compiled = len(iir._filtfilt.signatures)
    writable = [x.copy() for x in (data, starts, lengths)]
    strided = np.column_stack([lengths, lengths])[:, 0]
    np.testing.assert_array_equal(iir.filtfilt(*writable, chosen, which), expected)
    np.testing.assert_array_equal(iir.filtfilt(data, starts, strided, chosen, which), expected)
    assert len(iir._filtfilt.signatures) == compiled


def test_a_constant_passes_a_low_pass_and_is_removed_by_a_high_pass():
    data = np.full(500, 3.0, np.float32)
    one = (np.zeros(1, int), np.array([500]))
    low = iir.filtfilt(data, *one, [iir.butterworth(4, None, 40.0, 250.0)], np.zeros(1, int))
    high = iir.filtfilt(data, *one, [iir.butterworth(4, 0.5, None, 250.0)], np.zeros(1, int))
    np.testing.assert_allclose(low, 3.0, atol=1e-6)
    np.testing.assert_allclose(high, 0.0, atol=1e-6)
