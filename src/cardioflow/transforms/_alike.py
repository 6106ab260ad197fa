"""Whether two records can be put together sample by sample."""

from __future__ import annotations

from cardioflow.batch import EcgBatch

__all__ = ["are_alike"]


def are_alike(batch: EcgBatch, i: int, mates: EcgBatch, j: int) -> bool:
    """Return whether row ``i`` of ``batch`` and row ``j`` of ``mates`` agree in rate, leads and units.

    What the metadata of both do not hold is not compared.
    """
    if batch.meta is None or mates.meta is None:
        return True
    own, other = batch.meta, mates.meta
    # By column, because a row that lacks a name looks for the nearest one to put it into its error.
    known = [name for name in ("fs", "leads", "units") if name in own.columns and name in other.columns]
    return all(own[name][i] == other[name][j] for name in known)
