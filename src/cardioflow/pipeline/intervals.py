"""How often something is done during a run: per epoch, after a number of batches, or after some time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Self, final

import numpy as np

from cardioflow.errors import ConfigError

__all__ = ["Interval"]

_TIME: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|h)")
_SECONDS: Final = {"s": 1.0, "min": 60.0, "h": 3600.0}


@final
@dataclass(frozen=True)
class Interval:
    """One of three ways to count; with neither batches nor seconds, it is the end of every epoch."""

    n_batches: int | None = None
    seconds: float | None = None

    @classmethod
    def of(cls, value: Any) -> Self:
        """Return what ``"epoch"``, a number of batches, ``"10min"``, ``"30s"``, ``"2h"`` or a ``timedelta`` stands for.

        Raises:
            ConfigError: for anything else.
        """
        if value == "epoch":
            return cls()
        if isinstance(value, int | np.integer) and not isinstance(value, bool) and value > 0:
            return cls(n_batches=int(value))
        seconds = 0.0
        if isinstance(value, timedelta):
            seconds = value.total_seconds()
        elif isinstance(value, str) and (found := _TIME.fullmatch(value.strip())):
            seconds = float(found[1]) * _SECONDS[found[2]]
        if seconds > 0:
            return cls(seconds=seconds)
        raise ConfigError(
            f"run(every={value!r}): expected 'epoch', a number of batches, a time such as '30s', '10min' or '2h', or "
            "a datetime.timedelta."
        )

    def is_due(self, n_done: int, *, is_epoch_end: bool, seconds: float) -> bool:
        """Return whether it is time, after ``n_done`` batches of the run and ``seconds`` since the last time."""
        if self.n_batches is not None:
            return n_done % self.n_batches == 0
        if self.seconds is not None:
            return seconds >= self.seconds
        return is_epoch_end
