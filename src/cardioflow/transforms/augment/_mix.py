"""What the actions that mix records with each other share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import EcgBatch
from cardioflow.batch.partners import Partners
from cardioflow.errors import LabelError
from cardioflow.transforms._alike import are_alike
from cardioflow.transforms._inputs import real

__all__ = ["Pairs", "pairs"]


class Pairs:
    """Rows and their partners: ``rows[k]`` of the batch goes with row ``mate[k]`` of ``mates``."""

    def __init__(self, batch: EcgBatch, mates: EcgBatch, row: NDArray[np.intp], step: str) -> None:
        self.signal, self.target = real(batch, step), _numbers(batch, step)
        self.rows = np.flatnonzero(row >= 0)
        self.mate = row[self.rows]
        self.mate_signal, self.mate_target = real(mates, step), _numbers(mates, step)


def pairs(batch: EcgBatch, keys: NDArray[np.uint64], partners: Partners, step: str) -> Pairs:
    """Return each row's partner, of the same shape, rate, leads and units; a row without one is left out.

    Raises:
        LabelError: when targets are labels.
    """
    signal = real(batch, step)
    _numbers(batch, step)

    def accept(i: int, mates: EcgBatch, j: int) -> bool:
        return np.array_equal(signal.shapes[i], mates.component("signal").shapes[j]) and are_alike(batch, i, mates, j)

    drawn = partners.draw(batch, keys, accept)
    return Pairs(batch, drawn.mates, drawn.row, step)


def _numbers(batch: EcgBatch, step: str) -> NDArray[Any]:
    target: NDArray[Any] = batch.component("target")
    if target.dtype.kind not in "fiub":
        raise LabelError(f"{step} mixes targets as numbers, but they are labels. Call binarize_labels first.")
    return target
