"""An index of records: where each one is, and nothing of what is inside."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.provenance import Provenance
from cardioflow.core.former_names import where_now
from cardioflow.core.random_keys import generator, record_keys
from cardioflow.errors import EndOfDataError, InputError, UnknownNameError, nearest
from cardioflow.pipeline.packing import pack, unpacked_index
from cardioflow.pipeline.splitting import assign_parts

if TYPE_CHECKING:
    from cardioflow.pipeline.bound import BoundPipeline
    from cardioflow.pipeline.pipeline import Pipeline

__all__ = ["EcgDataset"]


@final
class EcgDataset:
    """Records by id, in a fixed order; ``dataset >> pipeline`` sends them through it.

    ``source`` is a glob (``"data/*.hea"``), a path, a list of either, a mapping
    of ids to paths, or a packed store. An id is the file's stem unless ``ids`` (a
    function of the path) says otherwise.

    Raises:
        InputError: when nothing matches, or two files get one id.
    """

    def __init__(
        self,
        source: str | Path | Sequence[str | Path] | Mapping[str, str | Path],
        *,
        batch_class: type[EcgBatch] = EcgBatch,
        ids: Callable[[Path], str] | None = None,
        labels: Mapping[str, Any] | None = None,
    ) -> None:
        if not issubclass(batch_class, EcgBatch):
            raise InputError(f"batch_class={batch_class!r} is no subclass of EcgBatch.")
        found: Mapping[str, str | Path]
        if isinstance(source, (str, Path)) and (Path(source) / "store.json").is_file():
            found, packed_labels = unpacked_index(Path(source))
            labels = labels if labels is not None else packed_labels or None
        elif isinstance(source, Mapping):
            found = {str(k): v if "#" in str(v) or ":" in str(v) else Path(v) for k, v in source.items()}
        else:
            found = _by_id(_expand(source), ids or _stem)
        if not found:
            raise InputError(f"No file matches {source!r}. Give a glob such as 'data/*.hea', or a list of paths.")
        self.ids: tuple[str, ...] = tuple(found)
        self.paths: tuple[str | Path, ...] = tuple(found.values())
        """Where each record is; made into paths once, because every epoch asks for all of them."""
        self.batch_class = batch_class
        self.labels = labels
        """The label of each record where the data set itself knows it; else ``None``."""
        self.every_id: frozenset[str] = frozenset(found)
        """The ids of the data set that this one is a part of: a label of those is not a label without a record."""
        self._next = 0

    @classmethod
    def from_table(
        cls,
        table: Any,
        *,
        path: str,
        root: str | Path = ".",
        id: str | None = None,  # noqa: A002 -- the column's usual name
        **options: Any,
    ) -> Self:
        """Return the records that a pandas or Arrow table lists.

        ``path`` is the column of file names, relative to ``root``; ``id`` the
        column of record ids, by default the files' stems.
        """
        columns = (
            table.to_pydict() if hasattr(table, "to_pydict") else {str(c): table[c].tolist() for c in table.columns}
        )
        for name in (path, *((id,) if id else ())):
            if name not in columns:
                raise UnknownNameError(f"The table has no column {name!r}. {nearest(name, columns)}")
        files = [Path(root) / str(p) for p in columns[path]]
        names = [str(i) for i in columns[id]] if id else [_stem(f) for f in files]
        _refuse_doubles(names, [str(f) for f in files])
        return cls(dict(zip(names, files, strict=True)), **options)

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
        label. Load them with ``load(fmt="simulated")``; ``options`` are further
        parameters of that format.
        """
        ids = [f"sim{i:05d}" for i in range(n_records)]
        keys = record_keys([f"{seed}/{i}" for i in ids])
        more = "".join(f"&{k}={v}" for k, v in options.items())
        kinds = [rhythms[i % len(rhythms)] for i in range(n_records)]
        paths = {
            name: f"simulated:{kind}?seed={int(key) >> 1}&fs={fs:g}&duration_s={duration_s:g}{more}"
            for name, kind, key in zip(ids, kinds, keys, strict=True)
        }
        return cls(paths, labels=dict(zip(ids, kinds, strict=True)))

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
        ``load(fmt=…)`` says. Signals whose source held integers are stored as
        int16, losslessly; others as float32. ``labels`` is a table as ``load``
        takes it; they become the data set's. ``options`` are those of ``load``:
        ``common_fs=250``, ``fs=500`` of arrays that do not say it. Memory stays
        at a shard's size.

        Raises:
            InputError: when ``path`` is there already.
        """
        pack(
            self,
            Path(path),
            fmt=fmt,
            components=components,
            labels=labels,
            shard_mb=shard_mb,
            on_error=on_error,
            options=options,
        )
        return type(self)(path, batch_class=self.batch_class)

    # -- parts --------------------------------------------------------------

    def subset(self, ids: Iterable[str]) -> Self:
        """Return the records ``ids``, in that order.

        Raises:
            UnknownNameError: when one of them is not in the data set.
        """
        at = {name: i for i, name in enumerate(self.ids)}
        picked = []
        for name in ids:
            if name not in at:
                raise UnknownNameError(f"The data set has no record {name!r}. {nearest(name, self.ids)}")
            picked.append(at[name])
        return self._rows(picked)

    def split(
        self,
        shares: Sequence[float] | float,
        *,
        stratify: Mapping[str, Any] | None = None,
        groups: Mapping[str, Any] | None = None,
        seed: int = 0,
    ) -> tuple[Self, ...]:
        """Return parts of the data set, of about the given shares of its records.

        ``shares`` is one number (that share and the rest) or one per part.
        ``stratify`` maps ids to labels whose proportions every part keeps;
        ``groups`` maps ids to patients, none of whom is in two parts.

        Raises:
            InputError: when the shares are not positive or add up to more than 1.
        """
        parts = (shares, 1 - shares) if isinstance(shares, (int, float)) else tuple(shares)
        if not parts or min(parts) <= 0 or sum(parts) > 1 + 1e-9:
            raise InputError(f"split({shares!r}): shares are positive and add up to 1 or less.")
        part = assign_parts(self.ids, parts, stratify=stratify, groups=groups, seed=seed)
        return tuple(self._rows(np.flatnonzero(part == i).tolist()) for i in range(len(parts)))

    def _rows(self, rows: Sequence[int]) -> Self:
        if not rows:
            raise InputError(f"A part of a data set of {len(self)} records would be empty. Give it a larger share.")
        new = object.__new__(type(self))
        new.ids = tuple(self.ids[i] for i in rows)
        new.paths = tuple(self.paths[i] for i in rows)
        new.batch_class, new.labels, new.every_id, new._next = self.batch_class, self.labels, self.every_id, 0
        return new

    # -- batches ------------------------------------------------------------

    def batch(self, rows: NDArray[np.intp] | Sequence[int], *, seed: int = 0, epoch: int = 0) -> EcgBatch:
        """Return the batch of the records at ``rows``, with nothing loaded yet."""
        ids = tuple([self.ids[i] for i in rows])
        return self.batch_class(
            ids=ids,
            paths=tuple([self.paths[i] for i in rows]),
            provenance=Provenance.whole(ids, self._keys[np.asarray(rows, np.intp)]),
            seed=seed,
            epoch=epoch,
        )

    @cached_property
    def _keys(self) -> NDArray[np.uint64]:
        """Each record's key, hashed once and not once per epoch."""
        return record_keys(self.ids)

    def next_batch(self, batch_size: int) -> EcgBatch:
        """Return the next ``batch_size`` records, in order and with nothing loaded yet; ``reset`` begins anew.

        Raises:
            EndOfDataError: after the last record.
        """
        if batch_size < 1:
            raise InputError(f"next_batch({batch_size}): a batch holds 1 record or more.")
        if self._next >= len(self):
            raise EndOfDataError(f"All {len(self)} records have been given out. Call reset() to begin anew.")
        rows = range(self._next, min(self._next + batch_size, len(self)))
        self._next = rows.stop
        return self.batch(rows)

    def reset(self) -> None:
        """Let the next ``next_batch`` begin at the first record again."""
        self._next = 0

    def order(self, *, shuffle: bool, seed: int, epoch: int) -> NDArray[np.intp]:
        """Return the order in which an epoch draws the records, from ``seed`` and ``epoch`` alone."""
        if not shuffle:
            return np.arange(len(self))
        key = record_keys([f"order/{seed}/{epoch}"])[0]
        return generator(key).permutation(len(self))

    def __rshift__(self, pipeline: Pipeline) -> BoundPipeline:
        return pipeline.bind(self)

    if not TYPE_CHECKING:  # a type checker would then let every misspelt attribute pass

        def __getattr__(self, name: str) -> Any:
            now = "" if name.startswith("_") else where_now("dataset", name)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}. {now}".rstrip())

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"EcgDataset({len(self)} records: {self.ids[0]} … {self.ids[-1]})"


