"""What every format is: a ``Format`` that makes a ``Record`` of a file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from inspect import signature
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.annotation import Annotation
from cardioflow.batch.meta import Meta
from cardioflow.batch.ragged import Ragged
from cardioflow.errors import FormatError, InputError
from cardioflow.registry import formats

__all__ = ["Columns", "Derive", "Format", "ReadRequest", "Record", "with_ending"]

Derive = Literal["never", "standard", "limb"]
"""Which leads are computed: none, those that a 12-lead ECG stored as I, II, V1 to V6 lacks, or all limb leads."""
Damaged = Literal["refuse", "read"]
"""What to do with a damaged file: refuse it, or read what is whole of it."""


@dataclass(frozen=True)
class Record:
    """One ECG as every reader gives it."""

    signal: NDArray[np.float32] | None
    """Millivolts of shape (lead, time), NaN where the file has no sample; ``None`` when not asked for.

    A channel that is not a voltage keeps its own unit.
    """
    fs: float
    """Samples per second and lead."""
    leads: tuple[str, ...]
    """Standard names: I II III aVR aVL aVF V1–V6, MLII …; what has none keeps the file's own."""
    units: tuple[str, ...]
    """One per lead: ``"mV"``, or the unit of a channel that is not a voltage."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    """``age`` (years), ``sex`` (``"M"``, ``"F"``), ``timestamp``, ``comments``, ``device``, and the format's own."""
    annotation: Annotation | None = None


@dataclass(frozen=True)
class ReadRequest:
    """What to read of a file."""

    components: frozenset[str] = frozenset({"signal", "meta"})
    """Of ``"signal"``, ``"meta"``, ``"annotation"``."""
    start_s: float = 0.0
    """Where to begin, in seconds from the first sample."""
    stop_s: float | None = None
    """Where to stop, exclusive; ``None`` is the end."""
    channels: tuple[str | int, ...] | None = None
    """Leads to read, by name or number, in this order; ``None`` is all."""
    ann_ext: str | None = None
    """The suffix of the annotation file, where a format keeps several beside a record (``"atr"``, ``"q1c"``)."""
    common_fs: float | None = None
    """The rate in Hz to which leads with different rates in one record are brought; other records keep theirs."""
    group: int | None = None
    """Of a record whose leads have different rates, which of its rates to read: 0 is the lowest."""
    derive: Derive = "standard"
    """Which of III, aVR, aVL, aVF are computed where they are not stored: ``"never"`` any; with ``"standard"`` those
    that complete a stored I, II, V1 to V6 to 12 leads; with ``"limb"`` those that follow from any stored I and II."""
    strict: bool = False
    """Whether a checksum that does not agree is an error; otherwise it is a flag in ``meta``."""
    identify: bool = False
    """Whether what identifies a person (name, ids, exact birth date) is read into ``meta``."""

    damaged: Damaged = "refuse"
    """What to do with a file that is damaged: ``"refuse"`` it, or ``"read"`` what is whole of EDF, BDF, WFDB and DICOM
    and list in ``meta["damage"]`` what was left out."""

    def __post_init__(self) -> None:
        if self.damaged not in get_args(Damaged):
            raise InputError(f"damaged={self.damaged!r} is not one of {', '.join(map(repr, get_args(Damaged)))}.")
        if self.derive not in get_args(Derive):
            raise InputError(f"derive={self.derive!r} is not one of {', '.join(map(repr, get_args(Derive)))}.")
        if self.common_fs is not None and (self.group is not None or self.common_fs <= 0):
            what = f"group={self.group} beside it" if self.group is not None else "expected more than 0 Hz"
            raise InputError(f"common_fs={self.common_fs}: {what}. Give one of common_fs and group.")


@dataclass(frozen=True)
class Columns:
    """Several ECGs at once, as a format gives them that keeps them together."""

    signal: Ragged | None
    meta: Meta
    """With the columns ``fs``, ``leads`` and ``units``."""
    annotation: tuple[Annotation | None, ...] | None


