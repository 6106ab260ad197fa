"""The few operations in which losses are written, whatever computes them."""

from __future__ import annotations

import math
from typing import Any, Protocol

__all__ = ["Ops", "digamma", "log_gamma"]

_SHIFT = 6


class Ops(Protocol):
    """Operations on the arrays of one backend; arithmetic is that of the arrays themselves."""

    def log(self, x: Any) -> Any:
        """Return ln x."""

    def exp(self, x: Any) -> Any:
        """Return eˣ."""

    def log_softmax(self, x: Any) -> Any:
        """Return the logarithm of the softmax over the last axis."""

    def softplus(self, x: Any) -> Any:
        """Return ln(1 + eˣ)."""

    def maximum(self, x: Any, least: float) -> Any:
        """Return ``x``, at least ``least``."""

    def minimum(self, x: Any, most: float) -> Any:
        """Return ``x``, at most ``most``."""

    def sum(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Return the sum over ``axes``."""

    def constant(self, values: tuple[float, ...], like: Any) -> Any:
        """Return ``values`` as an array of the type of ``like``, where ``like`` is."""

    def compared(self, x: Any, values: Any) -> Any:
        """Return 1 where ``x`` is at least ``values``, and 0 elsewhere, in the type of ``x``."""

    def log_sum_exp(self, x: Any) -> Any:
        """Return ln Σ eˣ over the last axis."""


def log_gamma(ops: Ops, x: Any) -> Any:
    """Return ln Γ(x) of positive ``x``: Keras has none on all backends.

    The recurrence Γ(x + 1) = x Γ(x) leads to arguments above 6, for which Stirling's series with three terms
    (Abramowitz and Stegun 6.1.41) has an error below 3e-9.
    """
    moved = x + float(_SHIFT)
    inverse = 1.0 / moved
    square = inverse * inverse
    series = inverse * (1 / 12 - square * (1 / 360 - square / 1260))
    stirling = (moved - 0.5) * ops.log(moved) - moved + 0.5 * math.log(2 * math.pi) + series
    # A sum of logarithms, because the product leaves float32 for arguments above 2e6.
    return stirling - sum(ops.log(x + float(k)) for k in range(_SHIFT))


def digamma(ops: Ops, x: Any) -> Any:
    """Return ψ(x), the derivative of ln Γ(x), of positive ``x`` (Abramowitz and Stegun 6.3.18)."""
    moved = x + float(_SHIFT)
    inverse = 1.0 / moved
    square = inverse * inverse
    series = ops.log(moved) - 0.5 * inverse - square * (1 / 12 - square * (1 / 120 - square / 252))
    return series - sum(1.0 / (x + float(k)) for k in range(_SHIFT))
