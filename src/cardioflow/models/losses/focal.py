"""The focal loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from cardioflow.models.losses._ops import Ops
from cardioflow.models.losses._parts import per_class, require
from cardioflow.models.losses.base import Kind, Loss

__all__ = ["Focal"]


@final
@dataclass(frozen=True)
class Focal(Loss):
    """The cross-entropy, multiplied by (1 - p)^gamma, so that what is right already counts little.

    Lin et al., ICCV 2017. With ``gamma=0`` and no ``alpha`` it is the
    cross-entropy. Its probabilities are less sure than frequencies are: calibrate them.
    """

    gamma: float = 2.0
    alpha: tuple[float, ...] | None = None
    """The weight of each class; of independent labels that of having it, and 1 - alpha that of not having it."""

    def __post_init__(self) -> None:
        require("focal", right=self.gamma >= 0, given=f"gamma={self.gamma!r}", expected="a number of at least 0")

    def units(self, ops: Ops, z: Any, y: Any, kind: Kind) -> Any:
        alpha = None if self.alpha is None else per_class(ops, self.alpha, z, "focal", "weights")
        if kind == "exclusive":
            log_p = ops.log_softmax(z)
            each = -y * log_p * self._focus(ops, ops.exp(log_p))
            return ops.sum(each if alpha is None else alpha * each, (-1,))
        p = ops.exp(-ops.softplus(-z))
        having = y * ops.softplus(-z) * self._focus(ops, p)
        lacking = (1 - y) * ops.softplus(z) * self._focus(ops, 1 - p)
        each = having + lacking if alpha is None else alpha * having + (1 - alpha) * lacking
        return ops.sum(each, (-1,)) / z.shape[-1]

    def _focus(self, ops: Ops, p: Any) -> Any:
        # The derivative of x^gamma at 0 is infinite for a gamma below 1.
        return ops.maximum(1 - p, 1e-7) ** self.gamma
