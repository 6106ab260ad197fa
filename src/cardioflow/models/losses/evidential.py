"""The evidential loss: a Dirichlet distribution of the probabilities."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, final

from cardioflow.models.losses._ops import Ops, digamma, log_gamma
from cardioflow.models.losses._parts import require
from cardioflow.models.losses.base import Kind, Loss

__all__ = ["Evidential"]


@final
@dataclass(frozen=True)
class Evidential(Loss):
    """The mean squared error expected under a Dirichlet distribution, and a penalty on evidence for wrong classes.

    Sensoy et al., NeurIPS 2018, equation 5: the evidence of a class is softplus
    of its logit (theirs is a ReLU, whose gradient can die), α is one more, and
    predictions are α / Σ α. The penalty is the divergence from a flat
    distribution after the evidence of the true class is taken off; the paper
    raises its weight over ten epochs, and here it is constant. A Keras or
    TensorFlow model ends in the numbers α themselves, such as 1 + softplus.
    """

    penalty: float = 0.1

    takes: ClassVar[tuple[Kind, ...]] = ("exclusive",)

    def __post_init__(self) -> None:
        right = self.penalty >= 0
        require("evidential", right=right, given=f"penalty={self.penalty!r}", expected="a number of at least 0")

    def units(self, ops: Ops, z: Any, y: Any, kind: Kind) -> Any:  # noqa: ARG002 -- exclusive only
        return self._of_alpha(ops, ops.softplus(z) + 1, y)

    def probabilities(self, ops: Ops, z: Any, kind: Kind) -> Any:  # noqa: ARG002 -- exclusive only
        alpha = ops.softplus(z) + 1
        return alpha / _total(ops, alpha)

    def logits(self, ops: Ops, p: Any, kind: Kind) -> Any:  # noqa: ARG002 -- exclusive only
        # softplus(ln(eˣ - 1)) = x
        evidence = ops.maximum(p - 1, 1e-6)
        return evidence + ops.log(ops.maximum(1 - ops.exp(-evidence), 1e-7))

    def _of_alpha(self, ops: Ops, alpha: Any, y: Any) -> Any:
        total = _total(ops, alpha)
        p = alpha / total
        error = ops.sum((y - p) ** 2 + p * (1 - p) / (total + 1), (-1,))
        wrong = y + (1 - y) * alpha
        n = alpha.shape[-1]
        sum_wrong = _total(ops, wrong)
        divergence = (
            log_gamma(ops, sum_wrong[..., 0])
            - ops.sum(log_gamma(ops, wrong), (-1,))
            - math.lgamma(n)
            + ops.sum((wrong - 1) * (digamma(ops, wrong) - digamma(ops, sum_wrong)), (-1,))
        )
        return error + self.penalty * divergence


def _total(ops: Ops, alpha: Any) -> Any:
    return ops.sum(alpha, (-1,))[..., None]
