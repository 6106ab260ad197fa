"""Reading a packed store: shards are mapped, and only what is asked for is touched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cardioflow.batch.annotation import Annotation
from cardioflow.batch.meta import Meta
from cardioflow.batch.ragged import Ragged
from cardioflow.core.buffers import empty
from cardioflow.core.equality import same
from cardioflow.errors import FormatError
from cardioflow.io._codecs.quantize import gather_int16
from cardioflow.io._packed.columns import decoded, from_json
from cardioflow.io._packed.writer import VERSION

__all__ = ["Shard", "Store", "open_store"]


_KINDS = {"id": pa.string(), "at": pa.int64(), "shape": pa.list_(pa.int64()), "label": pa.string()}


@final
class Shard:
    """One memory-mapped file of records that are stored as one type."""

    def __init__(self, path: Path, about: Mapping[str, Any]) -> None:
        self.path = path
        try:
            # Opened by map and never closed while views of it live; Arrow keeps it as long as they do.
            batch = pa.ipc.open_file(pa.memory_map(str(path))).get_batch(0)
            # Arrow trusts offsets and texts unless asked; a damaged one would be read from anywhere.
            batch.validate(full=True)
            self._columns: dict[str, pa.Array] = dict(zip(batch.schema.names, batch.columns, strict=True))
            signal = self._columns["signal"]
            _check_columns(self._columns)
            self.data: NDArray[Any] = signal.values.to_numpy(zero_copy_only=True)
            self.starts: NDArray[np.int64] = signal.offsets.to_numpy(zero_copy_only=True)
            self.shapes = self._columns["shape"].values.to_numpy().reshape(-1, 2)
            metadata = batch.schema.metadata
            self.constants: dict[str, Any] = from_json(metadata[b"constants"].decode())
            self._kinds: dict[str, str] = json.loads(metadata[b"kinds"])
        except (OSError, KeyError, ValueError, TypeError, AttributeError, pa.ArrowException) as error:
            raise FormatError(f"{path} is no shard of a packed store: {error}. Pack the records again.") from error
        self._check(path, about)
        self.at = self._columns["at"].to_numpy()

    def _check(self, path: Path, about: Mapping[str, Any]) -> None:
        """Refuse offsets and shapes that reach outside the file: the kernel that reads them looks at no bounds."""
        n, starts, shapes = len(self.shapes), self.starts, self.shapes
        right = (
            self.data.dtype == np.dtype(about["dtype"])
            and n == about["n_records"] == len(starts) - 1
            and bool((shapes >= 0).all())
            and bool((np.diff(starts) == shapes.prod(axis=1)).all())
            and (n == 0 or (starts[0] >= 0 and starts[-1] <= self.data.size))
        )
        if not right:
            raise FormatError(f"{path} does not hold what its index says. Pack the records again.")

    def strings(self, name: str) -> list[str]:
        """Return the column ``name``."""
        found: list[str] = self._columns[name].to_pylist()
        return found

    def run(self, rows: NDArray[np.int64]) -> NDArray[np.float32] | None:
        """Return the samples at ``rows`` as a view of the file where they are float32 and neighbours, else ``None``."""
        if self.data.dtype != np.float32 or not np.array_equal(rows, np.arange(rows[0], rows[0] + rows.size)):
            return None
        view: NDArray[np.float32] = self.data[self.starts[rows[0]] : self.starts[rows[-1] + 1]]
        return view

    def fill(self, rows: NDArray[np.int64], out: NDArray[np.float32], places: NDArray[np.int64]) -> None:
        """Write the signals at ``rows`` to ``places`` in ``out``, in millivolts."""
        if self.data.dtype == np.float32:
            for row, at in zip(rows, places, strict=True):
                own = self.data[self.starts[row] : self.starts[row + 1]]
                out[at : at + own.size] = own
            return
        shapes = self.shapes[rows]
        gain = self._per_lead("adc_gain", rows)
        baseline = self._per_lead("baseline", rows)
        if not gain.size == baseline.size == shapes[:, 0].sum():
            raise FormatError(f"{self.path} has gains for {gain.size} leads, not {shapes[:, 0].sum()}. Pack it again.")
        gather_int16(self.data, self.starts[rows], shapes, gain, baseline, out, places)

    def _per_lead(self, key: str, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        if key in self.constants:
            one = np.asarray(self.constants[key], np.float64)
            return np.tile(one, len(rows))
        values = decoded(self._columns[f"meta.{key}"].take(pa.array(rows)), self._kinds[key])
        return np.array([v for own in values for v in own], np.float64)

    def values(self, key: str, rows: NDArray[np.int64]) -> list[Any]:
        """Return the metadata ``key`` at ``rows``, ``None`` where the shard has none."""
        if key in self._kinds:
            return decoded(self._columns[f"meta.{key}"].take(pa.array(rows)), self._kinds[key])
        return [self.constants.get(key)] * len(rows)

    @property
    def keys(self) -> tuple[str, ...]:
        """The metadata that the shard holds."""
        return (*self.constants, *self._kinds)

    def marks(self, rows: NDArray[np.int64]) -> list[Annotation | None]:
        """Return the annotations at ``rows``, ``None`` where the record was packed without."""
        if "marks.there" not in self._columns:
            return [None] * len(rows)
        taken = pa.array(rows)
        there = self._columns["marks.there"].take(taken).to_pylist()
        columns = {k[6:]: v.take(taken).to_pylist() for k, v in self._columns.items() if k.startswith("marks.")}
        return [_annotation(columns, i) if there[i] else None for i in range(len(rows))]


def _filled(value: Any, n: int) -> NDArray[Any]:
    if isinstance(value, float):
        return np.full(n, value)
    column = np.empty(n, object)
    column.fill(value)
    return column


def _objects(values: list[Any]) -> NDArray[Any]:
    column = np.empty(len(values), object)
    for i, value in enumerate(values):
        column[i] = value
    return column


def _check_columns(columns: Mapping[str, pa.Array]) -> None:
    for name, kind in _KINDS.items():
        if columns[name].type != kind or columns[name].null_count:
            raise TypeError(f"column {name!r} is {columns[name].type}, expected {kind} without gaps")


def _annotation(columns: Mapping[str, list[Any]], i: int) -> Annotation:
    numbers = {k: np.array(columns[k][i], np.int64) for k in ("sample", "channel", "num", "subtype")}
    # Codes without a letter are longer than one: "[42]".
    symbols = np.array(columns["symbol"][i], np.str_) if columns["symbol"][i] else np.empty(0, "<U1")
    lasting = np.array(columns["duration_s"][i], np.float64) if "duration_s" in columns else np.empty(0)
    return Annotation(
        symbol=symbols,
        aux_note=tuple(columns["aux_note"][i]),
        duration_s=lasting,
        confidence=np.empty(0),
        **numbers,
    )


@final
class Store:
    """The records of a packed store by number, in the order in which they were packed."""

    def __init__(self, path: Path) -> None:
        about = _read_index(path)
        self.path = path
        self.shards = [Shard(path / shard["file"], shard) for shard in about["shards"]]
        self.shard_of = np.empty(about["n_records"], np.int64)
        self.row_of = np.empty(about["n_records"], np.int64)
        for number, shard in enumerate(self.shards):
            if shard.at.size and not 0 <= shard.at.min() <= shard.at.max() < len(self.shard_of):
                raise FormatError(f"{path} does not hold what its index says. Pack the records again.")
            self.shard_of[shard.at] = number
            self.row_of[shard.at] = np.arange(len(shard.at))

    def __len__(self) -> int:
        return len(self.shard_of)

    def signals(self, rows: NDArray[np.int64]) -> Ragged:
        """Return the signals at ``rows``, in that order; neighbours stored as float32 are not copied."""
        shard_of, row_of = self.shard_of[rows], self.row_of[rows]
        used = np.unique(shard_of)
        shapes = np.empty((len(rows), 2), np.int64)
        for number in used:
            shapes[shard_of == number] = self.shards[number].shapes[row_of[shard_of == number]]
        if len(used) == 1 and (view := self.shards[used[0]].run(row_of)) is not None:
            return Ragged(view, shapes)
        ends = np.cumsum(shapes.prod(axis=1))
        places = ends - shapes.prod(axis=1)
        out = empty(int(ends[-1]), np.float32)
        for number in used:
            # Each record straight to its place: gathering shard by shard and sorting afterwards copied all twice.
            own = shard_of == number
            self.shards[number].fill(row_of[own], out, places[own])
        return Ragged(out, shapes)

    def meta(self, rows: NDArray[np.int64]) -> Meta:
        """Return the metadata at ``rows``, in that order."""
        shard_of, row_of = self.shard_of[rows], self.row_of[rows]
        used = [(self.shards[number], shard_of == number) for number in np.unique(shard_of)]
        columns: dict[str, Any] = {}
        for key in dict.fromkeys(key for shard, _ in used for key in shard.keys):
            held = [shard.constants[key] for shard, _ in used if key in shard.constants]
            if len(held) == len(used) and all(same(value, held[0]) for value in held):
                columns[key] = _filled(held[0], len(rows))
                continue
            column = np.empty(len(rows), object)
            for shard, own in used:
                # Through an object array, because NumPy would make tuples of one length a second axis.
                column[own] = _objects(shard.values(key, row_of[own]))
            columns[key] = column.tolist()
        return Meta(columns, len(rows))

    def marks(self, rows: NDArray[np.int64]) -> tuple[Annotation | None, ...]:
        """Return the annotations at ``rows``, in that order."""
        shard_of, row_of = self.shard_of[rows], self.row_of[rows]
        found: dict[int, Annotation | None] = {}
        for number in np.unique(shard_of):
            own = np.flatnonzero(shard_of == number)
            found |= dict(zip(own.tolist(), self.shards[number].marks(row_of[own]), strict=True))
        return tuple(found[i] for i in range(len(rows)))

    def ids(self) -> list[str]:
        """Return the ids of all records, in order."""
        return self._in_order("id")

    def labels(self) -> dict[str, Any]:
        """Return the label of each record that was packed with one."""
        try:
            pairs = list(zip(self.ids(), map(from_json, self._in_order("label")), strict=True))
        except ValueError as error:
            raise FormatError(f"{self.path} has labels that are no JSON: {error}. Pack the records again.") from None
        return {name: label for name, label in pairs if label is not None}

    def _in_order(self, column: str) -> list[str]:
        found = [""] * len(self)
        for shard in self.shards:
            for at, value in zip(shard.at.tolist(), shard.strings(column), strict=True):
                found[at] = value
        return found


def _read_index(path: Path) -> dict[str, Any]:
    index = path / "store.json"
    try:
        about: dict[str, Any] = json.loads(index.read_text(encoding="utf-8"))
        shards = about["shards"]
        known = about["cardioflow_store"] == VERSION and about["n_records"] == sum(s["n_records"] for s in shards)
        # A name with a folder in it could reach outside the store.
        named = all(Path(s["file"]).name == s["file"] and s["dtype"] in ("int16", "float32") for s in shards)
    except FileNotFoundError:
        raise FormatError(f"{path} is no packed store: it has no store.json. Make one with EcgDataset.pack.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{index} is no index of a packed store: {error}. Pack the records again.") from None
    if not known or not named:
        raise FormatError(f"{index} is no index of a packed store of version {VERSION}. Pack the records again.")
    return about


@lru_cache(maxsize=16)
def _opened(path: Path, changed_ns: int) -> Store:  # noqa: ARG001 -- a store written anew is opened anew
    return Store(path)


def open_store(path: Path) -> Store:
    """Return the store at ``path``, which stays open as long as it is in use."""
    try:
        changed = (path / "store.json").stat().st_mtime_ns
    except OSError:
        changed = 0
    return _opened(path, changed)
