"""Annotations moved along with the signal, whole records and segments alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cardioflow.batch import Annotation, EcgBatch, Provenance

__all__ = ["moved", "shifted"]


def moved(batch: EcgBatch, move: Callable[[Annotation, int], Annotation]) -> tuple[Any, ...] | None:
    """Return each row's annotation through ``move(annotation, row)``, segment by segment where it is cut."""
    if batch.annotation is None:
        return None
    return tuple(
        tuple(move(m, i) for m in marks) if isinstance(marks, tuple) else move(marks, i)
        for i, marks in enumerate(batch.annotation)
    )


def shifted(batch: EcgBatch, samples: Sequence[int]) -> Provenance:
    """Return where each row starts after ``samples[i]`` were cut off in front of it, or with a minus put there."""
    if batch.meta is None or "fs" not in batch.meta.columns:
        return batch.provenance
    seconds = np.asarray(samples) / batch.fs
    return replace(
        batch.provenance,
        segment_start_s=tuple(own + s for own, s in zip(batch.provenance.segment_start_s, seconds, strict=True)),
    )
