"""Add noise whose power falls with frequency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from cardioflow.batch import EcgBatch
from cardioflow.transforms import _parameters
from cardioflow.transforms.augment._draw import between, disturbed
from cardioflow.transforms.base import RandomTransform

__all__ = ["RandomColouredNoise"]


@final
@dataclass(frozen=True)
class RandomColouredNoise(RandomTransform):
    """Add noise whose power is proportional to 1 / f**exponent, as electrodes and muscles cause it.

    Args:
        exponent: 0 for white noise, 1 for pink, 2 for brown; or the pair of bounds to draw it from.
        std_mv: the standard deviation of the noise in millivolts, or the pair of bounds to draw it from.
    """

    exponent: float | tuple[float, float] = (0.5, 2.0)
    std_mv: float | tuple[float, float] = (0.0, 0.05)

    def __post_init__(self) -> None:
        _parameters.span(self, "exponent", least=0)
        _parameters.span(self, "std_mv", least=0)

    def apply(self, batch: EcgBatch, keys: NDArray[np.uint64]) -> EcgBatch:
        return disturbed(batch, keys, self.action_name, self._noisy)

    def _noisy(self, x: NDArray[Any], rng: np.random.Generator, _: int) -> NDArray[Any]:
        exponent, std = between(rng, self.exponent), between(rng, self.std_mv)
        n = x.shape[-1]
        spectrum = scipy.fft.rfft(rng.standard_normal(x.shape))
        # A mean would be an offset, which is not noise.
        bins = np.arange(spectrum.shape[-1], dtype=np.float64)
        spectrum *= np.concatenate([[0.0], bins[1:] ** (-exponent / 2)])
        noise = scipy.fft.irfft(spectrum, n) if n > 1 else np.zeros(x.shape)
        spread = noise.std(axis=-1, keepdims=True)
        return np.asarray(x + noise * (std / np.where(spread > 0, spread, 1.0)))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(1, 0.1)
