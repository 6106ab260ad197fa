"""What a model is built from: the shape of the signals and the number of outputs of the first batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

import numpy as np

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import LabelError

__all__ = ["FirstBatch"]


@final
@dataclass(frozen=True)
class FirstBatch:
    """What the first batch says about a model."""

    shape: tuple[int, ...]
    """(lead, time) of its first signal."""
    n_outputs: int
    """The number of labels, or of numbers per record."""
    several_labels: bool
    """Whether a record has several labels, or none."""

    @classmethod
    def of(cls, batch: EcgBatch, name: str) -> Self:
        """Return what ``batch``, whose segments are unstacked, says about the model ``name``.

        Raises:
            LabelError: when the batch has no targets that say how many outputs there are.
        """
        target = batch.target
        several = False
        if target is not None and target.ndim == 2:
            n_outputs = int(target.shape[1])
            several = bool((np.abs(np.asarray(target, np.float64).sum(axis=1) - 1) > 1e-4).any())
        elif batch.classes is not None:
            n_outputs = len(batch.classes)
        elif target is not None and target.ndim == 1 and target.dtype.kind in "fiu":
            n_outputs = 1
        else:
            raise LabelError(
                f"Model {name!r} is built from the first batch, and the batch has no labels that say how many there "
                'are. Load them (components="target") and call binarize_labels(), or pass the path of a dump in the '
                "config."
            )
        shape = tuple(int(size) for size in batch.component("signal").shapes[0])
        return cls(shape, n_outputs, several)
