from __future__ import annotations

import numpy as np
import pytest

from cardioflow.dsp.leads import check_limb_leads
from cardioflow.dsp.limb_laws import law_residual

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF")


def recorded(noise: float) -> np.ndarray:
    """Limb leads that obey the laws up to ``noise``, each with an offset of its own."""
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(2, 1000))
    rows = [first, second, second - first, -(first + second) / 2, first - second / 2, second - first / 2]
    offsets = rng.normal(size=(6, 1)) * 5
    return (np.array(rows) + noise * rng.normal(size=(6, 1000)) + offsets).astype(np.float32)


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.5])
def test_the_residuals_are_those_of_the_plain_computation(noise):
    signal = recorded(noise)
    signal[1, 10:20] = np.nan
    signal[5, 30] = np.inf
    plain = check_limb_leads(signal, LEADS)
    assert law_residual(signal, 0, 1, 2, -1.0) == pytest.approx(plain.einthoven, rel=1e-3, abs=1e-6)
    assert law_residual(signal, 3, 4, 5, 1.0) == pytest.approx(plain.goldberger, rel=1e-3, abs=1e-6)


def test_a_swapped_sign_is_far_from_the_law():
    signal = recorded(0.0)
    assert law_residual(signal, 0, 1, 2, -1.0) < 1e-5
    signal[0] *= -1
    assert law_residual(signal, 0, 1, 2, -1.0) > 0.5


@pytest.mark.parametrize("value", [0.0, 3.7, np.nan])
def test_flat_leads_obey_and_break_nothing(value):
    assert np.isnan(law_residual(np.full((3, 50), value, np.float32), 0, 1, 2, -1.0))
