"""Data sets to and from packed stores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from cardioflow.batch.ecg_batch import EcgBatch, Skipped
from cardioflow.errors import InputError
from cardioflow.io.reading import open_store, store_writer
from cardioflow.pipeline import error_policy
from cardioflow.pipeline.data.locations import StoreLocation
from cardioflow.pipeline.data.read_records import ReadRecords

__all__ = ["listed", "pack", "stored_records"]


def stored_records(store: Path) -> tuple[dict[str, StoreLocation], dict[str, Any]]:
    """Return the locations of the records in ``store`` by id, and their labels."""
    opened = open_store(store)
    checksum = opened.checksum
    return {name: StoreLocation(store, row, checksum) for row, name in enumerate(opened.ids())}, opened.labels()


def pack(
    batches: Iterable[EcgBatch],
    read: ReadRecords,
    path: Path,
    *,
    labels: Mapping[str, Any],
    shard_mb: int,
    on_error: Literal["raise", "skip"],
) -> list[Skipped]:
    """Write the records of ``batches`` to the store ``path`` and return those that were left out.

    Args:
        batches: Batches with nothing loaded yet.
        read: How to load them; its components are in the store.
        path: The folder to make.
        labels: Labels by record id.
        shard_mb: The size of one file of the store, in MiB.
        on_error: Whether a record that cannot be read is an error, or is left out.
    """
    if "signal" not in read.components or "meta" not in read.components:
        raise InputError(f"pack(components={list(read.components)}): a store holds at least 'signal' and 'meta'.")
    if on_error not in ("raise", "skip"):
        raise InputError(f"pack(on_error={on_error!r}): expected 'raise' or 'skip'.")
    skipped: list[Skipped] = []
    is_empty = True
    with store_writer(path, shard_mb * 2**20) as writer:
        for batch in batches:
            done = error_policy.apply(read, batch, step="pack", on_error=on_error, probes=True)
            skipped += done.skipped
            if not len(done):
                continue
            is_empty = False
            signal, meta = done.signal_and_meta
            for i, name in enumerate(done.ids):
                marks: Any = None if done.annotation is None else done.annotation[i]
                writer.add(name, signal[i], meta[i], marks, labels.get(name))
        if is_empty and skipped:
            raise InputError(f"pack(): no record can be read. Left out were {listed(skipped)}.")
    return skipped


def listed(skipped: Sequence[Skipped]) -> str:
    """Return the number of records that were left out, and the first of them with their reasons."""
    shown = "; ".join(f"{own.record}: {own.reason.args[0]}" for own in skipped[:3])
    return f"{len(skipped)} record{'' if len(skipped) == 1 else 's'}: {shown}{'; …' if len(skipped) > 3 else ''}"
