"""The rows of a table by the record or the patient that they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import InputError

__all__ = ["rows_by_group"]


def rows_by_group(n: int, groups: Sequence[Any] | None) -> list[NDArray[np.intp]]:
    """Return the rows of each group, in sorted order of the groups; each row alone where ``groups`` is ``None``.

    Raises:
        InputError: when there is not one group per row.
    """
    if groups is None:
        return list(np.arange(n, dtype=np.intp)[:, None])
    if len(groups) != n:
        raise InputError(f"records has {len(groups)} entries for {n} rows. Pass the record of each row.")
    _, number = np.unique(np.asarray(groups), return_inverse=True)
    order = np.argsort(number, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(number[order])) + 1)
