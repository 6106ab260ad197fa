"""The likelihood of labels under a Dirichlet distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

from cardioflow.models.losses._ops import Ops, log_gamma
from cardioflow.models.losses._parts import require
from cardioflow.models.losses.base import Kind, Loss

__all__ = ["Dirichlet"]

_LEAST = 1e-3


@final
@dataclass(frozen=True)
class Dirichlet(Loss):
    """The negative log-likelihood of smoothed labels under the Dirichlet distribution that the model gives.

    ln B(α) - Σ (α - 1) ln s with s = (1 - 2k) y + k, as in CardIO's
    ``DirichletModel`` (Kuvaev and Khudorozhkov, arXiv 1807.09312). From logits,
    α is softplus + 0.001, and predictions are α / Σ α. A Keras or TensorFlow
    model ends in the numbers α themselves.
    """

    smoothing: float = 1e-3
    """k, the distance of a smoothed label from 0 and 1, where the density is 0 or infinite."""

    takes: ClassVar[tuple[Kind, ...]] = ("exclusive",)

    def __post_init__(self) -> None:
        right = 0 < self.smoothing < 0.5
        require("dirichlet", right=right, given=f"{self.smoothing!r}", expected="a smoothing between 0 and 0.5")

    def units(self, ops: Ops, z: Any, y: Any, kind: Kind) -> Any:  # noqa: ARG002 -- exclusive only
        return self.of_parameters(ops, ops.softplus(z) + _LEAST, y)

    def of_parameters(self, ops: Ops, alpha: Any, y: Any) -> Any:
        """Return the loss of each row from the parameters α themselves."""
        smoothed = (1 - 2 * self.smoothing) * y + self.smoothing
        log_beta = ops.sum(log_gamma(ops, alpha), (-1,)) - log_gamma(ops, ops.sum(alpha, (-1,)))
        return log_beta - ops.sum((alpha - 1) * ops.log(smoothed), (-1,))

    def probabilities(self, ops: Ops, z: Any, kind: Kind) -> Any:  # noqa: ARG002 -- exclusive only
        alpha = ops.softplus(z) + _LEAST
        return alpha / ops.sum(alpha, (-1,))[..., None]

    def logits(self, ops: Ops, p: Any, kind: Kind) -> Any:  # noqa: ARG002 -- exclusive only
        # softplus(ln(eˣ - 1)) = x
        rest = ops.maximum(p - _LEAST, 1e-6)
        return rest + ops.log(ops.maximum(1 - ops.exp(-rest), 1e-7))
