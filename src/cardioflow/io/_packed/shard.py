"""One shard of a packed store: a mapped file of records whose samples have one type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cardioflow.batch.annotation import Annotation
from cardioflow.errors import FormatError
from cardioflow.io._codecs.quantize import gather_int16
from cardioflow.io._packed.checked_file import CheckedFile
from cardioflow.io._packed.columns import decoded, from_json
from cardioflow.io._packed.index import ShardEntry

__all__ = ["Shard"]

_TYPES: Final = {"id": pa.string(), "at": pa.int64(), "shape": pa.list_(pa.int64()), "label": pa.string()}


@final
class Shard:
    """One memory-mapped file of records."""

    def __init__(self, path: Path, entry: ShardEntry, *, verify: bool) -> None:
        """Open the shard; with ``verify``, all but its samples is checked now, and they when they are read.

        Raises:
            FormatError: when it is not what the index says.
        """
        self.path = path
        try:
            self._file = CheckedFile(path, entry.checksums if verify else ())
            self._check_size(entry)
            first, last = entry.signal
            self._check_bytes(np.array([0, last]), np.array([first, entry.n_bytes]))
            batch = pa.ipc.open_file(self._file.buffer).get_batch(0)
            # Arrow trusts offsets and texts unless asked; a damaged one would be read from anywhere.
            batch.validate(full=True)
            self._columns: dict[str, pa.Array] = dict(zip(batch.schema.names, batch.columns, strict=True))
            _check_types(self._columns)
            signal = self._columns["signal"]
            self.data: NDArray[Any] = signal.values.to_numpy(zero_copy_only=True)
            self.starts: NDArray[np.int64] = signal.offsets.to_numpy(zero_copy_only=True)
            self.shapes = self._columns["shape"].values.to_numpy().reshape(-1, 2)
            metadata = batch.schema.metadata
            self.constants: dict[str, Any] = from_json(metadata[b"constants"].decode())
            self._kinds: dict[str, str] = json.loads(metadata[b"kinds"])
        except FormatError:
            raise
        except (OSError, KeyError, ValueError, TypeError, AttributeError, pa.ArrowException) as error:
            raise FormatError(f"{path} is not a shard of a packed store: {error}. Pack the records again.") from error
        self._check_shapes(entry)
        self._first_byte = self.data.ctypes.data - self._file.buffer.address
        self.at = self._columns["at"].to_numpy()

    def _check_size(self, entry: ShardEntry) -> None:
        size = self._file.buffer.size
        if entry.n_bytes not in {0, size}:
            raise FormatError(
                f"{self.path} has {size} bytes, but the index says {entry.n_bytes}. Copy the store again from where it "
                "came, or pack the records again."
            )

    def _check_bytes(self, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> None:
        self._file.check(starts, stops)

    def _check_shapes(self, entry: ShardEntry) -> None:
        """Refuse offsets and shapes that reach outside the file: the kernel that reads them looks at no bounds."""
        n, starts, shapes = len(self.shapes), self.starts, self.shapes
        right = (
            self.data.dtype == np.dtype(entry.dtype)
            and n == entry.n_records == len(starts) - 1
            and bool((shapes >= 0).all())
            and bool((np.diff(starts) == shapes.prod(axis=1)).all())
            and (n == 0 or (starts[0] >= 0 and starts[-1] <= self.data.size))
        )
        if not right:
            raise FormatError(f"{self.path} does not hold what its index says. Pack the records again.")

    @property
    def has_changed(self) -> bool:
        """Whether the file is another one than when it was opened."""
        return self._file.has_changed

    def check(self) -> None:
        """Compare every block of the file with its checksum."""
        self._check_bytes(np.array([0]), np.array([self._file.buffer.size]))

    def check_samples(self, rows: NDArray[np.int64]) -> None:
        """Compare the blocks that hold the samples at ``rows`` with their checksums.

        Raises:
            FormatError: when one does not have its checksum.
        """
        width = self.data.dtype.itemsize
        self._check_bytes(
            self._first_byte + self.starts[rows] * width, self._first_byte + self.starts[rows + 1] * width
        )

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


def _check_types(columns: Mapping[str, pa.Array]) -> None:
    for name, kind in _TYPES.items():
        if columns[name].type != kind or columns[name].null_count:
            raise TypeError(f"column {name!r} is {columns[name].type}, expected {kind} without gaps")


def _annotation(columns: Mapping[str, list[Any]], i: int) -> Annotation:
    numbers = {k: np.array(columns[k][i], np.int64) for k in ("sample", "channel", "num", "subtype")}
    # Codes without a letter are longer than one: "[42]".
    symbols = np.array(columns["symbol"][i], np.str_) if columns["symbol"][i] else np.empty(0, "<U1")
    lasting = np.array(columns["duration_s"][i], np.float64) if "duration_s" in columns else np.empty(0)
    sure = np.array(columns["confidence"][i], np.float64) if "confidence" in columns else np.empty(0)
    return Annotation(
        symbol=symbols, aux_note=tuple(columns["aux_note"][i]), duration_s=lasting, confidence=sure, **numbers
    )
