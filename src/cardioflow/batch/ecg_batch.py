"""A batch of ECGs: columns of signals, annotations, metadata and labels, and the provenance of each row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioflow.batch._fluent import BatchActions
from cardioflow.batch.annotation import Annotation
from cardioflow.batch.columns import Column, Events, Kind, TimeSeries, as_column
from cardioflow.batch.location import Location
from cardioflow.batch.meta import Meta
from cardioflow.batch.provenance import Provenance
from cardioflow.batch.ragged import Ragged
from cardioflow.batch.rows import chosen_rows
from cardioflow.core.random_keys import stream_keys
from cardioflow.errors import CardioFlowError, InputError, UnknownNameError, nearest

__all__ = ["EcgBatch", "Skipped"]

Annotations = tuple["Annotation | tuple[Annotation, ...]", ...]

_KINDS = {"signal": "time series", "annotation": "events"}
_OWN = ("signal", "annotation", "meta", "target")
_ROWS = ("locations", *_OWN)
_TYPES: tuple[tuple[str, type, str], ...] = (
    ("signal", Ragged, "expected a Ragged. Call EcgBatch.from_arrays(signals, fs=…), which takes arrays."),
    ("meta", Meta, "expected a Meta. Call with_component('meta', …), which takes a mapping per row."),
    ("target", np.ndarray, "expected an array. Call with_component('target', …), which takes a label per row."),
)


class Skipped(NamedTuple):
    """A record that a run left out, the step that failed on it, and the reason."""

    record: str
    step: str
    reason: CardioFlowError


@dataclass(frozen=True, eq=False, repr=False)
class EcgBatch(BatchActions):
    """A batch of ECGs; every action is a method and returns a new batch.

    Besides ``signal``, ``annotation``, ``meta`` and ``target``, a batch holds
    components of the user's own, added by ``with_component``. Each has a kind,
    by which it follows the signal: *static* values stay, a *time series* is
    cut, resampled, padded with the signal, *events* move with their samples.

    Open to subclassing (``EcgDataset(batch_class=…)``): actions keep the
    subclass, so that models declared inside it are found.
    """

    ids: tuple[str, ...]
    """One id per row: the record's, or ``"A00001/3"`` for its fourth segment after unstacking."""
    locations: tuple[Location, ...] | None = None
    """Where each row's record is read from; ``None`` when it does not come from a data set."""
    signal: Ragged | None = None
    """Millivolts, (lead, time) per row, after cutting (segment, lead, time)."""
    annotation: Annotations | None = None
    """The reference events: per row an ``Annotation``, after cutting a tuple of them, one per segment."""
    meta: Meta | None = None
    """Per row a read-only mapping: ``batch.meta[0]["fs"]``."""
    target: NDArray[Any] | None = None
    """Per row a label, or a tuple of labels; after ``binarize_labels`` (row, class) as float32."""
    classes: tuple[str, ...] | None = None
    """All labels that a target can be, in the order of the columns that ``binarize_labels`` makes."""
    columns: Mapping[str, Column] = field(default_factory=dict)
    """The user's own components by name, with their kinds; ``component(name)`` is the value inside."""
    provenance: Provenance = None  # type: ignore[assignment]
    """The record that each row was cut from, and where."""
    seed: int = 0
    epoch: int = 0
    history: tuple[str, ...] = ()
    """The names of the actions that made this batch; random ones count their occurrences in it."""
    skipped: tuple[Skipped, ...] = ()
    """Records that were left out on the way here, with their reasons."""

    def __post_init__(self) -> None:
        if self.provenance is None:
            object.__setattr__(self, "provenance", Provenance.whole(self.ids))
        for name, kind, expected in _TYPES:
            value = self.__dict__[name]
            if value is not None and not isinstance(value, kind):
                raise InputError(f"EcgBatch({name}=…) is a {type(value).__name__}; {expected}")
        n = len(self.ids)
        for name in _ROWS:
            column = self.__dict__[name]
            if column is not None and len(column) != n:
                raise InputError(f"Component {name!r} has {len(column)} rows, but the batch has {n} ids.")
        for name, column in self.columns.items():
            if column is not None and len(column) != n:
                raise InputError(f"Component {name!r} has {len(column)} rows, but the batch has {n} ids.")
            if not isinstance(column, Column):
                raise InputError(
                    f"EcgBatch(columns=…) holds a {type(column).__name__} as {name!r}; expected a column of a kind. "
                    "Call with_component(name, value, kind=…) on the batch."
                )

    @classmethod
    def from_arrays(
        cls,
        signals: NDArray[Any] | Sequence[NDArray[Any]],
        *,
        fs: ArrayLike,
        leads: Sequence[str] | Sequence[Sequence[str]] | None = None,
        units: str | Sequence[str] | Sequence[Sequence[str]] | None = None,
        targets: Any = None,
        classes: Sequence[str] | None = None,
        annotations: Sequence[Annotation] | None = None,
        ids: Sequence[str] | None = None,
    ) -> Self:
        """Return a batch of arrays in memory.

        Args:
            signals: an array of (record, lead, time), or one of (lead, time) per record, in millivolts.
            fs: the sampling rate in Hz, of all records or of each.
            leads: the names of the leads, of all records or of each.
            units: the unit of all leads, of each lead, or of each lead of each record; millivolts by default, which is
                refused for integers. Samples are not converted; call ``convert_units("mV")`` for that.
            targets: a label, a tuple of labels or a row of numbers per record.
            classes: all labels that a target can be; those that occur, in alphabetical order, by default.
            annotations: an ``Annotation`` per record.
            ids: a different text per record; ``"0"``, ``"1"`` and so on by default.

        Raises:
            InputError: when an argument does not fit the signals.
            LabelError: when a target is not one of ``classes``.

        >>> EcgBatch.from_arrays(np.zeros((2, 1, 500)), fs=250, leads=["II"], targets=["N", "A"]).classes
        ('A', 'N')
        """
        from cardioflow.batch.from_arrays import column_values  # most batches are read

        return cls(**column_values(signals, fs, leads, units, targets, classes, annotations, ids))

    # -- reading ------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.ids)

    if not TYPE_CHECKING:  # a type checker would then let every misspelt action pass

        def __getattr__(self, name: str) -> Any:
            # Through __dict__, because copy and pickle ask for names before the object is whole.
            column = self.__dict__.get("columns", {}).get(name)
            return super().__getattr__(name) if column is None else column.values

    def component(self, name: str) -> Any:
        """Return the component ``name``.

        Raises:
            UnknownNameError: when the batch has no such component.
            InputError: when it has not been loaded.
        """
        if name in self.columns:
            return self.columns[name].values
        if name not in _OWN:
            raise UnknownNameError(f"The batch has no component {name!r}. {nearest(name, (*_OWN, *self.columns))}")
        value = getattr(self, name)
        if value is None:
            raise InputError(f"The batch has no {name}. Call load(components={name!r}) first.")
        return value

    def column(self, name: str) -> Column:
        """Return the component ``name`` with its kind.

        Raises:
            UnknownNameError: when the batch has no such component.
            InputError: when it has not been loaded.
        """
        if name in self.columns:
            return self.columns[name]
        value = self.component(name)
        if name == "signal":
            return TimeSeries(value, self.is_cut)
        return Events(value) if name == "annotation" else as_column(name, value, "static", is_cut=False)

    @property
    def is_cut(self) -> bool:
        """Whether the rows are cut into segments: (segment, lead, time)."""
        return self.signal is not None and self.signal.ndim == 3

    @property
    def signal_and_meta(self) -> tuple[Ragged, Meta]:
        """The signals and the metadata, both of which most actions need.

        Raises:
            InputError: when one of them has not been loaded.
        """
        return self.component("signal"), self.component("meta")

    @property
    def paths(self) -> tuple[Path | str, ...] | None:
        """Where each row's record is read from, for people: the path of a file, otherwise a description."""
        return None if self.locations is None else tuple(place.readable() for place in self.locations)

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
        own = self.__dict__
        if not changes.keys() <= own.keys() or len(own) != len(self.__dataclass_fields__):
            return replace(self, **changes)  # of a subclass with more than fields, or an error for an unknown name
        # The same as above without setting each field through object.__setattr__: every action calls this.
        new = object.__new__(type(self))
        new.__dict__.update(own, **changes)
        new.__post_init__()
        return new

    def after_step(self, batch: EcgBatch, step: str) -> Self:
        """Return the result of the action ``step`` on ``batch``, with the action's name in its history."""
        history = (*batch.history, step)
        if len(self.__dict__) != len(self.__dataclass_fields__):
            return replace(self, history=history)
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__, history=history)
        return new

    def with_component(self, name: str, value: Any, kind: Kind | None = None) -> Self:
        """Return a new batch whose component ``name`` is ``value``.

        Args:
            name: ``"signal"``, ``"annotation"``, ``"meta"``, ``"target"`` or a name of the user's own.
            value: one entry per row; labels and metadata may be lists.
            kind: how the component follows the signal. ``"time series"``: its last axis runs along the record's
                samples, (time,) or (channel, time). ``"events"``: an ``Annotation`` per row; recognised by itself.
                ``"static"``: anything else, which time does not change. A component that is replaced keeps its kind;
                a new one is static by default.

        Raises:
            InputError: when the value does not fit the batch or the kind, or the name is taken.
        """
        if name in _OWN:
            if kind not in (None, own := _KINDS.get(name, "static")):
                raise InputError(f"Component {name!r} has the kind {own!r}, not {kind!r}. Leave out kind=.")
            return self.replace(**{name: _own_value(name, value)})
        if name in self.__dataclass_fields__ or any(name in vars(cls) for cls in type(self).__mro__):
            raise InputError(f"A batch has an attribute {name!r} already. Choose another name for the component.")
        if kind is None and name in self.columns:
            kind = self.columns[name].kind
        column = as_column(name, value, kind, is_cut=self.is_cut)
        if isinstance(column, TimeSeries) and self.signal is not None and len(column) == len(self):
            remedy = "Pass one value for each sample of the signal, or kind='static'."
            column.check_along(self.signal, name, self.ids, remedy)
        return self.replace(columns={**self.columns, name: column})

    def without_component(self, name: str) -> Self:
        """Return a new batch without the component ``name``.

        Raises:
            UnknownNameError: when the batch has no such component.
        """
        self.component(name)
        if name in _OWN:
            return self.replace(**{name: None})
        return self.replace(columns={other: column for other, column in self.columns.items() if other != name})

    def take(self, rows: NDArray[Any] | Sequence[int]) -> Self:
        """Return the rows ``rows`` (indices or a mask) with all their components, in that order.

        Negative indices count from the last row.

        Raises:
            InputError: for a row that there is not, a mask of another length, or numbers that are not whole.
        """
        rows = chosen_rows(rows, len(self))
        if np.array_equal(rows, np.arange(len(self))):
            return self
        return self.replace(
            ids=tuple(self.ids[i] for i in rows),
            locations=None if self.locations is None else tuple(self.locations[i] for i in rows),
            signal=None if self.signal is None else self.signal.take(rows),
            annotation=None if self.annotation is None else tuple(self.annotation[i] for i in rows),
            meta=None if self.meta is None else self.meta.take(rows),
            target=None if self.target is None else self.target[rows],
            columns={name: column.take(rows) for name, column in self.columns.items()},
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
        """Return the rows of ``batches``, one after another; a component that one of them lacks is dropped.

        Of batches without rows, only their skipped records count.

        Raises:
            InputError: when they differ in seed or epoch, or a component differs in kind, type or number of axes.
            LabelError: when their classes differ, or only some are binarized.
        """
        from cardioflow.batch.columns.joining import join  # most batches are never joined

        if not batches:
            raise InputError("concat() needs at least one batch, but there is none.")
        filled = [b for b in batches if len(b)] or list(batches[:1])
        skipped = tuple(s for b in batches for s in b.skipped)
        return filled[0].replace(**join(filled), skipped=skipped)

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
        held = [n for n in _OWN if getattr(self, n) is not None]
        held += [n if c.kind == "static" else f"{n} ({c.kind})" for n, c in self.columns.items()]
        return f"{type(self).__name__}({len(self)} records{': ' if held else ', nothing loaded'}{', '.join(held)})"


def _own_value(name: str, value: Any) -> Any:
    """Return a list of labels as an array of objects, and a list of mappings as metadata."""
    if name == "meta" and isinstance(value, list | tuple):
        return Meta.from_rows(value)
    if name != "target" or not isinstance(value, list | tuple):
        return value
    target = np.empty(len(value), dtype=object)
    for i, own in enumerate(value):  # one by one, because NumPy would make a second axis of tuples
        target[i] = own
    return target
