"""Writing a packed store: record by record, with one shard in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cardioflow.batch.annotation import Annotation
from cardioflow.core.atomic import whole_folder
from cardioflow.errors import InputError
from cardioflow.io._codecs.quantize import as_int16
from cardioflow.io._packed.checked_file import block_checksums
from cardioflow.io._packed.columns import constants_of, encoded, to_json
from cardioflow.io._packed.index import Index, ShardEntry

__all__ = ["StoreWriter"]

_MARKS = ("sample", "channel", "num", "subtype", "duration_s")


class _OpenShard:
    """Records that wait to be written as one shard; their samples lie in one array already."""

    def __init__(self, dtype: str, capacity_bytes: int) -> None:
        self.dtype = dtype
        self.rows: list[dict[str, Any]] = []
        self.ends = [0]
        # Memory that is not written to yet costs nothing.
        self._samples = np.empty(capacity_bytes // np.dtype(dtype).itemsize, dtype)

    @property
    def samples(self) -> NDArray[Any]:
        """All samples, record after record."""
        return self._samples[: self.ends[-1]]

    @property
    def n_bytes(self) -> int:
        return self.samples.nbytes

    def add(self, signal: NDArray[Any], row: dict[str, Any]) -> None:
        """Take a record, for which there must be room."""
        end = self.ends[-1] + signal.size
        self._samples[self.ends[-1] : end] = signal.reshape(-1)
        self.ends.append(end)
        self.rows.append({**row, "shape": signal.shape})


@final
class StoreWriter:
    """Writes a store to a temporary folder and renames it when all is there.

    In memory are the samples of at most one shard, or of one record where that is larger.
    """

    def __init__(self, path: Path, shard_bytes: int) -> None:
        if path.exists():
            raise InputError(f"{str(path)!r} exists. Choose another name, or remove it first.")
        self.path = path
        self._shard_bytes = shard_bytes
        self._folder = Path()
        self._writing = ExitStack()
        self._open: dict[str, _OpenShard] = {}
        self._shards: list[ShardEntry] = []
        self._n_records = 0

    def __enter__(self) -> Self:
        self._folder = self._writing.enter_context(whole_folder(self.path))
        return self

    def add(
        self, name: str, signal: NDArray[np.float32], meta: Mapping[str, Any], marks: Annotation | None, label: Any
    ) -> None:
        """Take one record; as int16 where that gives the same float32 back, to the bit."""
        whole = as_int16(signal, meta.get("adc_gain"), meta.get("baseline"))
        stored: NDArray[Any] = signal if whole is None else whole
        kind = str(stored.dtype)
        while self._open and sum(shard.n_bytes for shard in self._open.values()) + stored.nbytes > self._shard_bytes:
            self._write_largest()
        if kind not in self._open:
            self._open[kind] = _OpenShard(kind, max(self._shard_bytes, stored.nbytes))
        row = {"id": name, "meta": dict(meta), "marks": marks, "label": label, "at": self._n_records}
        self._open[kind].add(stored, row)
        self._n_records += 1

    def _write_largest(self) -> None:
        shard = self._open.pop(max(self._open, key=lambda kind: self._open[kind].n_bytes))
        file = self._folder / f"shard-{len(self._shards):05d}.arrow"
        table = _table(shard)
        with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, table.schema) as out:
            out.write_batch(table)
        self._shards.append(_entry(file, shard.dtype))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._writing.__exit__(kind, error, trace)
            return
        with self._writing:
            while self._open:
                self._write_largest()
            Index(self._n_records, tuple(self._shards)).write(self._folder)


def _table(shard: _OpenShard) -> pa.RecordBatch:
    rows = shard.rows
    constants = constants_of([row["meta"] for row in rows])
    columns: dict[str, pa.Array] = {
        "id": pa.array([row["id"] for row in rows], pa.string()),
        "at": pa.array([row["at"] for row in rows], pa.int64()),
        "signal": pa.LargeListArray.from_arrays(pa.array(np.array(shard.ends, np.int64)), pa.array(shard.samples)),
        "shape": _lists([np.array(row["shape"], np.int64) for row in rows]),
        "label": pa.array([to_json(row["label"], f"the label of {row['id']!r}") for row in rows], pa.string()),
    }
    kinds: dict[str, str] = {}
    for key in dict.fromkeys(k for row in rows for k in row["meta"] if k not in constants):
        columns[f"meta.{key}"], kinds[key] = encoded([row["meta"].get(key) for row in rows], key)
    if any(row["marks"] is not None for row in rows):
        columns |= _mark_columns([row["marks"] for row in rows])
    metadata = {"constants": to_json(constants), "kinds": json.dumps(kinds)}
    schema = pa.schema([pa.field(name, column.type) for name, column in columns.items()], metadata=metadata)
    return pa.record_batch(list(columns.values()), schema=schema)


def _entry(file: Path, dtype: str) -> ShardEntry:
    """Return what the index says of the shard that was written to ``file``."""
    content = pa.memory_map(str(file)).read_buffer()
    batch = pa.ipc.open_file(content).get_batch(0)
    samples = batch.column("signal").values.to_numpy(zero_copy_only=True)
    start = samples.ctypes.data - content.address
    return ShardEntry(
        file.name,
        dtype,
        len(batch),
        content.size,
        (start, start + samples.nbytes),
        block_checksums(file),
    )


def _lists(arrays: Sequence[NDArray[Any]]) -> pa.Array:
    offsets = np.zeros(len(arrays) + 1, np.int32)
    np.cumsum([a.size for a in arrays], out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(np.concatenate(arrays)))


def _mark_columns(marks: Sequence[Annotation | None]) -> dict[str, pa.Array]:
    filled = [m if m is not None else Annotation() for m in marks]
    columns = {f"marks.{name}": _lists([getattr(m, name) for m in filled]) for name in _MARKS}
    if not all(np.isnan(m.confidence).all() for m in filled):
        columns["marks.confidence"] = _lists([m.confidence for m in filled])
    columns["marks.symbol"] = pa.array([m.symbol.tolist() for m in filled], pa.list_(pa.string()))
    columns["marks.aux_note"] = pa.array([list(m.aux_note) for m in filled], pa.list_(pa.string()))
    columns["marks.there"] = pa.array([m is not None for m in marks])
    return columns
