"""What a run did, epoch by epoch, as a table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

__all__ = ["EpochReport", "ProfileReport", "RunReport", "StepReport"]

_MOST_ROWS = 50
"""How many epochs the table shows: the last ones."""
_LONGEST_STEP = 60


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
@dataclass(frozen=True)
class StepReport:
    """One step of a run that was profiled."""

    step: str
    """Its number and its arguments."""
    is_ahead: bool
    """Whether it ran ahead of time, in threads or processes where there were some."""
    n_batches: int
    n_records: int
    """Rows that the step was given."""
    seconds: float
    """The sum over all threads and processes."""
    n_bytes: int
    """Samples and numbers in the batches that came out of it."""


@final
@dataclass(frozen=True, repr=False)
class ProfileReport:
    """The steps of a run, and the time that went elsewhere; ``print`` shows a table."""

    steps: tuple[StepReport, ...]
    waiting_s: float
    """How long the run waited for batches that are made ahead; without workers, how long it made them."""
    outside_s: float
    """How long the caller's own loop took."""
    other_s: float
    """Callbacks, and the run itself."""
    slowest: str
    """The step that decides how fast the run is."""

    def __repr__(self) -> str:
        head = ["step", "batches", "records", "seconds", "ms/batch", "MB", "MB/s"]
        rows = [head, *map(_step_cells, self.steps)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(c.ljust(w) if not i else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
            for row in rows
        ]
        lines.append(
            f"waited {self.waiting_s:.2f} s for the steps that run ahead (>), {self.outside_s:.2f} s in the loop over "
            f"the batches, {self.other_s:.2f} s in callbacks and the run itself"
        )
        lines.append(f"slowest: {self.slowest}")
        return "\n".join(lines)


@final
@dataclass(frozen=True, repr=False)
class RunReport:
    """The epochs of a run, and what was left out; ``print`` shows a table."""

    epochs: tuple[EpochReport, ...]
    n_skipped: int
    """Records that a step could not take."""
    n_empty: int
    """Batches that a filter emptied."""
    made_in: str = ""
    """Where the batches were made; with ``workers="auto"`` also what was measured."""
    profile: ProfileReport | None = None
    """The time of every step, with ``run(profile=True)``."""

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
        profile = [] if self.profile is None else [repr(self.profile)]
        return "\n".join([*lines, self._total(), *profile])

    def _total(self) -> str:
        parts = [f"{_counted(self.n_records, 'record')} drawn in {_counted(len(self.epochs), 'epoch')}"]
        parts.append(f"{self.seconds:.1f} s")
        parts.append(f"{_counted(self.n_skipped, 'record')} skipped{' (see Run.skipped)' if self.n_skipped else ''}")
        if self.n_empty:
            parts.append(f"{_counted(self.n_empty, 'batch', 'es')} emptied by a filter")
        if self.made_in:
            parts.append(f"batches made in {self.made_in}")
        return ", ".join(parts)


def _cells(epoch: EpochReport, names: Sequence[str]) -> list[str]:
    number = str(epoch.epoch) if epoch.is_complete else f"{epoch.epoch} (part)"
    counts = [str(epoch.n_records), str(epoch.n_skipped), f"{epoch.seconds:.1f}"]
    figures = [f"{epoch.figures[name]:.4g}" if name in epoch.figures else "" for name in names]
    return [number, *counts, *figures]


def _step_cells(step: StepReport) -> list[str]:
    megabytes = step.n_bytes / 1e6
    per_second = f"{megabytes / step.seconds:.0f}" if step.seconds else ""
    name = step.step if len(step.step) <= _LONGEST_STEP else f"{step.step[: _LONGEST_STEP - 1]}…"
    return [
        f"{'>' if step.is_ahead else ' '} {name}",
        str(step.n_batches),
        str(step.n_records),
        f"{step.seconds:.2f}",
        f"{step.seconds / max(step.n_batches, 1) * 1e3:.2f}",
        f"{megabytes:.1f}",
        per_second,
    ]


def _counted(n: int, what: str, ending: str = "s") -> str:
    return f"{n} {what}{'' if n == 1 else ending}"
