"""How sure a model is that gives a distribution of probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["dirichlet_moments", "uncertainty"]


def dirichlet_moments(alpha: NDArray[Any]) -> NDArray[np.float64]:
    """Return E[p] and E[p²] of Dirichlet distributions: (row, class) becomes (row, 2, class).

    With a₀ = Σ α they are α / a₀ and α (α + 1) / (a₀ (a₀ + 1)). The moments of a mixture are the means of those of its
    parts, so that those of a record are the means over its segments.
    """
    alpha = np.asarray(alpha, np.float64)
    total = alpha.sum(axis=-1, keepdims=True)
    return np.stack([alpha / total, alpha * (alpha + 1) / (total * (total + 1))], axis=-2)


def uncertainty(moments: NDArray[Any]) -> NDArray[np.float64]:
    """Return how uncertain each prediction is, from 0 (sure) to about 1, from moments of shape (…, 2, class).

    It is the variance E[p²] - E[p]² of the most probable class, divided by (K - 1) / K² for K classes, the largest
    variance that a distribution with equal means can have; CardIO's measure. A record is uncertain if its segments
    are, or if they disagree.
    """
    moments = np.asarray(moments, np.float64)
    mean, square = moments[..., 0, :], moments[..., 1, :]
    top = mean.argmax(axis=-1, keepdims=True)
    variance = np.take_along_axis(square - mean**2, top, axis=-1)[..., 0]
    n_classes = mean.shape[-1]
    # Rounding can make the variance of a sure prediction -1e-17.
    found: NDArray[np.float64] = np.maximum(variance, 0.0) / ((n_classes - 1) / n_classes**2)
    return found
