"""Add powerline interference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import EcgBatch
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import rates
from cardioflow.transforms.augment._draw import between, disturbed
from cardioflow.transforms.base import RandomTransform

__all__ = ["RandomPowerline"]


@final
@dataclass(frozen=True)
class RandomPowerline(RandomTransform):
    """Add powerline interference: a sine wave near one of ``frequencies``, with a different amplitude in each lead.

    The frequency deviates by up to 0.2 Hz, as it does in power grids. A frequency
    above half the sampling rate of a record is not added to it.

    Args:
        amplitude_mv: the amplitude in millivolts, or the pair of bounds to draw each lead's from.
        frequencies: the mains frequencies in Hz; one of them is drawn for each record.
    """

    amplitude_mv: float | tuple[float, float] = (0.0, 0.1)
    frequencies: float | tuple[float, ...] = (50.0, 60.0)

    def __post_init__(self) -> None:
        _parameters.span(self, "amplitude_mv", least=0)
        given = self.frequencies
        listed = tuple(given) if isinstance(given, (tuple, list)) else (given,)
        if not listed or not all(isinstance(f, (int, float)) and f > 0 for f in listed):
            raise InputError(f"{self.action_name}(frequencies={given!r}) is not a list of frequencies above zero.")
        _parameters.set_fields(self, frequencies=listed)

    def apply(self, batch: EcgBatch, keys: NDArray[np.uint64]) -> EcgBatch:
        fs = rates(batch, self.action_name)
        return disturbed(batch, keys, self.action_name, lambda x, rng, i: self._humming(x, rng, float(fs[i])))

    def _humming(self, x: NDArray[Any], rng: np.random.Generator, fs: float) -> NDArray[Any]:
        frequency = float(rng.choice(self.frequencies)) + rng.uniform(-0.2, 0.2)
        amplitude = between(rng, self.amplitude_mv, (*x.shape[:-1], 1))
        if frequency >= fs / 2:
            return x
        time = np.arange(x.shape[-1]) / fs
        return np.asarray(x + amplitude * np.sin(2 * np.pi * frequency * time + rng.uniform(0, 2 * np.pi)))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(0.1, 50)
