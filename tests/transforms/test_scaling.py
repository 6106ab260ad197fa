"""Scaled signals have the right mean, deviation, range or quantiles."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.errors import InputError


@pytest.mark.parametrize("axis", [-1, (-2, -1), None])
def test_standardized_signals_equal_numpy_per_record(records, twelve, axis):
    for batch in (records, twelve, twelve.split_signals(700)):
        done = batch.standardize(axis)
        for i, x in enumerate(batch.signal.with_data(batch.signal.data)):
            wide = x.astype(np.float64)
            expected = (wide - wide.mean(axis, keepdims=True)) / wide.std(axis, keepdims=True)
            np.testing.assert_allclose(done.signal[i], expected, atol=2e-5, rtol=1e-5)


def test_a_flat_lead_becomes_zeros_and_the_others_are_standardized(make):
    done = make([[0.3] * 500, np.arange(500.0)]).standardize()
    assert (done.signal[0][0] == 0).all()
    assert done.signal[0][1].std() == pytest.approx(1, abs=1e-5)


def test_the_result_can_be_written_to_another_component(records):
    done = records.standardize(dst="normal")
    assert done.signal is records.signal
    assert done.normal == records.standardize().signal


def test_signals_are_scaled_to_a_range(twelve, make):
    done = twelve.min_max_scale(-1, 1).signal.dense()
    np.testing.assert_allclose(done.min(axis=-1), -1, atol=1e-6)
    np.testing.assert_allclose(done.max(axis=-1), 1, atol=1e-6)
    whole = twelve.min_max_scale(axis=None).signal
    x = twelve.signal[0].astype(np.float64)
    np.testing.assert_allclose(whole[0], (x - x.min()) / np.ptp(x), atol=1e-6)
    assert make([[2.0, 2.0]]).min_max_scale(3, 4).signal[0].tolist() == [[3.0, 3.0]]


def test_robust_scaling_subtracts_the_median_and_divides_by_the_quantile_range(twelve, make):
    done = twelve.robust_scale((0.1, 0.9)).signal.dense().astype(np.float64)
    low, middle, high = np.quantile(done, [0.1, 0.5, 0.9], axis=-1)
    np.testing.assert_allclose(middle, 0, atol=1e-5)
    np.testing.assert_allclose(high - low, 1, atol=1e-5)
    assert make([[2.0, 2.0, 9.0]]).robust_scale((0.0, 0.5)).signal[0].tolist() == [[0.0, 0.0, 7.0]]


def test_clipped_signals_stay_between_the_limits(twelve):
    np.testing.assert_array_equal(twelve.clip_signals(-0.1, 0.2).signal.data, np.clip(twelve.signal.data, -0.1, 0.2))


@pytest.mark.parametrize(
    ("name", "kwargs", "text"),
    [
        ("standardize", {"axis": 0}, "standardize(axis=0) is unknown. Pass one of -1, (-2, -1), None."),
        ("standardize", {"eps": -1}, "standardize(eps=-1) is not at least 0."),
        ("min_max_scale", {"low": 2, "high": 1}, "min_max_scale(low=2, high=1): low is not below high. Swap them?"),
        (
            "clip_signals",
            {"low_mv": 2, "high_mv": 1},
            "clip_signals(low_mv=2, high_mv=1): low_mv is not below high_mv. Swap them?",
        ),
        (
            "robust_scale",
            {"quantiles": (0.5, 2)},
            "robust_scale(quantiles=(0.5, 2)): expected two increasing numbers from 0 to 1.",
        ),
    ],
)
def test_wrong_parameters_are_refused_at_once(twelve, name, kwargs, text):
    with pytest.raises(InputError) as caught:
        getattr(twelve, name)(**kwargs)
    assert str(caught.value) == text
