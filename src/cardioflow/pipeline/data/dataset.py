"""An index of records: where each one is, and nothing of what is inside."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, final

from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.location import Location
from cardioflow.core.former_names import where_now
from cardioflow.errors import InputError
from cardioflow.pipeline.data.record_set import RecordSet
from cardioflow.pipeline.data.record_sources import find_records, records_of_table
from cardioflow.pipeline.data.record_table import RecordTable

# What only some data sets need is imported where they need it, because every script imports this file.
if TYPE_CHECKING:
    from cardioflow.pipeline.data.array_records import Names

__all__ = ["EcgDataset"]

_PACKED_AT_ONCE = 8


@final
class EcgDataset(RecordSet):
    """Records by id, in a fixed order; ``dataset >> pipeline`` sends them through it.

    Args:
        source: A glob (``"data/*.hea"``), a path, a list of either, a folder,
            a packed store, or a mapping of ids to paths or locations. A folder
            stands for every file in it and below it that a reader recognises;
            a WFDB record is one, whatever number of files it has.
        path: The same as ``source``, by CardIO's name.
        sort: Whether to sort the records by id. The matches of a glob and the
            files of a folder are always sorted by path; a list keeps its order.
        batch_class: The class of the batches.
        ids: A function from a file's path to its record's id; by default the
            file's stem.
        labels: The label of each record by id, for ``load(components="target")``
            without ``src``. A packed store brings its own.
        table: What else is known about the records: a pandas or an Arrow table or a mapping of columns, whose first
            column is the ids.

    Raises:
        InputError: when nothing matches, or two files get one id.
    """

    def __init__(
        self,
        source: str | Path | Sequence[str | Path] | Mapping[str, str | Path | Location] | None = None,
        *,
        path: str | Path | Sequence[str | Path] | None = None,
        sort: bool = False,
        batch_class: type[EcgBatch] = EcgBatch,
        ids: Callable[[Path], str] | None = None,
        labels: Mapping[str, Any] | None = None,
        table: Any = None,
    ) -> None:
        if not (isinstance(batch_class, type) and issubclass(batch_class, EcgBatch)):
            raise InputError(f"batch_class={batch_class!r} is not a subclass of EcgBatch.")
        if (source is None) == (path is None):
            given = "neither source nor path" if source is None else "both source and path"
            raise InputError(f"EcgDataset() got {given}. Pass one of them, such as EcgDataset('data/*.hea').")
        found = find_records(path if source is None else source, ids, sort=sort)
        if labels is not None and not isinstance(labels, Mapping):
            raise InputError(
                f"EcgDataset(labels=…) got a {type(labels).__name__}; expected a mapping of ids to labels, such as "
                "dict(zip(ids, labels)) or series.to_dict()."
            )
        own_labels = found.labels if labels is None else _by_id(labels)
        known = None if table is None else RecordTable.of(table)
        super().__init__(found.locations, own_labels, batch_class, known)
        self.n_others: int = found.n_others
        """How many files of a folder are neither a record nor part of one."""

    @classmethod
    def from_table(
        cls,
        table: Any,
        *,
        path: str,
        root: str | Path = ".",
        id: str | None = None,  # noqa: A002 -- the column's usual name
        labels: str | Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Self:
        """Return the records that a pandas or Arrow table lists; its other columns are known of them too.

        Args:
            table: One row per record.
            path: The column of file names, relative to ``root``.
            root: The folder that the file names start from.
            id: The column of record ids; by default the files' stems.
            labels: The column of labels, or a mapping of ids to labels.
            **options: Those of ``EcgDataset``.
        """
        locations, own, known = records_of_table(
            table, path, Path(root), id, labels if isinstance(labels, str) else None
        )
        given = labels if isinstance(labels, Mapping) else own
        return cls(locations, labels=given, **{"table": known, **options})

    @classmethod
    def from_arrays(
        cls,
        signals: NDArray[Any] | Sequence[NDArray[Any]],
        *,
        fs: float | Sequence[float],
        leads: Names | None = None,
        units: str | Names | None = None,
        ids: Sequence[Any] | None = None,
        targets: Sequence[Any] | Mapping[str, Any] | None = None,
    ) -> Self:
        """Return records that are in memory already; ``load()`` reads them as it reads files.

        The arrays are not copied before they are loaded.

        Args:
            signals: An array of shape (record, lead, time), or one array of shape (lead, time) per record.
            fs: The sampling rate in Hz, of all records or one per record.
            leads: The names of the leads, of all records or of each; by default ``signal 0``, ``signal 1`` ….
            units: The unit of all leads, one per lead, or one per lead of each record; by default millivolts for
                arrays of floats. Voltages are converted to millivolts on loading.
            ids: The ids of the records; by default ``0``, ``1`` ….
            targets: The label of each record, in order or by id.

        Raises:
            InputError: for an array of another shape or type, or a wrong number of anything.
        """
        from cardioflow.pipeline.data.array_records import array_locations

        locations = array_locations(signals, fs=fs, leads=leads, units=units, ids=ids)
        return cls(locations, labels=None if targets is None else _by_id(targets, tuple(locations)))

    @classmethod
    def simulated(
        cls,
        n_records: int,
        *,
        rhythms: Sequence[str] = ("SR", "AF"),
        seed: int = 0,
        fs: float = 300.0,
        duration_s: float = 30.0,
        **options: Any,
    ) -> Self:
        """Return ECGs made by a dynamical model (McSharry et al., 2003), for trials and tests without data.

        Record ``i`` has the rhythm ``rhythms[i % len(rhythms)]``, which is its
        label. ``options`` are further parameters of ``dsp.simulate.simulate_ecg``:
        ``leads``, ``heart_rate``, ``noise_mv``.

        Raises:
            InputError: for a parameter that is out of its range.
        """
        from cardioflow.pipeline.data.simulated_records import simulated_records

        parameters = {"fs": fs, "duration_s": duration_s, **options}
        locations, labels = simulated_records(n_records, rhythms, seed, parameters)
        return cls(locations, labels=labels)

    def pack(
        self,
        path: str | Path,
        *,
        fmt: str | None = None,
        components: Sequence[str] = ("signal", "meta"),
        labels: Any = None,
        shard_mb: int = 128,
        on_error: Literal["raise", "skip"] = "raise",
        **options: Any,
    ) -> EcgDataset:
        """Write the records to a packed store, a folder of a few large files, and return the data set of it.

        ``EcgDataset(path)`` opens it again; a pipeline reads it whatever its
        ``load(fmt=…)`` names. Signals whose source held integers are stored as
        int16, losslessly; others as float32. Memory holds one shard, and the records
        that are being read: eight and the eight before them.

        Args:
            path: The folder to make.
            fmt: The format of the files, as for ``load``.
            components: What to store.
            labels: A table of labels as ``load`` takes it; by default the labels that the data set knows.
            shard_mb: The size of one of the store's files, in MiB.
            on_error: Whether a record that cannot be read is an error, or is left out with a warning.
            **options: Those of ``load``, for reading (``common_fs=250``) and for the table (``several=True``).

        Raises:
            InputError: when ``path`` exists.
            LabelError: when a record has no label, or the table labels none of the records.
        """
        from cardioflow.pipeline.data.packing import listed, pack
        from cardioflow.pipeline.data.read_records import ReadRecords
        from cardioflow.pipeline.labels.join import shape_of_known, table_shape, without_shape
        from cardioflow.pipeline.labels.table import LabelTable

        read = ReadRecords(None, fmt, tuple(components), without_shape(options))
        source = self.labels if labels is None else labels
        known: Mapping[str, Any] = {}
        if source is not None:
            shape = shape_of_known(source, options) if labels is None else table_shape(options)
            table = LabelTable.read(source, shape, self.all_ids, frozenset(self.ids))
            table.check_ids(self.all_ids)
            known = table.labels
        skipped = pack(self._in_order(), read, Path(path), labels=known, shard_mb=shard_mb, on_error=on_error)
        if skipped:
            warnings.warn(f"pack({str(path)!r}) left out {listed(skipped)}", stacklevel=2)
        return type(self)(path, batch_class=self.batch_class)

    def _in_order(self) -> Iterator[EcgBatch]:
        for start in range(0, len(self), _PACKED_AT_ONCE):
            yield self.batch(range(start, min(start + _PACKED_AT_ONCE, len(self))))

    if not TYPE_CHECKING:  # a type checker would then let every misspelt attribute pass

        def __getattr__(self, name: str) -> Any:
            now = "" if name.startswith("_") else where_now("dataset", name)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}. {now}".rstrip())

    def __repr__(self) -> str:
        count = f"{len(self)} record{'' if len(self) == 1 else 's'}"
        text = f"{count}: {self.ids[0]} … {self.ids[-1]}"
        if self.n_others:
            text += f"; {self.n_others} other file{'' if self.n_others == 1 else 's'} in the folder"
        return f"EcgDataset({text})"


def _by_id(labels: Sequence[Any] | Mapping[str, Any], ids: Sequence[str] = ()) -> dict[str, Any]:
    from cardioflow.pipeline.data.array_records import labels_by_id

    return labels_by_id(labels, ids)
