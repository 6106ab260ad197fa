"""The figure that a callback follows, and whether it has become better."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, final

from cardioflow.errors import ConfigError, UnknownNameError, nearest
from cardioflow.registry import metrics

if TYPE_CHECKING:
    from cardioflow.pipeline.context import RunContext

__all__ = ["Mode", "Monitor"]

Mode = Literal["min", "max"]

_LESS_IS_BETTER = ("brier_score", "probability_score", "davies_bouldin_score")
"""What is called a score and is an error, such as the continuous ranked probability score."""


@final
@dataclass(frozen=True)
class Monitor:
    """A variable of the run: ``"eval_roc_auc"``, or with its model ``"my_model.eval_roc_auc"``.

    Raises:
        ConfigError: for a mode that is neither ``"min"`` nor ``"max"``, or that is not given and does not follow from
            the name.
    """

    who: str
    """The callback that follows it, for messages."""
    name: str
    mode: Mode | None = None
    """Whether less or more is better; ``None`` where the name shows it: a loss, an error, a score."""
    min_delta: float = 0.0
    """A change that is not larger than this is not an improvement."""
    owner: str | None = None
    """The model that it stands for, where its name does not begin with it."""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ConfigError(
                f"{self.who}(monitor={self.name!r}) is not the name of a variable. Pass one such as 'eval_loss'."
            )
        if self.mode not in (None, "min", "max"):
            raise ConfigError(f"{self.who}(mode={self.mode!r}): expected 'min', 'max' or None.")
        is_number = isinstance(self.min_delta, int | float) and not isinstance(self.min_delta, bool)
        if not is_number or not 0 <= self.min_delta < math.inf:
            raise ConfigError(f"{self.who}(min_delta={self.min_delta!r}): expected a number of at least 0.")
        if self.mode is None and self._shown() is None:
            raise ConfigError(
                f"{self.who}(monitor={self.name!r}): the name does not show whether less or more is better. "
                "Pass mode='min' or mode='max'."
            )

    def _shown(self) -> Mode | None:
        what = self.name.rpartition(".")[2]
        if "_neg_" in what:
            # scikit-learn's scorers, such as neg_log_loss, have their sign changed for this.
            return "max"
        if what.endswith(("loss", "error")):
            return "min"
        # As in scikit-learn, whatever is called a score is better when it is greater.
        metric = what.partition("_")[2]
        if metric in metrics:
            return "max" if metrics.get(metric).greater_is_better else "min"
        if what.endswith(_LESS_IS_BETTER):
            return "min"
        return "max" if what.endswith(("score", "accuracy")) else None

    def model(self, context: RunContext) -> str:
        """Return the model whose figure it is.

        Raises:
            UnknownNameError: when the run has no such model.
            ConfigError: when neither ``owner`` nor the name says, and the run does not have exactly one model.
        """
        model = self.owner or self.name.rpartition(".")[0] or None
        return context.models.chosen(model, f"{self.who}(monitor={self.name!r})")

    def check(self, context: RunContext) -> None:
        """Refuse, before any record is read, a name that no variable can have.

        Raises:
            UnknownNameError: with the nearest names.
        """
        model, dot, _ = self.name.rpartition(".")
        if dot and self.name not in context.variables:
            context.models.chosen(model, f"{self.who}(monitor={self.name!r})")
        # Losses and metrics of batches become variables with the first batch.
        if not self.name.rpartition(".")[2].startswith(("train_", "val_")):
            self._variable(context)

    def value(self, context: RunContext) -> float | None:
        """Return the figure of the epoch that ends, ``None`` where it has none."""
        return context.figure(self._variable(context))

    def is_better(self, value: float, best: float | None) -> bool:
        """Return whether ``value`` is better than ``best``; NaN never is."""
        if math.isnan(value):
            return False
        if best is None:
            return True
        gain = best - value if (self.mode or self._shown()) == "min" else value - best
        return gain > self.min_delta

    def _variable(self, context: RunContext) -> str:
        if self.name in context.variables:
            return self.name
        if "." not in self.name:
            full = f"{self.model(context)}.{self.name}"
            if full in context.variables:
                return full
        raise UnknownNameError(
            f"{self.who}(monitor={self.name!r}): the run has no such figure. {nearest(self.name, context.variables)} "
            f"Those of Evaluate are known if it stands before {self.who} in callbacks=[…]; for a variable of your own, "
            "declare it with init_variable(name, [])."
        )
