"""Speed: the heart rate changes, the sampling rate stays."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.batch import EcgBatch, Meta, Ragged
from cardioflow.errors import InputError


def batch(n: int = 5) -> EcgBatch:
    t = np.arange(3000) / 100
    return EcgBatch(
        ids=tuple(f"R{i}" for i in range(n)),
        signal=Ragged.from_arrays([np.sin(2 * np.pi * 2 * t)[None].astype(np.float32)] * n),
        meta=Meta.from_rows([{"fs": 100.0, "leads": ("I",)}] * n),
    )


def frequency(x: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(x * np.hanning(x.size), 1 << 16))
    return float(power.argmax() * 100 / (1 << 16))


def test_the_frequency_is_multiplied_and_the_length_divided_by_one_factor() -> None:
    done = batch().random_speed(0.8, 1.25)
    assert done.meta[0]["fs"] == 100.0
    factors = [3000 / x.shape[1] for x in done.signal]
    assert len(set(factors)) == 5
    assert all(0.79 < f < 1.26 for f in factors)
    for x, factor in zip(done.signal, factors, strict=True):
        assert frequency(x[0]) == pytest.approx(2 * factor, rel=0.005)


def test_a_fixed_factor_is_that_factor_and_one_changes_nothing() -> None:
    assert batch(1).random_speed(2.0, 2.0).signal[0].shape == (1, 1500)
    assert frequency(batch(1).random_speed(2.0, 2.0).signal[0][0]) == pytest.approx(4, rel=0.005)
    np.testing.assert_array_equal(batch(1).random_speed(1.0, 1.0).signal[0], batch(1).signal[0])


def test_wrong_bounds_are_refused() -> None:
    with pytest.raises(InputError, match="low is above high"):
        batch().random_speed(1.2, 0.9)