class Format(ABC):
    """One file format; final subclasses live in one file each.

    A reader raises ``FormatError`` and nothing else on bytes it cannot read,
    checks the sizes in a header against the file before it allocates, and opens
    no file outside the record's folder.
    """

    suffixes: ClassVar[tuple[str, ...]]
    """Usual file endings, lower case with the dot, for ``fmt=None`` and for messages; the first is what is written."""

    @classmethod
    @abstractmethod
    def recognises(cls, head: bytes) -> bool:
        """Return whether a file that begins with ``head`` (its first 4096 bytes) is of this format."""

    @classmethod
    def recognises_all(cls, paths: Sequence[str | Path]) -> bool:
        """Return whether ``recognises`` is true of all files, where a format has a faster way for many; else false."""
        del paths
        return False

    @abstractmethod
    def read(self, path: Path, request: ReadRequest) -> Record:
        """Read one file.

        Raises:
            FormatError: when the bytes are not what the format says.
        """

    def read_many(self, paths: Sequence[Path], request: ReadRequest) -> list[Record | FormatError]:
        """Read several files; one that cannot be read gives its error in its place."""
        found: list[Record | FormatError] = []
        for path in paths:
            try:
                found.append(self.read(path, request))
            except FormatError as error:
                found.append(error)
        return found

    def read_columns(self, paths: Sequence[str | Path], request: ReadRequest) -> Columns | None:
        """Return all records at once, in columns, where the format has a faster way for those; otherwise ``None``.

        The values are those of ``read``. ``None`` also stands for a record that cannot be read, which ``read_many``
        then tells.
        """
        del paths, request
        return None

    def n_samples(self, path: Path) -> int | None:
        """Return the samples of each lead that a file says it has, without reading them; ``None`` if not known so.

        Formats of long recordings know.

        Raises:
            FormatError: when the file cannot be read.
        """
        del path
        return None

    @classmethod
    def options(cls) -> tuple[str, ...]:
        """Return the options of the reader itself: ``("fs",)`` for arrays, which have no rate."""
        return () if cls.__init__ is object.__init__ else _parameters(cls)

    @classmethod
    def target(cls, path: Path) -> Path:
        """Return the file with which ``write`` ends, for a record that is to be written under the name ``path``."""
        return with_ending(path, cls.suffixes[0])

    def write(self, record: Record, path: Path, *, identify: bool = False) -> tuple[Path, ...]:
        """Write ``record`` under the name ``path``, each file whole or not at all, and return the files.

        What identifies a person in ``record.meta`` is left out unless ``identify``.

        Raises:
            InputError: when the record, or any record, cannot be written in this format.
        """
        del record, path, identify
        able = ", ".join(name for name in formats.names() if formats.get(name).write is not Format.write)
        raise InputError(f"{type(self).__name__} can only be read. Formats that can be written: {able}.")

    @staticmethod
    def signal_of(record: Record) -> NDArray[np.float32]:
        """Return the signal of a record that is to be written, (lead, time).

        Raises:
            InputError: when it has none, or one of another shape.
        """
        signal = record.signal
        if signal is None or signal.ndim != 2 or not signal.size or len(signal) != len(record.leads):
            shape = None if signal is None else signal.shape
            raise InputError(
                f"A record with a signal of shape {shape} and {len(record.leads)} lead names cannot be written; "
                "expected (lead, time), with a name for each lead. Load the signal; unstack segments first."
            )
        if np.iscomplexobj(signal):
            raise InputError("A complex signal cannot be written. Undo the transform first.")
        return np.ascontiguousarray(signal, np.float32)


# Asked for with every batch, and slow to answer.
@lru_cache(maxsize=256)
def _parameters(cls: type[Format]) -> tuple[str, ...]:
    return tuple(signature(cls).parameters)


def with_ending(path: Path, ending: str) -> Path:
    """Return ``path`` with ``ending`` (``".npz"``) added, unless it ends so; a dot in a record's name stays."""
    return path if path.suffix.lower() == ending else path.with_name(path.name + ending)
