"""The Dice loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from cardioflow.models.losses._ops import Ops
from cardioflow.models.losses._parts import require
from cardioflow.models.losses.base import Kind, Loss

__all__ = ["Dice"]


@final
@dataclass(frozen=True)
class Dice(Loss):
    """One minus the overlap 2 Σ p y / (Σ p + Σ y) of predicted and true samples, averaged over the classes.

    Milletari et al., 3DV 2016, without their squares. A short wave counts as
    much as a long one. Of a label per sample, the sums go over the samples of a
    record; of labels per record, over the labels.
    """

    smooth: float = 1.0
    """Added above and below, so that a class that neither occurs nor is predicted costs nothing."""

    def __post_init__(self) -> None:
        require("dice", right=self.smooth > 0, given=f"smooth={self.smooth!r}", expected="a number above 0")

    def units(self, ops: Ops, z: Any, y: Any, kind: Kind) -> Any:
        p = self.probabilities(ops, z, kind)
        axes = tuple(range(1, len(z.shape) - 1)) or (1,)
        both, either = ops.sum(p * y, axes), ops.sum(p + y, axes)
        overlap = (2 * both + self.smooth) / (either + self.smooth)
        # (record, class) after sums over samples, (record,) after a sum over labels.
        return 1 - overlap
