"""Filters on batches equal SciPy's on each record, and errors name the records that cannot be filtered."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal

from cardioflow.errors import BadRecordsError, InputError
from cardioflow.transforms.signals.low_pass_signals import LowPassSignals


def compare(done, batch, func, atol=3e-6):
    for i, x in enumerate(batch.signal):
        np.testing.assert_allclose(done.signal[i], func(x.astype(np.float64), batch.fs[i]), atol=atol, rtol=1e-5)


def butter(order, edges, kind):
    return lambda x, fs: scipy.signal.sosfiltfilt(scipy.signal.butter(order, edges, kind, fs=fs, output="sos"), x)


@pytest.mark.parametrize(
    ("action", "kwargs", "reference"),
    [
        ("band_pass_signals", {"low": 0.5, "high": 40}, butter(4, [0.5, 40], "bandpass")),
        ("band_pass_signals", {"low": 5, "order": 2}, butter(2, 5, "highpass")),
        ("low_pass_signals", {"high": 35}, butter(4, 35, "lowpass")),
        ("high_pass_signals", {}, butter(2, 0.67, "highpass")),
        ("remove_baseline", {"method": "high_pass"}, butter(2, 0.5, "highpass")),
    ],
)
def test_a_butterworth_filter_equals_scipys_on_real_records(records, twelve, action, kwargs, reference):
    for batch in (records, twelve):
        compare(getattr(batch, action)(**kwargs), batch, reference)


def test_segments_are_filtered_separately(twelve):
    cut = twelve.split_signals(2000, 1500)
    compare(cut.band_pass_signals(0.5, 40), cut, butter(4, [0.5, 40], "bandpass"))


def test_a_notch_equals_iirnotch_at_every_harmonic_below_half_the_rate(records):
    def reference(x, fs):
        sos = np.array([np.concatenate(scipy.signal.iirnotch(f, 30, fs=fs)) for f in (50, 100)])
        return scipy.signal.sosfiltfilt(sos, x)

    compare(records.notch_signals(50, n_harmonics=9), records, reference)


def test_a_notch_removes_the_hum_and_leaves_the_rest(make):
    time = np.arange(5000) / 500
    slow, hum = np.sin(2 * np.pi * 7 * time), np.sin(2 * np.pi * 50 * time)
    done = make((slow + hum)[None], fs=500).notch_signals(50)
    assert np.abs(done.signal[0][0] - slow)[1000:-1000].max() < 0.01


def test_a_finite_filter_equals_a_convolution_with_the_mirrored_signal(records):
    def reference(x, fs):
        n, beta = scipy.signal.kaiserord(60.0, 1.0 / (fs / 2))
        taps = scipy.signal.firwin(n | 1, [0.5, 40], window=("kaiser", beta), pass_zero="bandpass", fs=fs)
        reach = len(taps) // 2
        return np.stack([np.convolve(np.pad(lead, reach, mode="symmetric"), taps, mode="valid") for lead in x])

    compare(records.take(range(3)).fir_filter_signals(), records.take(range(3)), reference)


@pytest.mark.parametrize("mode", ["edge", "constant", "symmetric", "reflect", "wrap"])
@pytest.mark.parametrize("kernel", [[1.0], [0.5, 0.5], [0.1, 0.2, 0.4, 0.2, 0.1], [1.0, -1.0, 2.0, 3.0]])
def test_a_convolution_equals_numpys(make, mode, kernel):
    rng = np.random.default_rng(0)
    batch = make(rng.standard_normal((2, 50)), rng.standard_normal((1, 7)))

    def reference(x, _):
        pad = (len(kernel) // 2, len(kernel) - 1 - len(kernel) // 2)
        return np.stack([np.convolve(np.pad(lead, pad, mode=mode), kernel, mode="valid") for lead in x])

    compare(batch.convolve_signals(kernel, mode), batch, reference, atol=1e-6)


def test_the_median_baseline_equals_two_median_filters(records, twelve):
    def reference(x, fs):
        base = x.astype(np.float32)
        for width_s in (0.2, 0.6):
            size = [1] * (x.ndim - 1) + [round(width_s * fs) | 1]
            base = scipy.ndimage.median_filter(base, size=size, mode="nearest")
        return x - base

    for batch in (records.take(range(3)), twelve.take([0])):
        compare(batch.remove_baseline(), batch, reference, atol=1e-6)


@pytest.mark.parametrize("method", ["median", "high_pass", "spline"])
def test_added_baseline_wander_is_removed(twelve, method):
    time = np.arange(5000) / 500
    wander = 0.5 * np.sin(2 * np.pi * 0.15 * time).astype(np.float32)
    bent = twelve.replace(signal=twelve.signal.with_data((twelve.signal.dense() + wander).reshape(-1)))
    flat, clean = bent.remove_baseline(method), twelve.remove_baseline(method)
    error = np.sqrt(np.mean((flat.signal.dense() - clean.signal.dense())[..., 750:-750] ** 2))
    # Less than a tenth of the wander's own 0.35 mV RMS is left.
    assert error < 0.035


def test_a_spline_needs_annotated_beats(records, twelve):
    with pytest.raises(InputError, match=r"Call load\(components='annotation'\) first"):
        records.remove_baseline("spline")
    with pytest.raises(InputError) as caught:
        twelve.take([0]).replace(annotation=(twelve.annotation[0].take(np.arange(3)),)).remove_baseline("spline")
    assert "a spline needs at least 4 annotated beats; found 1. Use method='median'" in str(caught.value)


@pytest.mark.parametrize(
    ("action", "kwargs", "text"),
    [
        (
            "band_pass_signals",
            {"high": 200.0},
            (
                "band_pass_signals(high=200.0) is not below half the sampling rate (125.0 Hz) of record 'A00001'. "
                "Lower high, or resample first."
            ),
        ),
        (
            "notch_signals",
            {"frequency": 125},
            (
                "notch_signals(frequency=125) is not below half the sampling rate (125.0 Hz) of record 'A00001'. "
                "Lower frequency, or resample first."
            ),
        ),
    ],
)
def test_an_error_for_a_frequency_above_half_the_rate_names_the_record(make, action, kwargs, text):
    batch = make(np.zeros((1, 500)), np.zeros((1, 500)), fs=[500, 250])
    with pytest.raises(InputError) as caught:
        getattr(batch, action)(**kwargs)
    assert str(caught.value) == text


def test_several_records_that_fail_are_all_named(make):
    with pytest.raises(BadRecordsError) as caught:
        LowPassSignals(60)(make(*[np.zeros((1, 500))] * 3, fs=[100, 500, 100]))
    assert sorted(caught.value.reasons) == ["A00000", "A00002"]


@pytest.mark.parametrize(
    "action",
    [
        ("band_pass_signals", 0.5, 40),
        ("resample_signals", 100),
        ("standardize",),
        ("notch_signals",),
        ("flip_signals",),
        ("convolve_signals", [1.0]),
        ("remove_baseline",),
        ("signal_quality",),
    ],
    ids=lambda a: a[0],
)
def test_an_error_for_nan_names_the_record_the_lead_and_the_remedy(make, action):
    x = np.random.default_rng(0).standard_normal((2, 500))
    bad = x.copy()
    bad[1, 7:10] = np.nan
    name, *arguments = action
    with pytest.raises(InputError) as caught:
        getattr(make(x, bad, leads=("I", "V1")), name)(*arguments)
    assert str(caught.value) == (
        f"{name} cannot work on record 'A00001': 3 of its 1000 samples are not finite (NaN or infinite), the first in "
        "lead 'V1'. Call fill_missing_signals first, drop the lead, or leave the record out."
    )
    filled = make(x, bad, leads=("I", "V1")).fill_missing_signals()
    assert len(getattr(filled, name)(*arguments)) == 2


@pytest.mark.parametrize("fs", [0.0, -1.0, np.nan])
def test_a_record_without_a_sampling_rate_is_named(make, fs):
    with pytest.raises(InputError) as caught:
        make(np.zeros((1, 9)), fs=fs).resample_signals(100)
    assert str(caught.value) == (
        f"resample_signals needs the sampling rate of record 'A00000', but meta['fs'] is {np.float64(fs)!r}. "
        "Pass it when loading, or leave the record out."
    )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "band_pass_signals() keeps all frequencies. Pass low, high or both, in Hz."),
        ({"low": 40, "high": 1}, "band_pass_signals(low=40, high=1): low is not below high. Swap them?"),
        ({"low": -1}, "band_pass_signals(low=-1) is not above 0."),
        ({"low": "1"}, "band_pass_signals(low='1') is not a finite number."),
        ({"low": 1, "order": 0}, "band_pass_signals(order=0) is not an integer of at least 1."),
    ],
)
def test_wrong_parameters_are_refused_at_once(make, arguments, text):
    with pytest.raises(InputError) as caught:
        make(np.zeros((1, 9))).band_pass_signals(**arguments)
    assert str(caught.value) == text


def test_complex_signals_are_refused_by_filters(make):
    with pytest.raises(InputError) as caught:
        make(np.ones((1, 64))).rfft().band_pass_signals(1, 10)
    assert str(caught.value) == (
        "band_pass_signals needs real samples, but 'signal' is complex. Call irfft or apply_transform(np.abs) first."
    )


@pytest.mark.parametrize(
    ("method", "expected"), [("linear", [2, 2, 3, 4, 4]), ("hold", [2, 2, 2, 4, 4]), ("zero", [0, 2, 0, 4, 0])]
)
def test_gaps_are_filled(make, method, expected):
    done = make([[np.nan, 2, np.nan, 4, np.inf], [np.nan] * 5]).fill_missing_signals(method)
    assert done.signal[0].tolist() == [expected, [0] * 5]


def test_inverted_signals_are_flipped_and_others_are_unchanged(twelve):
    lead = twelve.keep_channels("V5")
    turned = lead.replace(signal=lead.signal.with_data(-lead.signal.data))
    upright = lead.flip_signals()
    assert turned.flip_signals().signal == upright.signal
