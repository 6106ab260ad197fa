"""Collect what ``Run.report()`` shows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, final

from cardioflow.pipeline.callbacks._remembering import Remembering
from cardioflow.pipeline.callbacks.base import BatchLogs
from cardioflow.pipeline.run_report import EpochReport

if TYPE_CHECKING:
    from cardioflow.pipeline.context import RunContext

__all__ = ["RunTable"]


@final
class RunTable(Remembering):
    """Keeps the number of records, the time and the figures of every epoch; every run has it."""

    def __init__(self) -> None:
        super().__init__()
        self._context: RunContext | None = None
        self._since = 0.0

    def fresh(self) -> dict[str, Any]:
        return {"rows": []}

    def run_start(self, context: RunContext) -> None:
        super().run_start(context)
        self._context = context
        self._since = time.perf_counter()

    def epoch_start(self, context: RunContext, epoch: int) -> None:
        self._since = time.perf_counter()
        new = {"epoch": epoch, "n_records": 0, "n_skipped": 0, "seconds": 0.0, "figures": {}, "is_complete": False}
        self.memory["rows"].append(new)

    def batch_end(self, context: RunContext, logs: BatchLogs) -> None:
        row = self.memory["rows"][-1]
        row["n_records"] += logs.n_drawn
        row["n_skipped"] += len(logs.skipped)

    def epoch_end(self, context: RunContext, epoch: int) -> None:
        self._update(is_complete=True)

    def run_end(self, context: RunContext) -> None:
        # With what models report at the end of the run.
        self._update()

    def close(self) -> None:
        self._update()
        self._context = None

    def epochs(self) -> Iterator[EpochReport]:
        """Yield the epochs so far, the one at hand included."""
        self._update()
        for row in self.memory["rows"]:
            yield EpochReport(**{**row, "figures": dict(row["figures"])})

    def _update(self, *, is_complete: bool = False) -> None:
        """Take the time and the figures until now."""
        if self._context is None or not self.memory["rows"]:
            return
        row = self.memory["rows"][-1]
        now = time.perf_counter()
        row["seconds"] += now - self._since
        self._since = now
        row["figures"].update(self._context.figures())
        row["is_complete"] = row["is_complete"] or is_complete
