"""Writing a packed store: record by record, with one shard in memory."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cardioflow.batch.annotation import Annotation
from cardioflow.errors import InputError
from cardioflow.io._codecs.quantize import MISSING, as_int16
from cardioflow.io._packed.columns import constants_of, encoded, to_json

__all__ = ["VERSION", "StoreWriter"]

VERSION = 1

_MARKS = ("sample", "channel", "num", "subtype", "duration_s")


@final
class StoreWriter:
    """Writes a store to a temporary folder and renames it when all is there."""

    def __init__(self, path: Path, shard_bytes: int) -> None:
        if path.exists():
            raise InputError(f"{str(path)!r} is there already. Choose another name, or remove it first.")
        self.path = path
        self._part = path.with_name(f".{path.name}.part-{os.getpid()}")
        self._shard_bytes = shard_bytes
        self._open: dict[str, list[dict[str, Any]]] = {"int16": [], "float32": []}
        self._sizes = {"int16": 0, "float32": 0}
        self._shards: list[dict[str, Any]] = []
        self._rows: list[tuple[int, int]] = []
        self._n_records = 0

    def __enter__(self) -> Self:
        self._part.mkdir(parents=True)
        return self

    def add(
        self, name: str, signal: NDArray[np.float32], meta: Mapping[str, Any], marks: Annotation | None, label: Any
    ) -> None:
        """Take one record; as int16 where that gives the same float32 back, to the bit."""
        whole = as_int16(signal, meta.get("adc_gain"), meta.get("baseline"))
        kind = "float32" if whole is None else "int16"
        stored = np.ascontiguousarray(signal if whole is None else whole)
        row = {"id": name, "signal": stored, "meta": dict(meta), "marks": marks, "label": label, "at": self._n_records}
        self._open[kind].append(row)
        self._sizes[kind] += stored.nbytes
        self._n_records += 1
        if self._sizes[kind] >= self._shard_bytes:
            self._flush(kind)

    def _flush(self, kind: str) -> None:
        rows, self._open[kind], self._sizes[kind] = self._open[kind], [], 0
        if not rows:
            return
        constants = constants_of([row["meta"] for row in rows])
        columns: dict[str, pa.Array] = {
            "id": pa.array([row["id"] for row in rows], pa.string()),
            "at": pa.array([row["at"] for row in rows], pa.int64()),
            "signal": _lists([row["signal"].reshape(-1) for row in rows], large=True),
            "shape": _lists([np.array(row["signal"].shape, np.int64) for row in rows]),
            "label": pa.array([to_json(row["label"], f"the label of {row['id']!r}") for row in rows], pa.string()),
        }
        kinds: dict[str, str] = {}
        for key in dict.fromkeys(k for row in rows for k in row["meta"] if k not in constants):
            columns[f"meta.{key}"], kinds[key] = encoded([row["meta"].get(key) for row in rows], key)
        if any(row["marks"] is not None for row in rows):
            columns |= _mark_columns([row["marks"] for row in rows])
        about = {"constants": to_json(constants), "kinds": json.dumps(kinds)}
        table = pa.record_batch(
            list(columns.values()),
            schema=pa.schema([pa.field(name, column.type) for name, column in columns.items()], metadata=about),
        )
        file = f"shard-{len(self._shards):05d}.arrow"
        with pa.OSFile(str(self._part / file), "wb") as sink, pa.ipc.new_file(sink, table.schema) as out:
            out.write_batch(table)
        self._shards.append({"file": file, "dtype": kind, "n_records": len(rows)})

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            shutil.rmtree(self._part, ignore_errors=True)
            return
        for dtype in ("int16", "float32"):
            self._flush(dtype)
        about = {"cardioflow_store": VERSION, "n_records": self._n_records, "missing": MISSING, "shards": self._shards}
        (self._part / "store.json").write_text(json.dumps(about, indent=1), encoding="utf-8")
        self._part.replace(self.path)


def _lists(arrays: Sequence[NDArray[Any]], *, large: bool = False) -> pa.Array:
    offsets = np.zeros(len(arrays) + 1, np.int64 if large else np.int32)
    np.cumsum([a.size for a in arrays], out=offsets[1:])
    values = pa.array(np.concatenate(arrays))
    return (pa.LargeListArray if large else pa.ListArray).from_arrays(pa.array(offsets), values)


def _mark_columns(marks: Sequence[Annotation | None]) -> dict[str, pa.Array]:
    filled = [m if m is not None else Annotation() for m in marks]
    columns = {f"marks.{name}": _lists([getattr(m, name) for m in filled]) for name in _MARKS}
    columns["marks.symbol"] = pa.array([m.symbol.tolist() for m in filled], pa.list_(pa.string()))
    columns["marks.aux_note"] = pa.array([list(m.aux_note) for m in filled], pa.list_(pa.string()))
    columns["marks.there"] = pa.array([m is not None for m in marks])
    return columns
