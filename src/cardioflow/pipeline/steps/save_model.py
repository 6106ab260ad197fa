"""Save a model of the run."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, final

from cardioflow.core.writable import why_not_writable
from cardioflow.errors import InputError
from cardioflow.pipeline.steps.base import EventStep

if TYPE_CHECKING:
    from cardioflow.pipeline.context import RunContext

__all__ = ["SaveModel"]


@final
@dataclass(frozen=True)
class SaveModel(EventStep):
    """Write the model ``name`` to ``path`` when the run ends, or after every epoch.

    ``preprocessing`` is the pipeline that turns a file into what the model
    takes; it is kept with the weights, so that a file can be predicted from
    the dump alone. ``path`` may be a variable, ``V("path")``, whose value at
    that moment counts; a path that is known when the run begins is checked
    before any record is read.

    Raises:
        InputError: for a path that cannot be written.
    """

    names_model: ClassVar[bool] = True

    name: str
    path: str | Path
    preprocessing: Any = None
    every: Literal["run", "epoch"] = "run"

    def __post_init__(self) -> None:
        if self.every not in ("run", "epoch"):
            raise InputError(f"save_model(every={self.every!r}): expected 'run' or 'epoch'.")
        if not isinstance(self.path, (str, os.PathLike)):
            raise InputError(
                f"save_model(path={self.path!r}) is not a path. Pass the name of a file, such as 'af.cardioflow'."
            )

    def run_start(self, context: RunContext) -> None:
        reason = why_not_writable(Path(self.path))
        if reason is not None:
            raise InputError(f"save_model() cannot write {str(self.path)!r}: {reason}.")

    def epoch_end(self, context: RunContext, epoch: int) -> None:
        if self.every == "epoch":
            self._save(context)

    def run_end(self, context: RunContext) -> None:
        if self.every == "run":
            self._save(context)

    def _save(self, context: RunContext) -> None:
        context.models.save(self.name, self.path, preprocessing=self.preprocessing)
