"""The rows of a batch that a user chooses."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.errors import InputError

__all__ = ["chosen_rows"]


def chosen_rows(rows: ArrayLike, n: int) -> NDArray[np.intp]:
    """Return indices, or a mask, as numbers from 0 to ``n - 1``; negative indices count from the last row.

    Raises:
        InputError: for a row that there is not, a mask of another length, or numbers that are not whole.
    """
    given: NDArray[Any] = np.asarray(rows)
    if given.ndim != 1 or given.dtype.kind not in "biu":
        if given.size:
            raise InputError(
                f"take(rows) got an array of shape {given.shape} and type {given.dtype}. "
                "Pass a list of row numbers, or a mask with a truth value per row."
            )
        return np.empty(0, np.intp)
    if given.dtype == bool:
        if len(given) != n:
            raise InputError(f"take(rows) got a mask of {len(given)} truth values for {n} rows. Pass one per row.")
        return np.flatnonzero(given)
    found = given.astype(np.intp)
    outside = (found < -n) | (found >= n)
    if outside.any():
        raise InputError(f"take(rows): there is no row {found[outside][0]} in a batch of {n} rows.")
    return np.where(found < 0, found + n, found)
