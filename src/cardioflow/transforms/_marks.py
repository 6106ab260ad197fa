"""Annotations moved along with the signal, whole records and segments alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cardioflow.batch import Annotation, EcgBatch

__all__ = ["moved"]


def moved(batch: EcgBatch, move: Callable[[Annotation, int], Annotation]) -> tuple[Any, ...] | None:
    """Return each row's annotation through ``move(annotation, row)``, segment by segment where it is cut."""
    if batch.annotation is None:
        return None
    return tuple(
        tuple(move(m, i) for m in marks) if isinstance(marks, tuple) else move(marks, i)
        for i, marks in enumerate(batch.annotation)
    )
