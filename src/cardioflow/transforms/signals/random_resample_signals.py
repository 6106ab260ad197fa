"""Bring each signal to a sampling rate of its own, drawn at random."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import EcgBatch
from cardioflow.batch.timeline import resample
from cardioflow.core.random_keys import generator
from cardioflow.errors import InputError, nearest
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import finite, rates
from cardioflow.transforms.base import RandomTransform

__all__ = ["RandomResampleSignals"]

# fmt: off
_DISTRIBUTIONS = (
    "beta", "binomial", "chisquare", "choice", "exponential", "f",
    "gamma", "geometric", "gumbel", "hypergeometric", "integers", "laplace",
    "logistic", "lognormal", "logseries", "negative_binomial", "noncentral_chisquare", "noncentral_f",
    "normal", "pareto", "poisson", "power", "rayleigh", "standard_cauchy",
    "standard_exponential", "standard_gamma", "standard_normal", "standard_t", "triangular", "uniform",
    "vonmises", "wald", "weibull", "zipf",
)
# fmt: on


@final
@dataclass(frozen=True, init=False)
class RandomResampleSignals(RandomTransform):
    """Bring each signal to a sampling rate of its own, drawn from ``distr``.

    Where the rate drawn is not above zero, the signal stays as it is. The rate
    is written to ``meta["fs"]``, and events and time series move with the
    signal, so that times in seconds do not change. To change the heart rate that
    a model sees, set ``meta["fs"]`` back afterwards, or use ``random_time_warp``.

    Args:
        distr: a distribution of ``numpy.random.Generator`` by name, or a function that is called with a
            generator and ``kwargs`` and returns a rate in Hz.
        **kwargs: the distribution's parameters: ``random_resample_signals("normal", loc=300, scale=10)``.

    Raises:
        InputError: for a distribution that NumPy lacks, or parameters that it does not take.
    """

    distr: str | Callable[..., float]
    kwargs: Mapping[str, Any]

    def __init__(self, distr: str | Callable[..., float], **kwargs: Any) -> None:
        _parameters.set_fields(self, distr=distr, kwargs=_parameters.frozen(kwargs))
        if isinstance(distr, str) and distr not in _DISTRIBUTIONS:
            raise InputError(
                f"{self.action_name}(distr={distr!r}): NumPy has no such distribution. {nearest(distr, _DISTRIBUTIONS)}"
            )
        if not isinstance(distr, str) and not callable(distr):
            raise InputError(
                f"{self.action_name}(distr={distr!r}) is neither the name of a distribution nor a function."
            )
        try:
            drawn = self._draw(np.uint64(0))
        except (TypeError, ValueError) as error:
            raise InputError(f"{self}: {error}. Pass the parameters of the distribution.") from error
        if not np.isscalar(drawn):
            raise InputError(f"{self} draws {type(drawn).__name__}, not one number.")

    def apply(self, batch: EcgBatch, keys: NDArray[np.uint64]) -> EcgBatch:
        finite(batch, self.action_name)
        old = rates(batch, self.action_name)
        drawn = np.array([float(self._draw(key)) for key in keys], dtype=np.float64)
        return resample(batch, old, np.where(drawn > 0, drawn, old))

    def _draw(self, key: np.uint64) -> float:
        rng, distr = generator(key), self.distr
        draw = getattr(rng, distr) if isinstance(distr, str) else partial(distr, rng)
        return draw(**self.kwargs)

    def __str__(self) -> str:
        given = "".join(f", {name}={value!r}" for name, value in self.kwargs.items())
        return f"{self.action_name}({self.distr!r}{given})"

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls("normal", loc=300, scale=30), cls("choice", a=[120, 240])
