"""Save a model whenever it is better than before."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from cardioflow.core.writable import why_not_writable
from cardioflow.errors import InputError
from cardioflow.pipeline.callbacks._monitor import Mode, Monitor
from cardioflow.pipeline.callbacks._remembering import RememberingBest

if TYPE_CHECKING:
    from cardioflow.pipeline.context import RunContext

__all__ = ["BestModel"]


@final
class BestModel(RememberingBest):
    """Write the model to ``path`` after every epoch in which the figure ``monitor`` is the best so far.

    The file is replaced atomically: a run that is killed leaves the best model
    that it had.

    Args:
        path: The file, as for ``save_model``.
        monitor: A variable of the run, such as ``"eval_roc_auc"``; with several models ``"my_model.eval_roc_auc"``.
        mode: ``"min"`` where less is better, ``"max"`` where more is; by default as the name shows (a loss, a score).
        min_delta: A change that is not larger than this is not an improvement.
        model: The name of the model, where the run has several and the monitor does not begin with one.
        preprocessing: The pipeline that turns a file into what the model takes; it is kept with the weights.

    Raises:
        InputError: for a path that is not one; when the run begins, for one that cannot be written.
        ConfigError: for a monitor whose name does not show its mode.
    """

    def __init__(
        self,
        path: str | Path,
        monitor: str,
        *,
        mode: Mode | None = None,
        min_delta: float = 0.0,
        model: str | None = None,
        preprocessing: Any = None,
    ) -> None:
        super().__init__()
        if not isinstance(path, str | os.PathLike):
            raise InputError(f"BestModel(path={path!r}) is not a path. Pass the name of a file, such as 'best.af'.")
        self.path = Path(path)
        self.monitor = Monitor("BestModel", monitor, mode, min_delta, model)
        self.preprocessing = preprocessing

    def fresh(self) -> dict[str, Any]:
        return {"best": None, "best_epoch": None}

    def run_start(self, context: RunContext) -> None:
        super().run_start(context)
        reason = why_not_writable(self.path)
        if reason is not None:
            raise InputError(f"BestModel cannot write {str(self.path)!r}: {reason}.")
        self.monitor.model(context)
        self.monitor.check(context)

    def epoch_end(self, context: RunContext, epoch: int) -> None:
        value = self.monitor.value(context)
        if value is not None and self.monitor.is_better(value, self.best):
            context.models.save(self.monitor.model(context), self.path, preprocessing=self.preprocessing)
            self.memory.update(best=value, best_epoch=epoch)
