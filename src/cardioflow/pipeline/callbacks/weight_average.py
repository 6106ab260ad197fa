"""Average the weights of a model over its updates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import ConfigError
from cardioflow.pipeline.callbacks._remembering import Remembering
from cardioflow.pipeline.callbacks.base import BatchLogs

if TYPE_CHECKING:
    from cardioflow.models.base import BaseModel
    from cardioflow.pipeline.context import RunContext

__all__ = ["WeightAverage"]


@final
class WeightAverage(Remembering):
    """Keep an exponential moving average of the weights, which the model has between epochs and after the run.

    After batch n, counted from 0, ``average = d · average + (1 − d) · weights``
    with ``d = min(decay, (1 + n) / (10 + n))``, so that the first weights are
    soon forgotten; the average begins with the weights after the first batch.
    Statistics of batch normalization are averaged alike; whole numbers are not.

    From the end of an epoch to the beginning of the next, the model has the
    averaged weights: callbacks that come later in ``callbacks=[…]``, such as
    ``Evaluate`` and ``BestModel``, and ``save_model`` see those. Training goes
    on with its own. After the run, the model keeps the average. Keras averages
    weights too (``use_ema``), but puts them into the model in ``fit`` only.

    Args:
        decay: How much of the average stays with each batch, between 0 and 1.
        model: The name of the model; by default the only one that the run has.

    Raises:
        ConfigError: for a decay that is not between 0 and 1.
    """

    def __init__(self, decay: float = 0.999, *, model: str | None = None) -> None:
        super().__init__()
        if not isinstance(decay, int | float) or isinstance(decay, bool) or not 0 < decay < 1:
            raise ConfigError(f"WeightAverage(decay={decay!r}): expected a number between 0 and 1.")
        self.decay = float(decay)
        self.model = model
        self._name = ""
        self._target: BaseModel | None = None

    def fresh(self) -> dict[str, Any]:
        return {"n": 0, "average": None, "own": None}

    def run_start(self, context: RunContext) -> None:
        super().run_start(context)
        self._name = context.models.chosen(self.model, "WeightAverage")
        self._target = None
        context.models.when_built(self._name, self._take)

    def epoch_start(self, context: RunContext, epoch: int) -> None:
        if self._target is not None and self.memory["own"] is not None:
            self._target.set_weights(self.memory["own"])
            self.memory["own"] = None

    def batch_end(self, context: RunContext, logs: BatchLogs) -> None:
        # A batch that a filter emptied changed nothing.
        if self._target is None or not any(m.model == self._name and m.stage == "train" for m in logs.measurements):
            return
        weights = self._target.get_weights()
        n, average = self.memory["n"], self.memory["average"]
        d = min(self.decay, (1 + n) / (10 + n))
        self.memory.update(n=n + 1, average=weights if average is None else _averaged(average, weights, d))

    def epoch_end(self, context: RunContext, epoch: int) -> None:
        self._use_average()

    def run_end(self, context: RunContext) -> None:
        self._use_average()

    def _take(self, model: BaseModel) -> None:
        # Refuses a model that has none before it is trained.
        model.get_weights()
        self._target = model

    def _use_average(self) -> None:
        if self._target is None or self.memory["average"] is None or self.memory["own"] is not None:
            return
        self.memory["own"] = self._target.get_weights()
        self._target.set_weights(self.memory["average"])


def _averaged(average: Sequence[NDArray[Any]], weights: Sequence[NDArray[Any]], d: float) -> list[NDArray[Any]]:
    return [
        (d * old + (1 - d) * new).astype(new.dtype) if np.issubdtype(new.dtype, np.floating) else new
        for old, new in zip(average, weights, strict=True)
    ]
