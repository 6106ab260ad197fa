"""Learning rates by the number of the step."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

from cardioflow.errors import ConfigError

__all__ = ["Constant", "Cosine", "OneCycle", "Schedule", "check_number"]


def check_number(
    who: str, name: str, value: float, expected: str, *, least: float = 0.0, open_end: bool = True
) -> None:
    """Raise ConfigError unless ``value`` is a finite number above ``least``, or at it where not ``open_end``."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or value < least or (open_end and value == least):
        raise ConfigError(f"{who}({name}={value!r}): expected {expected}.")


class Schedule(ABC):
    """The learning rate of each step, before any reduction."""

    needs_length = True
    """Whether it depends on how many steps there are."""

    @abstractmethod
    def rate(self, step: int, n_steps: int) -> float:
        """Return the learning rate of step number ``step``, from 0, of ``n_steps``."""


@final
@dataclass(frozen=True)
class Constant(Schedule):
    """``peak``, after ``warmup`` steps on a straight line to it."""

    peak: float
    warmup: int = 0
    needs_length = False

    def rate(self, step: int, n_steps: int) -> float:
        return self.peak * min(1.0, (step + 1) / (self.warmup + 1))


@final
@dataclass(frozen=True)
class Cosine(Schedule):
    """A straight line to ``peak``, then half a cosine down to ``end`` (Loshchilov and Hutter, ICLR 2017, eq. 5)."""

    peak: float
    warmup: int = 0
    end: float = 0.0

    def rate(self, step: int, n_steps: int) -> float:
        if step < self.warmup:
            return self.peak * (step + 1) / (self.warmup + 1)
        share = min(1.0, (step - self.warmup) / max(1, n_steps - self.warmup))
        return _half_cosine(self.peak, self.end, share)


@final
@dataclass(frozen=True)
class OneCycle(Schedule):
    """Half a cosine up to ``peak`` and half a cosine down, as ``OneCycleLR`` of PyTorch (Smith and Topin, 2019)."""

    peak: float
    rise: float = 0.3
    """The share of the steps in which the rate rises."""
    start_factor: float = 25.0
    """The first rate is ``peak`` divided by this."""
    end_factor: float = 1e4
    """The last rate is the first divided by this."""

    def rate(self, step: int, n_steps: int) -> float:
        start = self.peak / self.start_factor
        top, last = self.rise * n_steps - 1, n_steps - 1
        if step <= top:
            return _half_cosine(start, self.peak, step / top if top else 1.0)
        share = min(1.0, (step - max(top, 0.0)) / max(1.0, last - max(top, 0.0)))
        return _half_cosine(self.peak, start / self.end_factor, share)


def _half_cosine(first: float, last: float, share: float) -> float:
    return last + (first - last) * (1 + math.cos(math.pi * share)) / 2
