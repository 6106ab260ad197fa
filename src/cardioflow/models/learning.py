"""The two ways in which a model learns: from each batch, or at the end from what was collected."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import ConfigError
from cardioflow.models._scores import RequestedMetric

__all__ = ["BatchUpdates", "FitAtEnd", "Learned", "Learning"]

Array = NDArray[Any]
Train = Callable[[Array, Array], tuple[float, Array]]
"""Of the input and the targets; trains and returns the loss and the predictions."""


class Learned(NamedTuple):
    """What came out of training: the loss, the targets and predictions it is of, and the metrics to compute."""

    loss: float
    y_true: Array
    y_pred: Array
    metrics: Sequence[RequestedMetric]


class Learning(ABC):
    """When a model trains on what it is given."""

    @abstractmethod
    def on_batch(self, train: Train, x: Array, y: Array, metrics: Sequence[RequestedMetric]) -> Learned | None:
        """Take a batch; return what was learned from it, ``None`` if nothing was yet."""

    def state(self) -> dict[str, Array]:
        """Return what was collected and not learned yet, as arrays by name."""
        return {}

    def restore(self, state: Mapping[str, Array]) -> None:  # noqa: B027 -- most have nothing to take
        """Take what ``state`` returned."""

    def on_epoch_end(self, train: Train) -> Learned | None:  # noqa: ARG002 -- for subclasses
        """Return what was learned at the end of an epoch, ``None`` if nothing was."""
        return None

    def on_run_end(self, train: Train) -> Learned | None:  # noqa: ARG002 -- for subclasses
        """Return what was learned at the end of the run, ``None`` if nothing was."""
        return None


@final
class BatchUpdates(Learning):
    """One update per batch, such as a gradient step."""

    def on_batch(self, train: Train, x: Array, y: Array, metrics: Sequence[RequestedMetric]) -> Learned | None:
        loss, y_pred = train(x, y)
        return Learned(loss, y, y_pred, metrics)


@final
@dataclass
class FitAtEnd(Learning):
    """One fit on all that was collected, at the end of every epoch or of the run.

    All rows are held in memory until then: with ``at="run"`` those of all
    epochs. The metrics are those asked for with the last batch, computed from
    all rows.
    """

    at: Literal["epoch", "run"] = "epoch"

    def __post_init__(self) -> None:
        if self.at not in ("epoch", "run"):
            raise ConfigError(f"FitAtEnd(at={self.at!r}) is neither 'epoch' nor 'run'. Pass one of them.")
        self._x: list[Array] = []
        self._y: list[Array] = []
        self._metrics: Sequence[RequestedMetric] = ()

    def on_batch(self, train: Train, x: Array, y: Array, metrics: Sequence[RequestedMetric]) -> Learned | None:  # noqa: ARG002 -- trains later
        self._x.append(x)
        self._y.append(y)
        self._metrics = metrics
        return None

    def state(self) -> dict[str, Array]:
        # The metrics are those of the next batch: a run goes on with at least one.
        parts = (("x", self._x), ("y", self._y))
        return {f"{name}/{i}": own for name, held in parts for i, own in enumerate(held)}

    def restore(self, state: Mapping[str, Array]) -> None:
        self._x = [state[f"x/{i}"] for i in range(len(state) // 2)]
        self._y = [state[f"y/{i}"] for i in range(len(state) // 2)]

    def on_epoch_end(self, train: Train) -> Learned | None:
        return self._fit(train) if self.at == "epoch" else None

    def on_run_end(self, train: Train) -> Learned | None:
        # Batches of an epoch that was not finished are learned, too.
        return self._fit(train)

    def _fit(self, train: Train) -> Learned | None:
        if not self._x:
            return None
        x, y = np.concatenate(self._x), np.concatenate(self._y)
        self._x, self._y = [], []
        loss, y_pred = train(x, y)
        return Learned(loss, y, y_pred, self._metrics)
