"""What a public data set says about itself, and how it becomes an ``EcgDataset``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

from cardioflow.batch.location import Location
from cardioflow.errors import ConfigError, InputError
from cardioflow.pipeline.data.dataset import EcgDataset
from cardioflow.pipeline.data.dataset_card import DatasetCard
from cardioflow.pipeline.data.leaks.tapes import tape_of
from cardioflow.pipeline.data.locations import FileLocation
from cardioflow.pipeline.data.record_table import RecordTable

__all__ = ["Missing", "PublicDataset", "Records", "by_stem", "choose", "wfdb"]

Missing = Literal["raise", "drop"]


class Records(NamedTuple):
    """What a reader has found: columns of values in the order of ``locations``."""

    locations: Mapping[str, Location]
    columns: Mapping[str, Sequence[Any]]
    labels: Mapping[str, Any] | None = None
    """The label of each record: a text, or a tuple of any number of them."""
    classes: tuple[str, ...] | None = None
    """All labels that there may be, also where a part of the data set has fewer."""


@dataclass(frozen=True)
class PublicDataset(ABC):
    """A public data set in a folder, with the files and names that it was published with.

    Args:
        root: The folder.
        missing: Whether a published record without a file is an error, or is left out.
    """

    card: ClassVar[DatasetCard]

    root: str | Path
    _: KW_ONLY
    missing: Missing = "raise"

    def __post_init__(self) -> None:
        choose(self, "missing", ("raise", "drop"))

    @abstractmethod
    def records(self, root: Path) -> Records:
        """Return the records that the tables in ``root`` list, whether or not their files are there."""

    def open(self) -> EcgDataset:
        """Return the records in the folder, with what is published about them.

        Raises:
            InputError: when files are missing; it names them and says where to get them.
        """
        root = Path(self.root).expanduser()
        if not root.is_dir():
            raise InputError(f"{self.card.name}: there is no folder {str(root)!r}. {self.source()}")
        found = self.records(root)
        kept = self._present(found.locations, root)
        places = {name: found.locations[name] for name in kept}
        columns = dict(found.columns)
        tapes = [tape_of(self.card.name, name) for name in found.locations]
        if any(tape is not None for tape in tapes):
            columns["tape"] = tapes
        dataset = EcgDataset(places, labels=found.labels, table=RecordTable(found.locations, columns))
        dataset.all_ids = frozenset(found.locations)
        dataset.classes = found.classes
        dataset.cards = (self.card,)
        return dataset

    def source(self) -> str:
        """Return a sentence that says where to get the data set."""
        return f"Get the data set from {self.card.url} ({self.card.size})."

    def file(self, root: Path, name: str) -> Path:
        """Return the path of a table that the data set comes with.

        Raises:
            InputError: when it is not there.
        """
        path = root / name
        if not path.is_file():
            raise InputError(f"{self.card.name}: the folder {str(root)!r} has no {name}. {self.source()}")
        return path

    def fail(self, text: str) -> InputError:
        """Return an error about the data set."""
        return InputError(f"{self.card.name}: {text} {self.source()}")

    def _present(self, places: Mapping[str, Location], root: Path) -> list[str]:
        """Return the records whose files are there."""
        if not places:
            raise self.fail(f"the folder {str(root)!r} holds none of its records.")
        there = _Folders()
        lost = [name for name, place in places.items() if not there.has(place)]
        if lost and (self.missing == "raise" or len(lost) == len(places)):
            first = places[lost[0]].readable()
            of = f"{len(lost)} of {len(places)} records have" if len(places) > 1 else "its record has"
            remedy = "" if len(lost) == len(places) else " Pass missing='drop' to use the records that are there."
            raise InputError(
                f"{self.card.name}: {of} no file, the first of them {str(first)!r}. {self.source()}{remedy}"
            )
        gone = frozenset(lost)
        return [name for name in places if name not in gone]


class _Folders:
    """The files of folders, each listed once: asking for every file alone takes ten times as long."""

    def __init__(self) -> None:
        self._names: dict[Path, frozenset[str]] = {}

    def has(self, place: Location) -> bool:
        path: Path | None = getattr(place, "path", None)
        if path is None:
            return True
        folder = path.parent
        if folder not in self._names:
            self._names[folder] = frozenset(p.name for p in folder.iterdir()) if folder.is_dir() else frozenset()
        return path.name in self._names[folder]


def choose(given: Any, name: str, known: Iterable[Any]) -> None:
    """Raise where a parameter is none of those that are known.

    Raises:
        ConfigError: naming the parameter and what it may be.
    """
    value, every = getattr(given, name), tuple(known)
    if value not in every:
        raise ConfigError(
            f"{type(given).__name__}({name}={value!r}): expected {', '.join(map(repr, every[:-1]))} or {every[-1]!r}."
        )


def wfdb(paths: Iterable[Path]) -> dict[str, Location]:
    """Return the locations of WFDB headers by their stems.

    Raises:
        InputError: where two are of one record.
    """
    return {name: FileLocation(path) for name, path in by_stem(paths).items()}


def by_stem(paths: Iterable[Path]) -> dict[str, Path]:
    """Return the paths by the names of their records.

    Raises:
        InputError: where two are of one record; it names both.
    """
    found: dict[str, Path] = {}
    for path in paths:
        other = found.get(path.stem)
        if other == path:
            raise InputError(f"The record {path.stem!r} is listed twice. Keep one of its rows.")
        if other is not None:
            raise InputError(
                f"Two files are the record {path.stem!r}: {other} and {path}. Keep one, or pass the folder of one of "
                "them as root."
            )
        found[path.stem] = path
    return found
