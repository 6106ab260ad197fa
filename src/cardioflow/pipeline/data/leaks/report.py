"""What an audit has found: pairs of records that a test part shares with a training part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, final

from cardioflow.batch.ecg_batch import Skipped
from cardioflow.errors import LeakError

__all__ = ["Audit", "Kind", "Leak"]

Kind = Literal["same record", "same patient", "same tape", "same samples", "same signal", "overlap"]

_SHOWN: Final = 20
_ROW: Final = "{:<13} {:<18} {:<18} {}"


@final
@dataclass(frozen=True)
class Leak:
    """Two records that are, or come from, the same."""

    kind: Kind
    train: str
    test: str
    """The records; of a patient or a tape, the first of each part."""
    what: str = ""
    """The patient or the tape; empty for signals."""
    correlation: float | None = None
    overlap_s: float | None = None
    lag_s: float | None = None
    """How much later the signal begins in the record of the test part."""
    exempt: str = ""
    """The exemption that covers it; empty where none does."""
    between: str = ""
    """The parts that it is between, where there are several."""

    @property
    def detail(self) -> str:
        """What is known about it, in words."""
        text = self._found()
        return f"{text}  {self.between}".strip() if self.between else text

    def _found(self) -> str:
        if self.correlation is None:
            return self.what
        if self.kind == "overlap":
            return f"{self.overlap_s:.1f} s in common, {self.lag_s:+.2f} s, r = {self.correlation:.3f}"
        return f"r = {self.correlation:.3f}"


@final
@dataclass(frozen=True)
class Audit:
    """The leaks between two parts, or between the records of one data set.

    ``print`` shows a table, ``rows`` gives it to pandas, and ``check`` raises.
    """

    leaks: tuple[Leak, ...]
    """What was found and is not exempt."""
    exempted: tuple[Leak, ...]
    """What was found and is exempt by name."""
    n_train: int
    n_test: int
    """How many records were compared; 0 where one data set was compared with itself."""
    silent: tuple[str, ...] = ()
    """Records too short or too flat to be compared; in them, only equal samples were looked for."""
    skipped: tuple[Skipped, ...] = ()
    """Records that could not be read, and were not compared."""
    n_common: int = 0
    """Landmarks that were left aside because too many signals have the same, as paced rhythms do."""

    def rows(self) -> dict[str, list[Any]]:
        """Return the leaks and then the exempted ones as columns, for ``pandas.DataFrame(audit.rows())``."""
        names = ("kind", "train", "test", "what", "correlation", "overlap_s", "lag_s", "exempt")
        every = (*self.leaks, *self.exempted)
        return {name: [getattr(leak, name) for leak in every] for name in names}

    def check(self) -> None:
        """Do nothing where there is no leak.

        Raises:
            LeakError: with the table, where there is one.
        """
        if self.leaks:
            raise LeakError(
                f"{self}\nKeep the records of a patient and copies of a signal in one part, as with "
                "split(groups=audit.groups()), or name what is known: exempt=(…)."
            )

    def groups(self, ids: Iterable[str] = ()) -> dict[str, str]:
        """Return a group for each record that has a copy, which is the same for all of them, and for each of ``ids``.

        ``dataset.split(folds=5, groups=cardioflow.audit(dataset).groups(dataset.ids))``
        """
        root: dict[str, str] = {name: name for name in ids}

        def find(name: str) -> str:
            while root.setdefault(name, name) != name:
                root[name] = name = root[root[name]]
            return name

        for leak in self.leaks:
            one, other = sorted((find(leak.train), find(leak.test)))
            root[other] = one
        return {name: find(name) for name in list(root)}

    def __str__(self) -> str:
        where = f"between {self.n_train} and {self.n_test}" if self.n_test else f"in {self.n_train}"
        lines = [f"{_counted(self.leaks)} {where} records"]
        if self.leaks:
            lines.append(_ROW.format("kind", *(("train", "test") if self.n_test else ("record", "copy")), ""))
            lines += [_line(leak) for leak in self.leaks[:_SHOWN]]
        if len(self.leaks) > _SHOWN:
            lines.append(f"… and {len(self.leaks) - _SHOWN} more")
        lines += [f"exempt ({leak.exempt}): {_line(leak)}" for leak in self.exempted[:_SHOWN]]
        lines += list(self._notes())
        return "\n".join(line.rstrip() for line in lines)

    def _notes(self) -> Iterable[str]:
        if self.silent:
            yield f"Too short or too flat to be compared: {_listed(self.silent)}"
        if self.skipped:
            yield f"Not read: {_listed([own.record for own in self.skipped])}"
        if self.n_common:
            yield f"Left aside: {self.n_common} landmarks that too many signals share"


def _counted(leaks: tuple[Leak, ...]) -> str:
    counts: Mapping[str, int] = Counter(leak.kind for leak in leaks)
    parts = ", ".join(f"{n} × {kind}" for kind, n in sorted(counts.items()))
    return f"{len(leaks)} leak{'' if len(leaks) == 1 else 's'}{f' ({parts})' if parts else ''}"


def _line(leak: Leak) -> str:
    return _ROW.format(leak.kind, leak.train, leak.test, leak.detail)


def _listed(names: Iterable[str]) -> str:
    found = list(names)
    shown = ", ".join(found[:5]) + (", …" if len(found) > 5 else "")
    return f"{len(found)} record{'' if len(found) == 1 else 's'} ({shown})"
