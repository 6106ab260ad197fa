"""From the targets of a batch to an array of numbers, with every reason why it cannot."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import LabelError
from cardioflow.models._refuse import refuse

__all__ = ["numeric_rows", "single_number"]


def numeric_rows(batch: EcgBatch, *, numbers: bool = False) -> NDArray[np.float32]:
    """Return the targets of ``batch`` as float32 of shape (record, column); one number per record is one column.

    Args:
        batch: An unstacked batch.
        numbers: Whether integers, one per record, are numbers even if the batch has labels.

    Raises:
        LabelError: when there are none, when they are labels still, or when one is NaN or infinite.
    """
    target = batch.target
    if target is None:
        raise LabelError(
            "The batch has no targets, and a model cannot learn or be tested without them. "
            'Load them first: load(src=…, fmt="csv", components="target"), without src where the data set has them.'
        )
    integers_for_labels = target.ndim == 1 and target.dtype.kind != "f" and batch.classes is not None and not numbers
    if target.dtype.kind not in "fiub" or target.ndim > 2 or integers_for_labels:
        raise LabelError(
            f"The target {target.tolist()[0]!r} of record {batch.ids[0]!r} is a label, and a model takes numbers. "
            "Call binarize_labels() before the model."
        )
    y = np.ascontiguousarray(target, dtype=np.float32)
    y = y[:, None] if y.ndim == 1 else y
    refuse(batch, ~np.isfinite(y).all(axis=1), lambda row: _not_known(batch.ids[row]))
    return y


def single_number(batch: EcgBatch) -> NDArray[np.float32]:
    """Return the targets of ``batch`` as float32 of shape (record, 1).

    Raises:
        LabelError: when there is not one number per record.
    """
    y = numeric_rows(batch, numbers=True)
    if y.shape[1] != 1:
        raise LabelError(
            f"The model learns one number per record, and the targets have {y.shape[1]} columns. "
            "Give one number, or let the model declare self.targets = Vector()."
        )
    return y


def _not_known(name: str) -> LabelError:
    return LabelError(
        f"The target of record {name!r} is NaN or infinite. Drop records without a target first, with drop_labels."
    )
