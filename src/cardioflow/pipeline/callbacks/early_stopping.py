"""Stop when a figure no longer becomes better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from cardioflow.errors import ConfigError, ModelError
from cardioflow.pipeline.callbacks._monitor import Mode, Monitor
from cardioflow.pipeline.callbacks._remembering import RememberingBest

if TYPE_CHECKING:
    from cardioflow.models.base import BaseModel
    from cardioflow.pipeline.context import RunContext

__all__ = ["EarlyStopping"]


@final
class EarlyStopping(RememberingBest):
    """End the run after ``patience`` epochs in which the figure ``monitor`` did not improve.

    The model then gets the weights of the best epoch back, also when the run
    ends for another reason. The loss of a training batch is of the weights
    before its update; a figure of ``Evaluate`` is of the weights that are kept.

    Args:
        monitor: A variable of the run, such as ``"eval_roc_auc"``; with several models ``"my_model.eval_roc_auc"``.
            Of losses and metrics of batches, their mean over the epoch counts.
        patience: After how many epochs without an improvement the run ends; at least 1.
        mode: ``"min"`` where less is better, ``"max"`` where more is; by default as the name shows (a loss, a score).
        min_delta: A change that is not larger than this is not an improvement.
        model: The name of the model, where the run has several and the monitor does not begin with one.
        restore_best: Whether the model gets the weights of the best epoch back; a copy of them is kept in memory.

    Raises:
        ConfigError: for an argument that is out of its range, or a monitor whose name does not show its mode.
    """

    def __init__(
        self,
        monitor: str,
        patience: int = 5,
        *,
        mode: Mode | None = None,
        min_delta: float = 0.0,
        model: str | None = None,
        restore_best: bool = True,
    ) -> None:
        super().__init__()
        if not isinstance(patience, int) or isinstance(patience, bool) or patience < 1:
            raise ConfigError(f"EarlyStopping(patience={patience!r}): expected a whole number of at least 1.")
        self.monitor = Monitor("EarlyStopping", monitor, mode, min_delta, model)
        self.patience = patience
        self.restore_best = restore_best
        self._model = ""

    def fresh(self) -> dict[str, Any]:
        return {"best": None, "best_epoch": None, "n_waited": 0, "weights": None}

    def run_start(self, context: RunContext) -> None:
        super().run_start(context)
        self.monitor.check(context)
        if self.restore_best:
            self._model = self.monitor.model(context)
            context.models.when_built(self._model, _refuse_without_weights)

    def epoch_end(self, context: RunContext, epoch: int) -> None:
        value = self.monitor.value(context)
        if value is None:
            return
        if self.monitor.is_better(value, self.best):
            self.memory.update(best=value, best_epoch=epoch, n_waited=0)
            if self.restore_best:
                self.memory["weights"] = context.models.get(self._model).get_weights()
            return
        self.memory["n_waited"] += 1
        if self.memory["n_waited"] >= self.patience:
            context.stop()

    def run_end(self, context: RunContext) -> None:
        if self.memory["weights"] is not None:
            context.models.get(self._model).set_weights(self.memory["weights"])


def _refuse_without_weights(model: BaseModel) -> None:
    try:
        model.get_weights()
    except ModelError as error:
        raise ConfigError(
            f"EarlyStopping(restore_best=True): a {type(model).__name__} does not have weights that can be put back. "
            "Pass restore_best=False, and BestModel to save the best one."
        ) from error
