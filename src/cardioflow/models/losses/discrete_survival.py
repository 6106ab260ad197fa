"""The likelihood of an event in one of several intervals of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

from cardioflow.errors import ModelError
from cardioflow.models.losses._ops import Ops
from cardioflow.models.losses._parts import require
from cardioflow.models.losses.base import Kind, Loss

__all__ = ["DiscreteSurvival"]


@final
@dataclass(frozen=True)
class DiscreteSurvival(Loss):
    """The negative log-likelihood of the hazard of each interval.

    Gensheimer and Narasimhan, PeerJ 2019. The model gives a logit of the hazard
    for each interval, and targets are (record, 2): the time, and 1 for an event
    or 0 for a censored time. An interval survived counts for a censored record
    when at least half of it was observed. Predictions are the probabilities of
    surviving the end of each interval.
    """

    ends: tuple[float, ...]
    """The ends of the intervals, rising, in the unit of the times. A later event is one censored at the last end."""

    takes: ClassVar[tuple[Kind, ...]] = ("value",)

    def __post_init__(self) -> None:
        starts = (0.0, *self.ends[:-1])
        right = bool(self.ends) and all(a < b for a, b in zip(starts, self.ends, strict=True))
        require("discrete_survival", right=right, given=f"ends={self.ends!r}", expected="rising times above 0")

    def units(self, ops: Ops, z: Any, y: Any, kind: Kind) -> Any:  # noqa: ARG002 -- numbers only
        if z.shape[-1] != len(self.ends):
            raise ModelError(
                f"The loss 'discrete_survival' has {len(self.ends)} intervals, and the model gives {z.shape[-1]} "
                "numbers per record. Let it end in one logit per interval."
            )
        time, event = y[:, :1], y[:, 1:2]
        starts = (0.0, *self.ends[:-1])
        middles = tuple((a + b) / 2 for a, b in zip(starts, self.ends, strict=True))
        first, last = ops.constant(starts, z)[None, :], ops.constant(self.ends, z)[None, :]
        past_end = ops.compared(time, last)
        survived = event * past_end + (1 - event) * ops.compared(time, ops.constant(middles, z)[None, :])
        died = event * ops.compared(time, first) * (1 - past_end)
        return ops.sum(survived * ops.softplus(z) + died * ops.softplus(-z), (-1,))

    def probabilities(self, ops: Ops, z: Any, kind: Kind) -> Any:  # noqa: ARG002 -- numbers only
        n = len(self.ends)
        until = ops.constant(tuple(float(j <= i) for i in range(n) for j in range(n)), z).reshape(1, n, n)
        return ops.exp(-ops.sum(until * ops.softplus(z)[:, None, :], (-1,)))
