"""Write the figures of every epoch to a table."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from cardioflow.core.atomic import whole_file
from cardioflow.core.writable import why_not_writable
from cardioflow.errors import InputError
from cardioflow.pipeline.callbacks._remembering import Remembering

if TYPE_CHECKING:
    from cardioflow.pipeline.context import RunContext

__all__ = ["CsvLog"]


@final
class CsvLog(Remembering):
    """Write a CSV file with one row per epoch: its number, and every loss, metric and learning rate by variable.

    Losses and metrics of batches are their means over the epoch; what an epoch
    does not have is left empty. The file is replaced as a whole after every
    epoch, so that it never ends in half a row. It holds no times, so that two
    equal runs write equal files.

    Args:
        path: The file; an existing one is replaced.

    Raises:
        InputError: for a path that is not one; when the run begins, for one that cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__()
        if not isinstance(path, str | os.PathLike):
            raise InputError(f"CsvLog(path={path!r}) is not a path. Pass the name of a file, such as 'log.csv'.")
        self.path = Path(path)

    def fresh(self) -> dict[str, Any]:
        return {"rows": []}

    def run_start(self, context: RunContext) -> None:
        super().run_start(context)
        reason = why_not_writable(self.path)
        if reason is not None:
            raise InputError(f"CsvLog cannot write {str(self.path)!r}: {reason}.")

    def epoch_start(self, context: RunContext, epoch: int) -> None:
        self.memory["rows"].append({"epoch": epoch})

    def epoch_end(self, context: RunContext, epoch: int) -> None:
        self._write(context)

    def run_end(self, context: RunContext) -> None:
        # With an epoch that was stopped, and with what models report at the end of the run.
        self._write(context)

    def _write(self, context: RunContext) -> None:
        rows: list[dict[str, Any]] = self.memory["rows"]
        if rows:
            rows[-1].update(context.figures())
        names = list(dict.fromkeys(name for row in rows for name in row)) or ["epoch"]
        with whole_file(self.path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, names, restval="", lineterminator="\n")
            table.writeheader()
            table.writerows(rows)
