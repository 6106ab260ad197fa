from __future__ import annotations

import numpy as np
import pytest

from cardioflow.dsp.limb_kernels import law_residual, suspected_swap


def recorded(noise: float) -> np.ndarray:
    """Limb leads that obey the laws up to ``noise``, each with its own offset."""
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(2, 1000))
    rows = [first, second, second - first, -(first + second) / 2, first - second / 2, second - first / 2]
    offsets = rng.normal(size=(6, 1)) * 5
    return (np.array(rows) + noise * rng.normal(size=(6, 1000)) + offsets).astype(np.float32)


def plain_residual(rows: np.ndarray, sign: float) -> float:
    rows = rows[:, np.isfinite(rows).all(axis=0)].astype(np.float64)
    rows -= rows.mean(axis=1, keepdims=True)
    off = np.array([1.0, sign, 1.0]) @ rows
    return float(np.sqrt(np.mean(off**2) / np.mean(rows**2)))


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.5])
def test_the_residuals_equal_a_direct_computation(noise):
    signal = recorded(noise)
    signal[1, 10:20] = np.nan
    signal[5, 30] = np.inf
    assert law_residual(signal, 0, 1, 2, -1.0) == pytest.approx(plain_residual(signal[:3], -1.0), rel=1e-3, abs=1e-6)
    assert law_residual(signal, 3, 4, 5, 1.0) == pytest.approx(plain_residual(signal[3:], 1.0), rel=1e-3, abs=1e-6)


def test_an_inverted_lead_violates_the_law():
    signal = recorded(0.0)
    assert law_residual(signal, 0, 1, 2, -1.0) < 1e-5
    signal[0] *= -1
    assert law_residual(signal, 0, 1, 2, -1.0) > 0.5


@pytest.mark.parametrize("value", [0.0, 3.7, np.nan])
def test_flat_leads_obey_the_laws(value):
    assert np.isnan(law_residual(np.full((3, 50), value, np.float32), 0, 1, 2, -1.0))


def beats(height: float) -> np.ndarray:
    """Ten beats of a lead: narrow waves of the given height."""
    t = np.arange(1000, dtype=np.float32) % 100
    return (height * np.exp(-(((t - 50) / 3) ** 2))).astype(np.float32)


NONE, RA_RL, LA_RL, RA_LL, RA_LA = range(5)


@pytest.mark.parametrize(
    ("first", "second", "lateral", "expected"),
    [
        (0.6, 1.0, 1.0, NONE),
        # Flat II, and flat III = II - I, with an offset that is no signal.
        (0.6, 0.05, 1.0, RA_RL),
        (0.95, 1.0, 1.0, LA_RL),
        (0.0, 0.0, 1.0, NONE),
        # I and II as they are with RA on LL: I' = I - II, II' = -II; on LA: I' = -I, II' = III.
        (0.6 - 1.0, -1.0, 1.0, RA_LL),
        (-0.6, 1.0 - 0.6, 1.0, RA_LA),
        # V6 upside down as well: dextrocardia, or a lead that was inverted.
        (-0.6, 1.0 - 0.6, -1.0, NONE),
    ],
)
def test_each_swap_is_detected_by_its_rule(first, second, lateral, expected):
    assert suspected_swap(beats(first), beats(second) + 3, beats(lateral)) == expected


def test_without_v6_only_flat_leads_are_detected():
    none = np.empty(0, np.float32)
    assert suspected_swap(beats(-0.6), beats(0.4), none) == NONE
    assert suspected_swap(beats(0.6), beats(0.05), none) == RA_RL


def test_an_all_nan_record_is_not_suspected():
    gone = np.full(100, np.nan, np.float32)
    assert suspected_swap(gone, gone, gone) == NONE
    first, second, lateral = beats(-0.6), beats(0.4), beats(1.0)
    first[200:500] = second[400:600] = lateral[:100] = np.nan
    assert suspected_swap(first, second, lateral) == RA_LA
