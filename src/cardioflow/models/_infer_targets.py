"""What a model that declares nothing learns, as its batches show it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.models._target_arrays import numeric_rows
from cardioflow.models.dump_header import Output
from cardioflow.models.targets import (
    LabelPerSample,
    Number,
    OneLabel,
    SeveralLabels,
    TargetEncoding,
    Vector,
)

__all__ = ["encoding_of", "infer_targets"]

_TOLERANCE = 1e-4


def infer_targets(batch: EcgBatch, known: TargetEncoding | None) -> TargetEncoding:
    """Return the encoding of the targets of an unstacked ``batch``.

    Args:
        batch: An unstacked batch.
        known: What the batches before have shown: once a record had several labels, or none, the labels stay
            independent; once a target was a number, the targets stay numbers.

    Raises:
        LabelError: when the batch has no targets, or labels that are not binarized.
    """
    if isinstance(known, LabelPerSample):
        return known
    y = numeric_rows(batch)
    one_column = y.shape[1] == 1
    if (known is not None and known.output == "value") or (batch.classes is None and not _may_be_labels(y)):
        return Number() if one_column else Vector()
    several = one_column or bool((np.abs(y.sum(axis=1) - 1) > _TOLERANCE).any())
    return SeveralLabels() if several or isinstance(known, SeveralLabels) else OneLabel()


def _may_be_labels(y: NDArray[np.float32]) -> bool:
    """Return whether all of ``y`` can be labels: 0 or 1 in one column, shares in several."""
    if y.shape[1] == 1:
        return bool(np.isin(y, (0.0, 1.0)).all())
    return bool(((y >= 0) & (y <= 1)).all())


def encoding_of(output: Output) -> TargetEncoding:
    """Return the encoding that a dump with this ``output`` was trained with."""
    encodings: dict[Output, TargetEncoding] = {
        "exclusive": OneLabel(),
        "independent": SeveralLabels(),
        "value": Vector(),
        "states": LabelPerSample(),
    }
    return encodings[output]
