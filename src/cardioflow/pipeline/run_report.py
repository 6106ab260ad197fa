"""What a run did, epoch by epoch, as a table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

__all__ = ["EpochReport", "RunReport"]

_MOST_ROWS = 50
"""How many epochs the table shows: the last ones."""


@final
@dataclass(frozen=True)
class EpochReport:
    """One epoch of a run."""

    epoch: int
    n_records: int
    """Records drawn, before any filter."""
    n_skipped: int
    seconds: float
    figures: Mapping[str, float]
    """The mean over the epoch's batches of every loss and metric, and the figures of ``Evaluate``, by variable."""
    is_complete: bool = True
    """Whether the epoch came to its end, and was not stopped or left before."""


@final
@dataclass(frozen=True, repr=False)
class RunReport:
    """The epochs of a run, and what was left out; ``print`` shows a table."""

    epochs: tuple[EpochReport, ...]
    n_skipped: int
    """Records that a step could not take."""
    n_empty: int
    """Batches that a filter emptied."""

    @property
    def n_records(self) -> int:
        """Records drawn in all epochs."""
        return sum(epoch.n_records for epoch in self.epochs)

    @property
    def seconds(self) -> float:
        """The time of all epochs."""
        return math.fsum(epoch.seconds for epoch in self.epochs)

    def __repr__(self) -> str:
        names = list(dict.fromkeys(name for epoch in self.epochs for name in epoch.figures))
        head = ["epoch", "records", "skipped", "seconds", *names]
        shown = self.epochs[-_MOST_ROWS:]
        rows = [_cells(epoch, names) for epoch in shown]
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows)]
        if len(shown) < len(self.epochs):
            lines.insert(1, f"… {len(self.epochs) - len(shown)} earlier epochs")
        return "\n".join([*lines, self._total()])

    def _total(self) -> str:
        parts = [f"{_counted(self.n_records, 'record')} drawn in {_counted(len(self.epochs), 'epoch')}"]
        parts.append(f"{self.seconds:.1f} s")
        parts.append(f"{_counted(self.n_skipped, 'record')} skipped{' (see Run.skipped)' if self.n_skipped else ''}")
        if self.n_empty:
            parts.append(f"{_counted(self.n_empty, 'batch', 'es')} emptied by a filter")
        return ", ".join(parts)


def _cells(epoch: EpochReport, names: Sequence[str]) -> list[str]:
    number = str(epoch.epoch) if epoch.is_complete else f"{epoch.epoch} (part)"
    counts = [str(epoch.n_records), str(epoch.n_skipped), f"{epoch.seconds:.1f}"]
    figures = [f"{epoch.figures[name]:.4g}" if name in epoch.figures else "" for name in names]
    return [number, *counts, *figures]


def _counted(n: int, what: str, ending: str = "s") -> str:
    return f"{n} {what}{'' if n == 1 else ending}"
