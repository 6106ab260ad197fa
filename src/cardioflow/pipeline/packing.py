"""Data sets to and from packed stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cardioflow.errors import InputError
from cardioflow.io.reading import open_store, store_writer

if TYPE_CHECKING:
    from cardioflow.pipeline.dataset import EcgDataset

__all__ = ["is_packed", "pack", "unpacked_index"]


def is_packed(path: str) -> bool:
    """Return whether ``path`` names a record of a packed store: ``<store>#<number>``."""
    store, mark, number = path.rpartition("#")
    return bool(mark) and number.isdigit() and (Path(store) / "store.json").is_file()


def unpacked_index(store: Path) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the paths of the records in ``store`` by id, and their labels."""
    opened = open_store(store)
    return {name: f"{store}#{row}" for row, name in enumerate(opened.ids())}, opened.labels()


def pack(
    dataset: EcgDataset,
    path: Path,
    *,
    fmt: str | None,
    components: Sequence[str],
    labels: Any,
    shard_mb: int,
    on_error: Literal["raise", "skip"],
    options: Mapping[str, Any],
) -> list[Any]:
    """Write ``dataset`` to the store ``path`` and return what was skipped."""
    from cardioflow.pipeline.labels import LabelTable, TableShape
    from cardioflow.pipeline.pipeline import Pipeline

    if "signal" not in components or "meta" not in components:
        raise InputError(f"pack(components={list(components)}): a store holds 'signal' and 'meta' at least.")
    source = labels if labels is not None else dataset.labels
    table: Mapping[str, Any] = {} if source is None else LabelTable.read(source, TableShape(), dataset.every_id).labels
    run = (dataset >> Pipeline().load(fmt=fmt, components=list(components), **options)).batches(64, on_error=on_error)
    with store_writer(path, shard_mb * 2**20) as writer:
        for batch in run:
            signal, meta = batch.signal_and_meta
            for i, name in enumerate(batch.ids):
                marks: Any = None if batch.annotation is None else batch.annotation[i]
                writer.add(name, signal[i], meta[i], marks, table.get(name))
    return run.skipped
