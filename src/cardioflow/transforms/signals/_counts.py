"""Integers that are the same for all records, or given by label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cardioflow.errors import InputError
from cardioflow.transforms import _parameters

__all__ = ["check_counts"]


def check_counts(transform: Any, field: str) -> None:
    """Check that the field is an integer above zero, or a mapping from labels to such integers."""
    value = getattr(transform, field)
    if not isinstance(value, Mapping):
        _parameters.count(transform, field)
        return
    for label, number in value.items():
        is_whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
        if not isinstance(label, str) or not is_whole or number < 1:
            raise InputError(
                f"{transform.action_name}({field}={dict(value)!r}) gives {number!r} for the label {label!r}; "
                "expected a label and an integer of at least 1."
            )
    if not value:
        raise InputError(f"{transform.action_name}({field}={{}}) is empty. Pass an integer, or one per label.")
    whole = {label: int(number) for label, number in value.items()}
    _parameters.set_fields(transform, **{field: _parameters.frozen(whole)})
