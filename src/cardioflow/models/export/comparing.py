"""Whether a graph gives what its model gives, at several lengths and batch sizes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, final

import numpy as np

from cardioflow.errors import CardioFlowError, ModelError
from cardioflow.models.adapter import BackendModel
from cardioflow.models.onnx import OnnxModel

__all__ = ["Comparison", "compare"]

TOLERANCE: Final = 1e-5
"""The largest difference that is allowed: of probabilities, or relative to the largest number that is predicted."""

_AMPLITUDES: Final = (1.0, 0.0, 0.1, 10.0)
"""Of the noise in each record; one is flat, and one makes probabilities that are close to 0 and 1."""
_ROWS: Final = (len(_AMPLITUDES), 1)
_N_LENGTHS: Final = 3


@final
@dataclass(frozen=True)
class Comparison:
    """What was compared, and the largest difference."""

    lengths: tuple[int, ...]
    """In samples; a single one where the model takes signals of one length. Empty for a model of features."""
    rows: tuple[int, ...]
    """The batch sizes."""
    difference: float


def compare(model: BackendModel, graph: OnnxModel, shape: tuple[int, ...], *, free: bool) -> Comparison:
    """Compare ``graph`` with ``model`` on noise of several amplitudes.

    Args:
        model: What was exported.
        graph: What came out.
        shape: (lead, time) of the signals that the model was trained on, or (feature,).
        free: Whether the graph takes signals of any length.

    Raises:
        ModelError: when they differ by more than ``TOLERANCE``, or the graph refuses what the model takes.
    """
    rng = np.random.default_rng(0)
    lengths: list[int] = []
    worst = 0.0
    for own in _shapes(shape, free=free):
        x = np.stack([rng.normal(size=own) * amplitude for amplitude in _AMPLITUDES]).astype(np.float32)
        try:
            expected = model._predict(x)
        except Exception:
            if own == shape:
                raise
            # A length that the model itself does not take, such as one that is too short.
            continue
        for n in _ROWS:
            worst = max(worst, _difference(model, graph, x[:n], expected[:n]))
        lengths.append(own[-1])
        if len(lengths) == _N_LENGTHS:
            break
    return Comparison(tuple(lengths) if len(shape) > 1 else (), _ROWS, worst)


def _shapes(shape: tuple[int, ...], *, free: bool) -> Iterator[tuple[int, ...]]:
    """Give the shape of the training, and others of odd and even length."""
    yield shape
    if not free or len(shape) < 2:
        return
    n = shape[-1]
    step = next((k for k in (64, 32, 16) if n % k == 0), 8)
    for own in (n + 1, n // 2 + 3, 2 * n, n + step, n + 3 * step, 3 * n // 2, n - 7):
        if own > 0 and own != n:
            yield (*shape[:-1], own)


def _difference(
    model: BackendModel, graph: OnnxModel, x: np.ndarray[tuple[int, ...], np.dtype[np.float32]], expected: np.ndarray
) -> float:
    name, what = type(model).__name__, f"{len(x)} records of shape {x.shape[1:]}"
    try:
        found = graph._predict(x)
    except CardioFlowError as error:
        raise ModelError(f"The graph of {name} fails for {what}, which the model takes. {error}") from error
    if found.shape != expected.shape:
        raise ModelError(
            f"The graph of {name} gives an array of shape {found.shape} for {what}, and the model {expected.shape}. "
            "Nothing was written."
        )
    scale = max(1.0, float(np.abs(expected).max()))
    worst = float(np.abs(found.astype(np.float64) - expected).max()) / scale
    # Also where either is NaN.
    if not worst <= TOLERANCE:
        raise ModelError(
            f"The graph of {name} differs from the model by {worst:.1e} for {what}, and {TOLERANCE:.0e} is allowed. "
            "Nothing was written."
        )
    return worst
