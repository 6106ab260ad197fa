"""Annotations of a signal that is repeated end to end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cardioflow.batch import Annotation

__all__ = ["repeated"]


def repeated(marks: Annotation, reps: int, period: int) -> Annotation:
    """Return the marks ``reps`` times, each time ``period`` samples later."""
    turn = np.repeat(np.arange(reps), len(marks))
    many = marks.take(np.tile(np.arange(len(marks)), reps))
    return replace(many, sample=many.sample + turn * period)