def _stem(path: Path) -> str:
    return path.name if not path.suffix else path.stem


def _expand(source: str | Path | Sequence[str | Path]) -> list[Path]:
    """Return the files that ``source`` names: every glob's matches sorted, in the order of the globs."""
    if isinstance(source, (str, Path)):
        source = [source]
    files: list[Path] = []
    for item in source:
        text = str(item)
        if glob.has_magic(text) and not Path(text).exists():
            files.extend(Path(p) for p in sorted(glob.glob(text, recursive=True)))  # noqa: PTH207 -- absolute patterns
        elif Path(text).is_dir():
            raise InputError(f"{text!r} is a folder. Say which of its files are records, as in '{text}/*.hea'.")
        else:
            files.append(Path(text))
    return files


def _by_id(files: list[Path], name: Callable[[Path], str]) -> dict[str, Path]:
    ids = [name(f) for f in files]
    _refuse_doubles(ids, [str(f) for f in files])
    return dict(zip(ids, files, strict=True))


def _refuse_doubles(ids: Sequence[str], paths: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for name, path in zip(ids, paths, strict=True):
        if name in seen:
            raise InputError(
                f"Two files are record {name!r}: {seen[name]} and {path}. "
                "Match one file per record (as in '*.hea'), or give ids=, a function of the path."
            )
        seen[name] = path
