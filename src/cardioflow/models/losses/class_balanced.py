"""The cross-entropy with classes weighted by their effective numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

from cardioflow.models.losses._ops import Ops
from cardioflow.models.losses._parts import cross_entropies, per_class, require
from cardioflow.models.losses.base import Kind, Loss

__all__ = ["ClassBalanced"]


@final
@dataclass(frozen=True)
class ClassBalanced(Loss):
    """The cross-entropy, with the weight (1 - beta) / (1 - beta^n) of a class with n records in training.

    Cui et al., CVPR 2019; the weights are scaled so that they add up to the
    number of classes. ``beta=0`` weights nothing, ``beta`` near 1 by 1/n.
    """

    counts: tuple[int, ...]
    """The records of each class in the training set, in the order of the classes."""
    beta: float = 0.999

    takes: ClassVar[tuple[Kind, ...]] = ("exclusive",)

    def __post_init__(self) -> None:
        right = bool(self.counts) and all(n > 0 for n in self.counts)
        require("class_balanced", right=right, given=f"counts={self.counts!r}", expected="counts above 0")
        right = 0 <= self.beta < 1
        require("class_balanced", right=right, given=f"beta={self.beta!r}", expected="a number from 0 to below 1")

    @property
    def weights(self) -> tuple[float, ...]:
        """The weight of each class."""
        raw = [(1 - self.beta) / (1 - self.beta**n) for n in self.counts]
        return tuple(w * len(raw) / sum(raw) for w in raw)

    def units(self, ops: Ops, z: Any, y: Any, kind: Kind) -> Any:  # noqa: ARG002 -- exclusive only
        weights = per_class(ops, self.weights, z, "class_balanced", "counts")
        return ops.sum(weights * cross_entropies(ops, z, y, exclusive=True), (-1,))
