"""Which leads of a WFDB record are read, and which are to be computed."""

from __future__ import annotations

from functools import lru_cache

from cardioflow.io._derived import computed_leads
from cardioflow.io._wfdb.header import Kind
from cardioflow.io._wfdb.layout import Choice, choose
from cardioflow.io.base import Derive

__all__ = ["chosen"]


@lru_cache(maxsize=1024)
def chosen(
    kinds: tuple[Kind, ...], channels: tuple[str | int, ...] | None, derive: Derive
) -> tuple[tuple[str, ...], Choice | None]:
    """Return the leads to compute, and where there are none, the choice of those that are stored.

    Cached together: hashing the kinds of 12 leads takes longer than what is looked up.
    """
    whole = choose(kinds, None)
    made = computed_leads(whole.leads, whole.units, derive) if len(whole.rates) == 1 else ()
    return made, None if made else choose(kinds, channels)
