"""Save a model of the run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, final

from cardioflow.errors import InputError
from cardioflow.pipeline.steps.base import StatefulStep

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.run import Run

__all__ = ["SaveModel"]


@final
@dataclass(frozen=True)
class SaveModel(StatefulStep):
    """Write the model ``name`` to ``path`` when the run ends, or after every epoch too.

    ``preprocessing`` is the pipeline that turns a file into what the model
    takes; it is kept with the weights, so that a file can be predicted from
    the dump alone.
    """

    name: str
    path: str | Path
    preprocessing: Any = None
    every: Literal["run", "epoch"] = "run"

    def __post_init__(self) -> None:
        if self.every not in ("run", "epoch"):
            raise InputError(f"save_model(every={self.every!r}): expected 'run' or 'epoch'.")

    def run(self, batch: EcgBatch, run: Run) -> EcgBatch:
        last = run.scratch(self).setdefault("epoch", batch.epoch)
        if self.every == "epoch" and batch.epoch != last:
            run.save_model(self.name, self.path, preprocessing=self.preprocessing)
            run.scratch(self)["epoch"] = batch.epoch
        return batch

    def end(self, run: Run) -> None:
        run.save_model(self.name, self.path, preprocessing=self.preprocessing)
