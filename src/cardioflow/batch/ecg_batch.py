"""A batch of ECGs: columns of signals, annotations, metadata and labels, and where each row came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch._fluent import BatchActions
from cardioflow.batch.annotation import Annotation
from cardioflow.batch.meta import Meta
from cardioflow.batch.provenance import Provenance
from cardioflow.batch.ragged import Ragged
from cardioflow.core.random_keys import stream_keys
from cardioflow.errors import CardioFlowError, InputError, UnknownNameError, nearest

__all__ = ["EcgBatch", "Skipped"]

Annotations = tuple["Annotation | tuple[Annotation, ...]", ...]


class Skipped(NamedTuple):
    """A record that a run left out, the step that could not take it, and why."""

    record: str
    step: str
    reason: CardioFlowError


@dataclass(frozen=True, eq=False, repr=False)
class EcgBatch(BatchActions):
    """A batch of ECGs; every action is a method and returns a new batch.

    Open to subclassing (``EcgDataset(batch_class=…)``): actions keep the
    subclass, so models declared inside it are found.
    """

    ids: tuple[str, ...]
    """One id per row: the record's, or ``"A00001/3"`` for its fourth segment after unstacking."""
    paths: tuple[str | Path, ...] | None = None
    """Where each row's record is read from; ``None`` when it was not read from files."""
    signal: Ragged | None = None
    """Millivolts, (lead, time) per row, after cutting (segment, lead, time)."""
    annotation: Annotations | None = None
    """Per row an ``Annotation``, after cutting a tuple of them, one per segment."""
    meta: Meta | None = None
    """Per row a read-only mapping: ``batch.meta[0]["fs"]``."""
    target: NDArray[Any] | None = None
    """Per row a label, or a tuple of labels; after ``binarize_labels`` (row, class) as float32."""
    classes: tuple[str, ...] | None = None
    """All labels that a target can be, in the order of the columns that ``binarize_labels`` makes."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Components of one's own, by name: ``Ragged`` or arrays with one row per row of the batch."""
    provenance: Provenance = None  # type: ignore[assignment]
    """The record and second that each row was cut from."""
    seed: int = 0
    epoch: int = 0
    history: tuple[str, ...] = ()
    """The names of the actions that made this batch; random ones count their like in it."""
    skipped: tuple[Skipped, ...] = ()
    """Records that were left out on the way here, with their reasons."""

    def __post_init__(self) -> None:
        if self.provenance is None:
            object.__setattr__(self, "provenance", Provenance.whole(self.ids))
        n = len(self.ids)
        columns = {"paths": self.paths, "signal": self.signal, "annotation": self.annotation, "meta": self.meta}
        for name, column in {**columns, "target": self.target, **self.extra}.items():
            if column is not None and len(column) != n:
                raise InputError(f"Component {name!r} has {len(column)} rows, but the batch has {n} ids.")

    # -- reading ------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.ids)

    if not TYPE_CHECKING:  # a type checker would then let every misspelt action pass

        def __getattr__(self, name: str) -> Any:
            if not name.startswith("_") and name in self.extra:
                return self.extra[name]
            return super().__getattr__(name)

    def component(self, name: str) -> Any:
        """Return the component ``name``.

        Raises:
            UnknownNameError: when the batch has no such component.
            InputError: when it has not been loaded.
        """
        if name in self.extra:
            return self.extra[name]
        if name not in ("signal", "annotation", "meta", "target"):
            known = ("signal", "annotation", "meta", "target", *self.extra)
            raise UnknownNameError(f"The batch has no component {name!r}. {nearest(name, known)}")
        value = getattr(self, name)
        if value is None:
            raise InputError(f"The batch has no {name}: load(components={name!r}) comes first.")
        return value

    @property
    def signal_and_meta(self) -> tuple[Ragged, Meta]:
        """The signals and the metadata, both of which most actions need.

        Raises:
            InputError: when one of them has not been loaded.
        """
        return self.component("signal"), self.component("meta")

    @property
    def fs(self) -> NDArray[np.float64]:
        """The sampling rate of each row in Hz."""
        return np.asarray(self.component("meta")["fs"], dtype=np.float64)

    def keys(self, step: str) -> NDArray[np.uint64]:
        """Return one key per row for the random numbers of the action ``step``, in its next occurrence."""
        occurrence = self.history.count(step)
        return stream_keys(self.provenance.key, seed=self.seed, epoch=self.epoch, step=f"{step}#{occurrence}")

    # -- new batches --------------------------------------------------------

    def replace(self, **changes: Any) -> Self:
        """Return a new batch with ``changes``, sharing the rest."""
        return replace(self, **changes)

    def with_component(self, name: str, value: Any) -> Self:
        """Return a new batch whose component ``name`` is ``value``."""
        if name in ("signal", "annotation", "meta", "target"):
            return self.replace(**{name: value})
        if name in self.__dataclass_fields__:
            raise InputError(f"{name!r} is no component that a step may write. Choose another name.")
        return self.replace(extra={**self.extra, name: value})

    def take(self, rows: NDArray[Any] | Sequence[int]) -> Self:
        """Return the rows ``rows`` (indices or a mask) with all their components, in that order."""
        rows = np.asarray(rows)
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.intp)
        if np.array_equal(rows, np.arange(len(self))):
            return self
        return self.replace(
            ids=tuple(self.ids[i] for i in rows),
            paths=None if self.paths is None else tuple(self.paths[i] for i in rows),
            signal=None if self.signal is None else self.signal.take(rows),
            annotation=None if self.annotation is None else tuple(self.annotation[i] for i in rows),
            meta=None if self.meta is None else self.meta.take(rows),
            target=None if self.target is None else self.target[rows],
            extra={name: _take(column, rows) for name, column in self.extra.items()},
            provenance=self.provenance.take(rows),
        )

    def __getitem__(self, rows: int | slice) -> Self:
        """Return a batch of one row, or of a slice of them."""
        picked = np.arange(len(self))[rows]
        return self.take(np.atleast_1d(picked))

    def __iter__(self) -> Iterator[Self]:
        return (self[i] for i in range(len(self)))

    @classmethod
    def concat(cls, batches: Sequence[EcgBatch]) -> EcgBatch:
        """Return the rows of ``batches``, one after another; what one of them lacks, all lose."""
        if not batches:
            raise InputError("concat() of no batches. Give at least one.")
        first = batches[0]

        def joined(name: str, join: Any) -> Any:
            columns = [getattr(b, name) for b in batches]
            return None if any(c is None for c in columns) else join(columns)

        shared = [name for name in first.extra if all(name in b.extra for b in batches)]
        return first.replace(
            ids=tuple(i for b in batches for i in b.ids),
            paths=joined("paths", _chain),
            signal=joined("signal", Ragged.concat),
            annotation=joined("annotation", _chain),
            meta=joined("meta", Meta.concat),
            target=joined("target", np.concatenate),
            extra={name: _concat([b.extra[name] for b in batches]) for name in shared},
            provenance=Provenance.concat([b.provenance for b in batches]),
            skipped=tuple(s for b in batches for s in b.skipped),
        )

    @classmethod
    def merge(cls, batches: Sequence[EcgBatch], batch_size: int | None = None) -> tuple[EcgBatch, EcgBatch | None]:
        """Return the first ``batch_size`` rows of ``batches``, and the rest, or ``None`` where nothing is left.

        Ids are kept, unlike in CardIO, which numbered them anew.
        """
        joined = cls.concat(batches)
        if batch_size is None or len(joined) <= batch_size:
            return joined, None
        if batch_size < 1:
            raise InputError(f"merge(batch_size={batch_size}): expected 1 or more.")
        return joined[:batch_size], joined[batch_size:]

    def __repr__(self) -> str:
        held = [n for n in ("signal", "annotation", "meta", "target") if getattr(self, n) is not None]
        inside = f": {', '.join([*held, *self.extra])}" if held or self.extra else ", nothing loaded"
        return f"{type(self).__name__}({len(self)} records{inside})"


def _chain(columns: Sequence[Sequence[Any]]) -> tuple[Any, ...]:
    return tuple(value for column in columns for value in column)


def _take(column: Any, rows: NDArray[np.intp]) -> Any:
    if isinstance(column, (Ragged, Meta)):
        return column.take(rows)
    return column[rows] if isinstance(column, np.ndarray) else tuple(column[i] for i in rows)


def _concat(columns: Sequence[Any]) -> Any:
    if isinstance(columns[0], (Ragged, Meta)):
        return type(columns[0]).concat(columns)
    return np.concatenate(columns) if isinstance(columns[0], np.ndarray) else _chain(columns)
