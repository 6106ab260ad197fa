"""The cross-entropy of softened labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from cardioflow.models.losses._ops import Ops
from cardioflow.models.losses._parts import cross_entropies, require
from cardioflow.models.losses.base import Kind, Loss

__all__ = ["LabelSmoothing"]


@final
@dataclass(frozen=True)
class LabelSmoothing(Loss):
    """The cross-entropy with labels of 1 - smoothing, and the rest shared by all classes.

    Szegedy et al., CVPR 2016, section 7: (1 - s) y + s / (number of classes); of
    independent labels (1 - s) y + s / 2.
    """

    smoothing: float = 0.1

    def __post_init__(self) -> None:
        right = 0 <= self.smoothing < 1
        require("label_smoothing", right=right, given=f"{self.smoothing!r}", expected="a number from 0 to below 1")

    def units(self, ops: Ops, z: Any, y: Any, kind: Kind) -> Any:
        n = z.shape[-1]
        exclusive = kind == "exclusive"
        soft = (1 - self.smoothing) * y + self.smoothing / (n if exclusive else 2)
        return ops.sum(cross_entropies(ops, z, soft, exclusive=exclusive), (-1,)) / (1 if exclusive else n)
