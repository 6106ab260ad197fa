"""Partners for records that are mixed with each other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import EcgBatch
from cardioflow.core.random_keys import uniform
from cardioflow.errors import LabelError

__all__ = ["check_binarized", "partners"]


def check_binarized(batch: EcgBatch, step: str) -> NDArray[Any]:
    """Return the targets when they are columns of numbers.

    Raises:
        LabelError: when they are labels.
    """
    target: NDArray[Any] = batch.component("target")
    if target.dtype.kind != "f":
        raise LabelError(f"{step} mixes targets as numbers, but they are labels. Call binarize_labels first.")
    return target


def partners(batch: EcgBatch, keys: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Return for each row another of the same shape, or itself where there is none.

    Drawn by key among the rows sorted by key, so that their order in the batch
    does not count.
    """
    signal = batch.component("signal")
    draw = uniform(keys, 1)[:, 0] if len(batch) else np.empty(0)
    ranked = np.argsort(keys, kind="stable")
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for i in ranked:
        by_shape.setdefault(tuple(int(v) for v in signal.shapes[i]), []).append(int(i))
    partner = np.arange(len(batch), dtype=np.intp)
    for rows in by_shape.values():
        for place, i in enumerate(rows):
            if len(rows) > 1:
                other = int(draw[i] * (len(rows) - 1))
                partner[i] = rows[other + (other >= place)]
    return partner
