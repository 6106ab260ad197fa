"""Labels in ``batch.target``: one string per record, several, or columns after ``binarize_labels``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import EcgBatch
from cardioflow.errors import LabelError, nearest, raise_bad_records

__all__ = ["by_label", "check_known", "column", "labels", "texts"]


def texts(batch: EcgBatch, step: str) -> list[tuple[str, ...]]:
    """Return each record's labels as a tuple of strings.

    Raises:
        LabelError: when the labels are binarized, or a record has none.
    """
    target = batch.component("target")
    if target.dtype.kind == "f":
        raise LabelError(f"{step} works on labels, but they are binarized already. Call it before binarize_labels.")
    reasons = {
        batch.ids[i]: LabelError(
            f"{step} found {value!r} instead of a label for record {batch.ids[i]!r}. "
            "Add it to the table, or leave the record out.",
            record=batch.ids[i],
        )
        for i, value in enumerate(target)
        if not isinstance(value, (str, tuple))
    }
    raise_bad_records(reasons)
    return [(value,) if isinstance(value, str) else value for value in target]


def labels(batch: EcgBatch, step: str) -> list[tuple[str, ...]]:
    """Return each record's labels as strings, decoded with ``batch.classes`` where they are binarized."""
    target = batch.component("target")
    if target.dtype.kind != "f":
        return texts(batch, step)
    if batch.classes is None or target.ndim != 2 or target.shape[1] != len(batch.classes):
        raise LabelError(f"{step} needs the names of the {target.shape[-1]} columns of the target in batch.classes.")
    return [tuple(c for c, on in zip(batch.classes, row, strict=True) if on > 0.5) for row in target]


def check_known(batch: EcgBatch, step: str, field: str, given: Iterable[str]) -> None:
    """Check that every label in ``given`` can occur, where the batch knows which can.

    Raises:
        LabelError: with the nearest labels.
    """
    if batch.classes is None:
        return
    for label in given:
        if label not in batch.classes:
            raise LabelError(f"{step}({field}=…) names the unknown label {label!r}. {nearest(label, batch.classes)}")


def column(values: Sequence[Any], like: NDArray[Any]) -> NDArray[Any]:
    """Return labels as an object array, single ones as strings where ``like`` holds strings."""
    out = np.empty(len(values), dtype=object)
    for i, (value, old) in enumerate(zip(values, like, strict=True)):
        out[i] = value[0] if isinstance(old, str) else value
    return out


def by_label(batch: EcgBatch, step: str, field: str, numbers: int | Mapping[str, int]) -> NDArray[np.int64]:
    """Return one number per record: the same for all, or by label, the largest where a record has several.

    Raises:
        LabelError: for a label that the mapping lacks, or that cannot occur.
    """
    if not isinstance(numbers, Mapping):
        return np.full(len(batch), numbers, np.int64)
    check_known(batch, step, field, numbers)
    out = np.empty(len(batch), np.int64)
    reasons: dict[str, Any] = {}
    for i, own in enumerate(labels(batch, step)):
        known = [numbers[label] for label in own if label in numbers]
        if known and len(known) == len(own):
            out[i] = max(known)
            continue
        missing = next((label for label in own if label not in numbers), None)
        reasons[batch.ids[i]] = LabelError(
            f"{step}({field}=…) has no number for the label {missing!r} of record {batch.ids[i]!r}. "
            f"{nearest(str(missing), numbers)}",
            record=batch.ids[i],
        )
    raise_bad_records(reasons)
    return out
