"""The asymmetric loss for several labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

from cardioflow.models.losses._ops import Ops
from cardioflow.models.losses._parts import require
from cardioflow.models.losses.base import Kind, Loss

__all__ = ["Asymmetric"]


@final
@dataclass(frozen=True)
class Asymmetric(Loss):
    """A focal loss of independent labels that forgets the many easy negatives: with its own power, and a margin.

    Ridnik et al., ICCV 2021: (1 - p)^gamma_positive ln p of a label that is
    there, and q^gamma_negative ln(1 - q) with q = max(p - margin, 0) of one that
    is not. The gradient goes through the powers too, which the authors' program
    can switch off. Labels are averaged, where the authors add them up.
    """

    gamma_positive: float = 0.0
    gamma_negative: float = 4.0
    margin: float = 0.05

    takes: ClassVar[tuple[Kind, ...]] = ("independent",)

    def __post_init__(self) -> None:
        right = self.gamma_positive >= 0 and self.gamma_negative >= 0 and 0 <= self.margin < 1
        given = f"{self.gamma_positive!r}, {self.gamma_negative!r}, margin={self.margin!r}"
        require("asymmetric", right=right, given=given, expected="powers of at least 0 and a margin from 0 to below 1")

    def units(self, ops: Ops, z: Any, y: Any, kind: Kind) -> Any:  # noqa: ARG002 -- independent only
        p = ops.exp(-ops.softplus(-z))
        shifted = ops.maximum(p - self.margin, 0.0)
        # Without a margin, ln(1 - p) from the logit, which does not lose its digits near 1.
        absent = ops.softplus(z) if self.margin == 0 else -ops.log(ops.maximum(1 - shifted, 1e-7))
        having = y * ops.maximum(1 - p, 1e-7) ** self.gamma_positive * ops.softplus(-z)
        lacking = (1 - y) * ops.maximum(shifted, 1e-7) ** self.gamma_negative * absent
        return ops.sum(having + lacking, (-1,)) / z.shape[-1]
