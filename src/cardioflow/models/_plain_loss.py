"""The usual loss for what a model learns, in NumPy, for a model whose backend computes none."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import ModelError
from cardioflow.models.dump_header import Output

__all__ = ["plain_loss"]

_SMALLEST = 1e-7


def plain_loss(output: Output, y: NDArray[Any], p: NDArray[Any]) -> float:
    """Return the cross-entropy of probabilities ``p``, or for numbers the mean squared error.

    Raises:
        ModelError: when the shapes of predictions and targets do not go together.
    """
    expected = p.shape[:-1] if output == "states" else p.shape
    if y.shape != expected:
        raise ModelError(
            f"The model predicts an array of shape {p.shape}, and the targets are of shape {y.shape}, so that there is "
            "no loss. Test it on targets of the kind that it was trained on."
        )
    if output == "value":
        return float(np.mean((p.astype(np.float64) - y) ** 2))
    if output == "states":
        truth = np.take_along_axis(p, y[..., None].astype(np.int64), axis=-1)[..., 0]
    elif output == "independent":
        truth = np.where(y > 0.5, p, 1 - p)
    else:
        truth = (p * y).sum(axis=1)
    return float(-np.log(np.clip(truth, _SMALLEST, 1)).mean())
