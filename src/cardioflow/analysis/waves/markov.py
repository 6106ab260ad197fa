"""How probable P, QRS and T are at each sample by CardIO's hidden Markov model, in the place of the network."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.beat_states import WAVES
from cardioflow.analysis.gaussian_hmm import GaussianHmm
from cardioflow.analysis.waves.prepare import FS
from cardioflow.analysis.waves.sequence import QRS, P, T

__all__ = ["CENTRES_HZ", "markov_probabilities", "observations"]

Floats = NDArray[np.float32]

CENTRES_HZ: Final = (2.5, 5.0, 10.0, 19.0, 36.0)
"""The bands that are observed."""
_WIDTH: Final = 0.45
"""The standard deviation of a band, as a part of its centre: 20 ms at 19 Hz."""
_FLOOR: Final = 0.01
"""Added to a modulus before the logarithm, in units of the local QRS amplitude: what is smaller is noise."""


def observations(x: Floats) -> NDArray[np.float64]:
    """Return what the model observes of a lead ``x``, (time,) as ``prepare`` gives it: (time, band).

    It is the logarithm of the modulus of a Morlet wavelet transform in five bands. CardIO's model observes a Mexican
    hat, whose sign turns with the lead; the modulus serves leads of any polarity.
    """
    n = x.size
    spectrum = np.fft.rfft(x.astype(np.float64))
    hz = np.fft.rfftfreq(n, 1 / FS)
    found = np.empty((n, len(CENTRES_HZ)))
    whole = np.zeros(n, np.complex128)
    for k, centre in enumerate(CENTRES_HZ):
        # Only positive frequencies: the inverse transform is the analytic signal of the band.
        whole[: hz.size] = 2 * spectrum * np.exp(-0.5 * ((hz - centre) / (_WIDTH * centre)) ** 2)
        found[:, k] = np.log(np.abs(np.fft.ifft(whole)) + _FLOOR)
    return found


def markov_probabilities(x: Floats) -> Floats:
    """Return how probable none, P, QRS and T are at each sample of leads ``x``, (lead, time) → (lead, time, 4)."""
    own = _model()
    out = np.zeros((*x.shape, 4), np.float32)
    if not x.shape[1]:
        return out
    for i, posterior in enumerate(own.posteriors([observations(lead) for lead in x])):
        for kind, name in ((P, "P"), (QRS, "QRS"), (T, "T")):
            out[i, :, kind] = posterior[:, list(WAVES[name])].sum(axis=1)
        out[i, :, 0] = np.clip(1.0 - out[i, :, 1:].sum(axis=1), 0.0, 1.0)
    return out


@lru_cache(maxsize=1)
def _model() -> GaussianHmm:
    with files("cardioflow.analysis.waves").joinpath("markov.npz").open("rb") as file:
        held: Any = np.load(file, allow_pickle=False)
        return GaussianHmm(held["start"], held["transitions"], held["means"], held["covariances"])
